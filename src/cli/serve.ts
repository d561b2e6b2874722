import "../node-platform.js";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { StorageError } from "../errors.js";
import { createHandler } from "../server/handler.js";
import { nodeListener } from "../server/node-listener.js";
import type { Limits } from "../server/options.js";
import type { CommandContext } from "./context.js";
import { isUri, openStore } from "./open-store.js";
import { parseCount } from "./parse.js";
import { UsageError } from "./usage.js";

/** `cellarr serve`: stores over HTTP until the user interrupts. */

export interface ServeOptions {
  readonly port: string;
  readonly host: string;
  readonly cors: readonly string[];
  readonly cacheControl?: string;
  readonly refresh: string;
  readonly maxValues?: string;
  readonly maxRows?: string;
  readonly maxBytes?: string;
}

export async function runServe(
  given: readonly string[],
  options: ServeOptions,
  context: CommandContext,
): Promise<void> {
  const port = parseCount(options.port, "--port");
  if (port > 65_535) throw new UsageError(`--port ${port}: expected 0 to 65535`);
  const refreshMs = 1000 * parseCount(options.refresh, "--refresh");
  const limits = chosenLimits(options);
  const stores = namedStores(given);
  // What is no store is said now rather than to whoever asks first.
  for (const place of Object.values(stores)) await openStore(place, context);
  const handler = createHandler(stores, {
    limits,
    refreshMs,
    cors: options.cors.includes("*") ? "*" : options.cors,
    cacheControl: options.cacheControl,
    open: { storage: context.storage },
    onError: (error, request) => process.stderr.write(`cellarr: ${request.url}: ${reason(error)}\n`),
  });
  const server = createServer(nodeListener(handler));
  await listening(server, port, options.host);
  process.stdout.write(`${urlOf(server, options.host)}\n`);
  await interrupted(context.signal);
  await closed(server);
}

/** `NAME=STORE`, or a store whose last folder is its name. */
function namedStores(given: readonly string[]): Record<string, string> {
  const stores = new Map<string, string>();
  for (const text of given) {
    const named = /^([\w.-]+)=(.+)$/.exec(text);
    const place = named?.[2] ?? text;
    const name = named?.[1] ?? lastFolder(place);
    if (name === "" || name === "." || name === "..") {
      throw new UsageError(`${text}: the store needs a name: NAME=${text}`);
    }
    if (stores.has(name)) throw new UsageError(`two stores are called ${name}: write NAME=STORE`);
    stores.set(name, place);
  }
  return Object.fromEntries(stores);
}

function lastFolder(place: string): string {
  // What follows the path of a URL may be a secret, and so may what stands before its host.
  const path = isUri(place) ? place.replace(/[?#].*$/s, "").replace(/^([^/]*:\/\/)[^/]*@/, "$1") : place;
  return path
    .replace(/[/\\]+$/, "")
    .split(/[/\\]/)
    .at(-1)!;
}

function chosenLimits({ maxValues, maxRows, maxBytes }: ServeOptions): Partial<Limits> {
  return {
    ...(maxValues === undefined ? {} : { values: parseCount(maxValues, "--max-values", 1) }),
    ...(maxRows === undefined ? {} : { rows: parseCount(maxRows, "--max-rows", 1) }),
    ...(maxBytes === undefined ? {} : { bytes: parseCount(maxBytes, "--max-bytes", 1) }),
  };
}

function listening(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (cause: Error) =>
      reject(new StorageError(`cannot listen: ${cause.message}`, { where: `${host}:${port}`, cause }));
    server.once("error", failed);
    server.listen(port, host, () => {
      server.off("error", failed);
      resolve();
    });
  });
}

function urlOf(server: Server, host: string): string {
  const { port } = server.address() as AddressInfo;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}/`;
}

function interrupted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** Milliseconds that answers under way have to end. */
const GRACE = 1000;

async function closed(server: Server): Promise<void> {
  const timer = setTimeout(() => server.closeAllConnections(), GRACE);
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
  clearTimeout(timer);
}

function reason(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const told = cause instanceof Error ? cause : error;
  return (told instanceof Error ? told.message : String(told)).replace(/\s*\n\s*/g, " ");
}
