import type { Handler } from "./handler.js";

/**
 * A handler as a listener of node:http, for `createServer(nodeListener(handler))`. It knows Node's requests and responses
 * by their members alone and imports nothing of Node.
 */

/** Of node:http's IncomingMessage. */
export interface NodeRequest extends AsyncIterable<Uint8Array> {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** Of node:http's ServerResponse. */
export interface NodeResponse {
  readonly writableFinished: boolean;
  readonly destroyed: boolean;
  writeHead(status: number, headers: Record<string, string>): unknown;
  write(chunk: Uint8Array): boolean;
  end(chunk?: Uint8Array): unknown;
  destroy(): unknown;
  once(event: "close" | "drain", listener: () => void): unknown;
  off(event: "close" | "drain", listener: () => void): unknown;
}

export function nodeListener(handler: Handler): (request: NodeRequest, response: NodeResponse) => void {
  return (request, response) => {
    const ended = new AbortController();
    response.once("close", () => {
      if (!response.writableFinished) ended.abort();
    });
    answer(handler, request, response, ended.signal).catch(() => response.destroy());
  };
}

async function answer(
  handler: Handler,
  incoming: NodeRequest,
  outgoing: NodeResponse,
  signal: AbortSignal,
): Promise<void> {
  const request = webRequest(incoming, signal);
  if (request === null) {
    outgoing.writeHead(400, { "content-length": "0" });
    outgoing.end();
    return;
  }
  const response = await handler(request);
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  if (response.body === null) outgoing.end();
  else await pipe(response.body, outgoing);
}

/** Null of what is no request for a path. */
function webRequest(incoming: NodeRequest, signal: AbortSignal): Request | null {
  const { method = "GET", url = "/" } = incoming;
  const path = url.startsWith("/") ? url : url.replace(/^https?:\/\/[^/]*/, "");
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers)) {
    for (const one of typeof value === "string" ? [value] : (value ?? [])) headers.append(name, one);
  }
  const hasBody = method !== "GET" && method !== "HEAD";
  const init = { method, headers, signal, ...(hasBody ? { body: bodyOf(incoming), duplex: "half" } : {}) };
  try {
    return new Request(`http://localhost${path}`, init);
  } catch {
    return null;
  }
}

function bodyOf(incoming: NodeRequest): ReadableStream<Uint8Array> {
  const parts = incoming[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const part = await parts.next();
      if (part.done === true) controller.close();
      else controller.enqueue(part.value);
    },
    async cancel() {
      await parts.return?.();
    },
  });
}

/** As fast as it is read; an answer that breaks off breaks the connection. */
async function pipe(body: ReadableStream<Uint8Array>, outgoing: NodeResponse): Promise<void> {
  const reader = body.getReader();
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      if (outgoing.destroyed) break;
      if (!outgoing.write(part.value)) await drained(outgoing);
    }
    outgoing.end();
  } finally {
    await reader.cancel().catch(() => {});
  }
}

function drained(outgoing: NodeResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      outgoing.off("drain", done);
      outgoing.off("close", done);
      resolve();
    };
    outgoing.once("drain", done);
    outgoing.once("close", done);
    if (outgoing.destroyed) done();
  });
}
