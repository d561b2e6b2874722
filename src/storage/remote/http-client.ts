import { ArgumentError, isCellarrError, RefusedError } from "../../errors.js";
import { Slots } from "../../util/slots.js";
import { AttemptWatch } from "./attempt-watch.js";
import { withoutSecrets } from "./http-uri.js";
import { readBody } from "./read-body.js";
import { defaultRetry, type RetryPolicy, retryAfterOf, TransientError, withRetry } from "./retry.js";
import { messageText, serverMessage } from "./server-message.js";
import {
  type AnswerHeaders,
  type Transport,
  type TransportAnswer,
  type TransportRequest,
  transportOf,
} from "./transport.js";

/**
 * Requests as all remote stores make them: bounded in number, tried again where that may help, ended by the
 * caller's signal, and checked for answers that are shorter or longer than they say.
 */

export interface HttpRequest {
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: Uint8Array | string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Statuses that are answers; others are errors. */
  readonly accept: readonly number[];
  /** For messages; what follows a "?" is left out of them. */
  readonly where: string;
  /** Bytes that a body may have: more is a StorageError before memory is taken. */
  readonly maxBytes?: number | undefined;
  /** "manual": redirects are answers like others (not in browsers). Default "follow". */
  readonly redirect?: "follow" | "manual" | undefined;
  /**
   * Looks at an accepted answer before its body is read. What it throws ends the request, a TransientError has it tried
   * again.
   */
  readonly inspect?: ((status: number, headers: AnswerHeaders) => void) | undefined;
  /** Why an answer cannot be right, so that it is asked for again; undefined: it can. */
  readonly flaw?: ((answer: HttpAnswer) => string | undefined) | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: AnswerHeaders;
  readonly bytes: Uint8Array;
  /** The attempt that brought it, from 1: what a later one complains of may be the work of an earlier one. */
  readonly attempt: number;
}

export interface HttpClientOptions {
  /** In place of what the platform sends requests by. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** Called anew for every attempt. */
  readonly sign?: ((request: HttpRequest) => Promise<HttpRequest>) | undefined;
  readonly retry?: Partial<RetryPolicy> | undefined;
  /** Requests under way at a time; default 16. */
  readonly concurrency?: number | undefined;
}

const DEFAULT_CONCURRENCY = 16;

/** Bytes of an error's body that are read. */
const MAX_ERROR_BYTES = 16 * 1024;

/** Answers that may be different the next time. */
const TRANSIENT: readonly number[] = [408, 425, 429, 500, 502, 503, 504];
const THROTTLED: readonly number[] = [429, 503];

export class HttpClient {
  readonly #transport: Transport;
  readonly #sign: HttpClientOptions["sign"];
  readonly #policy: RetryPolicy;
  readonly #slots: Slots;

  constructor(options: HttpClientOptions = {}) {
    this.#transport = transportOf(options.fetch);
    this.#sign = options.sign;
    this.#policy = { ...defaultRetry, ...options.retry };
    this.#slots = new Slots(options.concurrency ?? DEFAULT_CONCURRENCY);
  }

  /**
   * The answer, whole. Throws StorageError saying what the server said, AbortedError; whatever `sign` and `inspect`
   * throw.
   */
  send(request: HttpRequest): Promise<HttpAnswer> {
    const where = withoutSecrets(request.where);
    return withRetry(this.#policy, where, request.signal, (attempt) =>
      this.#attempt({ ...request, where }, attempt),
    );
  }

  async #attempt(request: HttpRequest, attempt: number): Promise<HttpAnswer> {
    const release = await this.#slots.take(request.signal);
    try {
      const signed = this.#sign === undefined ? request : await this.#sign(request);
      return await this.#exchange(signed, attempt);
    } finally {
      release();
    }
  }

  async #exchange(request: HttpRequest, attempt: number): Promise<HttpAnswer> {
    const watch = new AttemptWatch(request.signal, this.#policy.timeout, bodyBytes(request.body));
    try {
      const response = await watch.wait(this.#transport(sendable(request, watch.signal)));
      if (!request.accept.includes(response.status)) throw await refusal(response, request.where, watch);
      request.inspect?.(response.status, response.headers);
      const bytes = await readBody(response, request, watch);
      const answer = { status: response.status, headers: response.headers, bytes, attempt };
      const flaw = request.flaw?.(answer);
      if (flaw !== undefined) throw new TransientError(flaw);
      return answer;
    } catch (error) {
      throw watch.end(classified(error, request));
    } finally {
      watch.stop();
    }
  }
}

function sendable(
  { method, url, headers, body, redirect, where }: HttpRequest,
  signal: AbortSignal,
): TransportRequest {
  if (!URL.canParse(url)) throw new ArgumentError("this is no URL", { where });
  // Compressed, a body has another length than is said, and a range is one of something else. Browsers keep their own.
  return { method, url, headers: { "accept-encoding": "identity", ...headers }, body, redirect, signal };
}

function bodyBytes(body: HttpRequest["body"]): number {
  return body === undefined ? 0 : typeof body === "string" ? body.length : body.byteLength;
}

/** What to throw for a status that is no answer: a TransientError where it may be another the next time. */
export async function refusal(response: TransportAnswer, where: string, watch: AttemptWatch): Promise<Error> {
  const bytes = await errorBody(response, where, watch);
  const { status, statusText, headers } = response;
  const said = messageText(serverMessage(bytes));
  const line = `the server answered ${status} ${statusText}`.trim();
  const message = said === "" ? line : `${line}, ${said}`;
  if (!TRANSIENT.includes(status)) return new RefusedError(message, { where });
  return new TransientError(message, {
    retryAfter: retryAfterOf(headers),
    isThrottled: THROTTLED.includes(status),
  });
}

/** What does not come whole is no more than a missing explanation. */
async function errorBody(response: TransportAnswer, where: string, watch: AttemptWatch): Promise<Uint8Array> {
  try {
    return await readBody(response, { method: "GET", where, maxBytes: MAX_ERROR_BYTES }, watch);
  } catch {
    return new Uint8Array(0);
  }
}

/** What is no error of ours comes from the transport: a connection that was refused, broken or timed out. */
function classified(error: unknown, request: HttpRequest): unknown {
  if (error instanceof TransientError || isCellarrError(error)) return error;
  return new TransientError(`the connection failed: ${reasonOf(error, request.url)}`, { cause: error });
}

/** "fetch failed" says nothing, its cause does. Addresses may hold signatures, which are secrets. */
export function reasonOf(error: unknown, url: string): string {
  if (!(error instanceof Error)) return String(error);
  const said = messageOf(error.cause) || messageOf(error);
  const query = url.indexOf("?");
  return query < 0 ? said : said.replaceAll(url.slice(query), "");
}

/** A host with several addresses that all fail is an error without words, which has one for each address. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return "";
  if (error.message !== "" || !(error instanceof AggregateError)) return error.message;
  return error.errors.map(messageOf).join("; ");
}
