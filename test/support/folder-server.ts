import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, sep } from "node:path";

/**
 * Folders over HTTP: files with ranges, and for `?list=PREFIX` what lies below a prefix, as a store lists it. No more
 * than that: conditional requests, suffix ranges and several ranges have their tests with real servers.
 */

export interface FolderServer {
  readonly url: string;
  /** Method and path of each request, with its range. */
  readonly log: readonly string[];
  close(): Promise<void>;
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

/**
 * @param mounts folders by their names, each served below `/NAME/`
 * @param headers further ones of every answer
 */
export async function serveFolders(
  mounts: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<FolderServer> {
  const log: string[] = [];
  const server = createServer((request, response) => {
    log.push(`${request.method} ${request.url} ${request.headers.range ?? ""}`.trimEnd());
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    answer(mounts, request, response).catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    log,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  mounts: Readonly<Record<string, string>>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://server");
  const [name, ...parts] = pathname.slice(1).split("/").map(decodeURIComponent);
  const folder = mounts[name ?? ""];
  if (folder === undefined || parts.includes("..")) {
    response.writeHead(404).end();
    return;
  }
  const prefix = searchParams.get("list");
  if (prefix !== null) {
    const entries = await list(folder, prefix, searchParams.get("recursive") !== "false");
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(entries));
    return;
  }
  await sendFile(join(folder, ...parts), request, response);
}

async function sendFile(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const size = await fileSize(path);
  if (size === null) {
    response.writeHead(404).end();
    return;
  }
  const headers = {
    "content-type": TYPES[extname(path)] ?? "application/octet-stream",
    "accept-ranges": "bytes",
  };
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
  const start = range === null ? 0 : Number(range[1]);
  const end = range === null ? size : Math.min(size, Number(range[2]) + 1);
  if (range !== null && start >= size) {
    response.writeHead(416, { "content-range": `bytes */${size}` }).end();
    return;
  }
  const part = range === null ? {} : { "content-range": `bytes ${start}-${end - 1}/${size}` };
  response.writeHead(range === null ? 200 : 206, { ...headers, ...part, "content-length": end - start });
  if (request.method === "HEAD" || start === end) response.end();
  else createReadStream(path, { start, end: end - 1 }).pipe(response);
}

async function fileSize(path: string): Promise<number | null> {
  try {
    const info = await stat(path);
    return info.isFile() ? info.size : null;
  } catch {
    return null;
  }
}

interface Entry {
  readonly key: string;
  readonly size?: number;
}

async function list(folder: string, prefix: string, recursive: boolean): Promise<Entry[]> {
  const top = join(folder, prefix);
  const found = await readdir(top, { recursive, withFileTypes: true }).catch(() => []);
  const entries = await Promise.all(
    found.map(async (entry): Promise<Entry | null> => {
      const path = join(entry.parentPath, entry.name);
      const key = path.slice(folder.length + 1).replaceAll(sep, "/");
      if (entry.isFile()) return { key, size: (await stat(path)).size };
      return recursive ? null : { key };
    }),
  );
  const files = entries.filter((entry) => entry !== null);
  return files.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}
