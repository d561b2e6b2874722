import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { ReadableStore } from "../../src/storage/types.js";

/** A web server on this machine that serves the files of a store as static hosting does. */

export interface FileServerOptions {
  /** False: ranges are not known, each answer is a whole file. Default true. */
  readonly ranges?: boolean;
  /** False: answers have no ETag. Default true. */
  readonly etags?: boolean;
  /** Looks at each request first; true: it has answered. */
  readonly intercept?: (request: IncomingMessage, response: ServerResponse) => boolean;
}

export interface FileServer {
  /** `http://127.0.0.1:PORT`, without a slash. */
  readonly url: string;
  /** Requests as they came: "GET /a%20b?x=1". */
  readonly requests: string[];
  /** Headers of the last request. */
  lastHeaders(): Readonly<Record<string, string | string[] | undefined>>;
  close(): Promise<void>;
}

export async function startFileServer(
  store: ReadableStore,
  options: FileServerOptions = {},
): Promise<FileServer> {
  const requests: string[] = [];
  let last: IncomingMessage["headers"] = {};
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    last = request.headers;
    if (options.intercept?.(request, response)) return;
    serve(store, options, request, response).catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    lastHeaders: () => last,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function serve(
  store: ReadableStore,
  { ranges = true, etags = true }: FileServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [path = ""] = (request.url ?? "").split("?");
  const key = path.split("/").slice(1).map(decodeURIComponent).join("/");
  const bytes = key === "" ? undefined : await store.get(key);
  if (bytes === undefined) {
    response.writeHead(404, { "content-type": "text/html" }).end("<h1>not found</h1>");
    return;
  }
  if (etags) response.setHeader("etag", `"${createHash("sha1").update(bytes).digest("hex")}"`);
  const range = ranges ? /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? "") : null;
  if (range === null) return respond(request, response, 200, bytes);
  const [first = "", last = ""] = range.slice(1);
  const start = first === "" ? Math.max(0, bytes.byteLength - Number(last)) : Number(first);
  const end = first === "" || last === "" ? bytes.byteLength : Math.min(Number(last) + 1, bytes.byteLength);
  if (start >= bytes.byteLength) {
    response.writeHead(416, { "content-range": `bytes */${bytes.byteLength}` }).end();
    return;
  }
  response.setHeader("content-range", `bytes ${start}-${end - 1}/${bytes.byteLength}`);
  respond(request, response, 206, bytes.subarray(start, end));
}

function respond(request: IncomingMessage, response: ServerResponse, status: number, body: Uint8Array): void {
  response.writeHead(status, { "content-length": String(body.byteLength) });
  response.end(request.method === "HEAD" ? undefined : body);
}
