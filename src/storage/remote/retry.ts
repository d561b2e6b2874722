import { AbortedError, isCellarrError, StorageError, throwIfAborted } from "../../errors.js";
import { pause } from "../../util/pause.js";
import type { AnswerHeaders } from "./transport.js";

/** Trying again what may be different the next time: exponential backoff with full jitter. */

export interface RetryPolicy {
  /** Attempts in all. */
  readonly tries: number;
  /** Milliseconds: before attempt n + 1 a random time up to `baseDelay` * 2 ** (n - 1) passes. */
  readonly baseDelay: number;
  /** Milliseconds that it never exceeds. A server that asks for a longer pause is not asked again. */
  readonly maxDelay: number;
  /** Milliseconds without a single byte after which an attempt is given up. */
  readonly timeout: number;
}

export const defaultRetry: RetryPolicy = { tries: 5, baseDelay: 100, maxDelay: 30_000, timeout: 30_000 };

/** A server that is asked too often is left alone for longer than one that stumbled. */
const THROTTLED_FACTOR = 5;

/** What may be different the next time. Everything else ends an operation. */
export class TransientError extends Error {
  /** Milliseconds that the server asks for. */
  readonly retryAfter: number | undefined;
  /** Whether the server wants fewer requests. */
  readonly isThrottled: boolean;

  constructor(
    message: string,
    details: { cause?: unknown; retryAfter?: number | undefined; isThrottled?: boolean } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.retryAfter = details.retryAfter;
    this.isThrottled = details.isThrottled ?? false;
  }
}

/**
 * Runs `attempt` (numbered from 1) until it does not throw a TransientError. Throws StorageError with the last reason,
 * AbortedError, and at once whatever else `attempt` throws.
 */
export async function withRetry<T>(
  policy: RetryPolicy,
  where: string,
  signal: AbortSignal | undefined,
  attempt: (number: number) => Promise<T>,
): Promise<T> {
  for (let number = 1; ; number++) {
    throwIfAborted(signal);
    try {
      return await attempt(number);
    } catch (error) {
      if (signal?.aborted) throw abortedBy(signal, error);
      if (!(error instanceof TransientError)) throw error;
      const delay = delayBefore(number, error, policy);
      if (number >= policy.tries || delay === null) throw givenUp(number, error, where);
      await pause(delay, signal);
    }
  }
}

function abortedBy(signal: AbortSignal, error: unknown): AbortedError {
  if (isCellarrError(error, "ABORTED")) return error as AbortedError;
  return new AbortedError(undefined, { cause: signal.reason });
}

/** Null: the server asks for more patience than there is. */
function delayBefore(failed: number, error: TransientError, policy: RetryPolicy): number | null {
  const { retryAfter = 0, isThrottled } = error;
  if (retryAfter > policy.maxDelay) return null;
  const base = policy.baseDelay * (isThrottled ? THROTTLED_FACTOR : 1);
  const backoff = Math.random() * Math.min(policy.maxDelay, base * 2 ** (failed - 1));
  return Math.max(retryAfter, backoff);
}

function givenUp(attempts: number, error: TransientError, where: string): StorageError {
  const count = attempts === 1 ? "1 attempt" : `${attempts} attempts`;
  return new StorageError(`gave up after ${count}: ${error.message}`, { where, cause: error.cause ?? error });
}

/** Milliseconds that a Retry-After header asks for: seconds, or a date. */
export function retryAfterOf(headers: AnswerHeaders, now = Date.now()): number | undefined {
  const text = headers.get("retry-after")?.trim();
  if (!text) return undefined;
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
