import { StorageError } from "../../../errors.js";

/** Requests to services that give credentials: small answers, soon, or not at all. */

export type ServiceFetch = typeof globalThis.fetch;

export interface ServiceRequest {
  readonly url: string;
  readonly method?: "GET" | "PUT" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Milliseconds until the request is given up. */
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
  // Its query may hold a token.
  const where = request.url.split("?")[0]!;
  let status: number;
  let text: string;
  try {
    const response = await fetch(request.url, {
      method: request.method ?? "GET",
      headers: { ...request.headers },
      signal: AbortSignal.timeout(request.timeout ?? 5000),
      redirect: "error",
      ...(request.body === undefined ? {} : { body: request.body }),
    });
    status = response.status;
    text = await response.text();
  } catch (error) {
    throw new ServiceError("the credential service does not answer", where, undefined, "", error);
  }
  if (status !== 200)
    throw new ServiceError(`the credential service answered ${status}`, where, status, text);
  if (text.length > MAX_ANSWER)
    throw new StorageError("the credential service's answer is too long", { where });
  return text;
}
