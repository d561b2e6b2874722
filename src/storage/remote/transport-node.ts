import type { ClientRequest, IncomingMessage, RequestOptions } from "node:http";
import type { Readable } from "node:stream";
import { StorageError } from "../../errors.js";
import { onAbort } from "../../util/on-abort.js";
import { withoutSecrets } from "./http-uri.js";
import { MAX_REDIRECTS, redirected } from "./redirect.js";
import type { AnswerBody, AnswerHeaders, Transport, TransportAnswer, TransportRequest } from "./transport.js";
import { requestSent } from "./while-waiting.js";

/**
 * Requests by node:http and node:https, which load in a fifth of the time that Node's fetch takes. Connections are those of the
 * process's global agents: kept alive for 5 s without holding up its end, as many as are asked for at a time, and with
 * whatever certificates and proxies the program or Node's own settings give these agents.
 */

/** Bytes of a redirect's body up to which it is read, so that its connection can serve again. */
const MAX_SKIPPED = 16 * 1024;

/** As fetch sends them: some servers refuse requests without. */
const DEFAULTS = { accept: "*/*", "user-agent": "node" };

export const nodeTransport: Transport = async (request) => {
  let current = request;
  for (let count = 0; ; count++) {
    const message = await exchange(current);
    const headers = headersOf(message);
    const next = redirected(current, message.statusCode ?? 0, headers);
    if (next === undefined) return answerOf(current, message, headers);
    skip(message);
    if (count === MAX_REDIRECTS) {
      const where = withoutSecrets(request.url);
      throw new StorageError(`the server redirects more than ${MAX_REDIRECTS} times`, { where });
    }
    current = next;
  }
};

/**
 * The head of the answer. A connection that was kept may have been closed by the server as the request was sent: then it
 * is sent again at once, where twice is as good as once. Each time one such connection is gone, so it ends.
 */
async function exchange(request: TransportRequest): Promise<IncomingMessage> {
  const isSecure = new URL(request.url).protocol === "https:";
  const { request: send } = await (isSecure ? httpsModule() : httpModule());
  request.signal.throwIfAborted();
  for (;;) {
    const sent = start(send, request);
    try {
      return await answered(sent);
    } catch (error) {
      const isStale = sent.reusedSocket && isBroken(error) && !request.signal.aborted;
      if (!isStale || !(request.method === "GET" || request.method === "HEAD")) throw error;
    }
  }
}

/** Since Node 22 an import of node:http loads Node's fetch as well, for names that it hands on; asked for so it does not. */
async function httpModule(): Promise<typeof import("node:http")> {
  return process.getBuiltinModule?.("node:http") ?? import("node:http");
}

async function httpsModule(): Promise<typeof import("node:https")> {
  return process.getBuiltinModule?.("node:https") ?? import("node:https");
}

function isBroken(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === "ECONNRESET" || code === "EPIPE";
}

function start(
  send: (options: RequestOptions) => ClientRequest,
  { method, url, headers, body, signal }: TransportRequest,
): ClientRequest {
  const { hostname, port, pathname, search } = new URL(url);
  const sent = send({
    method,
    // Of IPv6 without its brackets.
    hostname: hostname.replace(/^\[(.*)\]$/, "$1"),
    port,
    path: pathname + search,
    headers: { ...DEFAULTS, ...headers, ...bodyHeaders(headers, body) },
  });
  // What comes after the answer's head concerns its body, which tells it by itself.
  sent.on("error", () => {});
  const forget = onAbort(signal, () => sent.destroy(new Error("the request was ended")));
  sent.on("close", forget);
  sent.on("finish", requestSent);
  sent.end(body);
  return sent;
}

function bodyHeaders(
  headers: TransportRequest["headers"],
  body: TransportRequest["body"],
): Record<string, string> {
  if (body === undefined) return {};
  const length = typeof body === "string" ? Buffer.byteLength(body) : body.byteLength;
  const hasType = Object.keys(headers).some((name) => name.toLowerCase() === "content-type");
  return {
    ...(typeof body === "string" && !hasType && { "content-type": "text/plain;charset=UTF-8" }),
    "content-length": String(length),
  };
}

function answered(sent: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    sent.once("response", resolve);
    sent.once("error", reject);
  });
}

function headersOf({ headers }: IncomingMessage): AnswerHeaders {
  return {
    get: (name) => {
      const value = headers[name.toLowerCase()];
      return (Array.isArray(value) ? value.join(", ") : value) ?? null;
    },
  };
}

async function answerOf(
  { method }: TransportRequest,
  message: IncomingMessage,
  headers: AnswerHeaders,
): Promise<TransportAnswer> {
  const status = message.statusCode ?? 0;
  const answer = { status, statusText: message.statusMessage ?? "", headers, isCors: false };
  if (method === "HEAD" || [101, 204, 205, 304].includes(status)) {
    message.resume();
    return { ...answer, body: null };
  }
  const codings = (headers.get("content-encoding") ?? "identity").toLowerCase();
  if (codings === "identity") return { ...answer, body: piecesOf(message) };
  const { decoded } = await import("./decoded-node.js");
  return { ...answer, body: piecesOf(decoded(message, codings)) };
}

/** The pieces of a stream. It may fail before the first one is asked for: that is told then. */
function piecesOf(stream: Readable): AnswerBody {
  const pieces: AsyncIterator<Uint8Array, undefined> = stream[Symbol.asyncIterator]();
  return { read: async () => (await pieces.next()).value };
}

function skip(message: IncomingMessage): void {
  const length = Number(message.headers["content-length"] ?? Number.POSITIVE_INFINITY);
  if (length <= MAX_SKIPPED) message.resume();
  else message.destroy();
}
