import { type ErrorCode, isCellarrError, LimitError } from "../errors.js";
import { type Answer, textAnswer } from "./answer.js";

/**
 * Errors as answers (RFC 9457): `application/problem+json` with type, title, status and detail; `code` is that of the
 * package's error, `limit` says which limit and what it is. Of errors that are not the request's fault nothing is told but
 * the status: their messages name places.
 */

const titles: Readonly<Record<number, string>> = {
  400: "Bad Request",
  404: "Not Found",
  405: "Method Not Allowed",
  406: "Not Acceptable",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  499: "Client Closed Request",
  500: "Internal Server Error",
  501: "Not Implemented",
  503: "Service Unavailable",
};

const statusOfCode: Readonly<Partial<Record<ErrorCode, number>>> = {
  ARGUMENT: 400,
  VALUE: 400,
  RANGE: 400,
  NOT_FOUND: 404,
  LIMIT: 413,
  UNSUPPORTED: 501,
  STORAGE: 503,
  ABORTED: 499,
};

/** What the answer to a fault of ours says. */
const silent: Readonly<Record<number, string>> = {
  499: "the request was aborted",
  500: "the answer could not be made",
  501: "the store holds something that cannot be read",
  503: "the store cannot be read now",
};

/** An answer that is no error of the package's: no such route, wrong method, ... */
export class HttpError extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = "HttpError";
    this.status = status;
    this.headers = headers;
  }
}

/** A request beyond one of the handler's limits. */
export class RequestLimitError extends LimitError {
  readonly limit: { readonly name: string; readonly most: number };

  constructor(name: string, most: number, message: string) {
    super(message);
    this.limit = { name, most };
  }
}

/** A store could not be opened, for whatever reason. */
export class OpenError extends Error {
  constructor(cause: unknown) {
    super("the store cannot be opened", { cause });
    this.name = "OpenError";
  }
}

export function statusOf(error: unknown): number {
  if (error instanceof HttpError) return error.status;
  if (error instanceof OpenError) return 503;
  return (isCellarrError(error) ? statusOfCode[error.code] : undefined) ?? 500;
}

export function problemAnswer(error: unknown): Answer {
  const status = statusOf(error);
  const problem = {
    type: "about:blank",
    title: titles[status] ?? "Error",
    status,
    detail: detailOf(error, status),
    ...(isCellarrError(error) && status < 500 ? { code: error.code } : {}),
    ...(error instanceof RequestLimitError ? { limit: error.limit } : {}),
  };
  const headers = error instanceof HttpError ? error.headers : {};
  return textAnswer(status, "application/problem+json", `${JSON.stringify(problem)}\n`, {
    ...headers,
    "cache-control": "no-store",
  });
}

function detailOf(error: unknown, status: number): string {
  if (error instanceof HttpError) return error.message;
  const told = silent[status];
  if (told !== undefined) return told;
  return isCellarrError(error) ? error.problem : silent[500]!;
}
