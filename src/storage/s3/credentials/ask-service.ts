import { isCellarrError, StorageError } from "../../../errors.js";
import { AttemptWatch } from "../../remote/attempt-watch.js";
import { withoutSecrets } from "../../remote/http-uri.js";
import { readBody } from "../../remote/read-body.js";
import { transportOf } from "../../remote/transport.js";

/** Requests to services that give credentials: small answers, soon, or not at all. */

/** In place of what requests are made by otherwise. */
export type ServiceFetch = typeof globalThis.fetch | undefined;

export interface ServiceRequest {
  readonly url: string;
  readonly method?: "GET" | "PUT" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Milliseconds without a single byte after which the request is given up. */
  readonly timeout?: number;
  readonly attempts?: number;
}

export class ServiceError extends StorageError {
  /** The HTTP status, or undefined where there was no answer. */
  readonly status: number | undefined;
  /** What the service answered. */
  readonly answer: string;

  constructor(problem: string, where: string, status?: number, answer = "", cause?: unknown) {
    super(problem, { where, cause });
    this.status = status;
    this.answer = answer;
  }
}

/** Answers are far shorter. */
const MAX_ANSWER = 1 << 20;

/** The text that the service answers with status 200; broken connections and 5xx are tried again. */
export async function askService(fetch: ServiceFetch, request: ServiceRequest): Promise<string> {
  const attempts = request.attempts ?? 3;
  for (let attempt = 1; ; attempt++) {
    try {
      return await askOnce(fetch, request);
    } catch (error) {
      const isPassing = error instanceof ServiceError && (error.status ?? 500) >= 500;
      if (!isPassing || attempt === attempts) throw error;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 100 * 2 ** attempt));
    }
  }
}

async function askOnce(fetch: ServiceFetch, request: ServiceRequest): Promise<string> {
  const { url, method = "GET", headers = {}, body, timeout = 5000 } = request;
  // Its query may hold a token.
  const where = withoutSecrets(url);
  const watch = new AttemptWatch(undefined, timeout, 0);
  let status: number;
  let text: string;
  try {
    const sent = { method, url, headers, body, redirect: "error", signal: watch.signal } as const;
    const answer = await watch.wait(transportOf(fetch)(sent));
    status = answer.status;
    text = new TextDecoder().decode(await readBody(answer, { method, where, maxBytes: MAX_ANSWER }, watch));
  } catch (error) {
    const reason = watch.end(error);
    if (isCellarrError(reason)) throw reason;
    throw new ServiceError("the credential service does not answer", where, undefined, "", reason);
  } finally {
    watch.stop();
  }
  if (status !== 200)
    throw new ServiceError(`the credential service answered ${status}`, where, status, text);
  return text;
}
