import { CellArrDataset } from "../cellarr/dataset.js";
import { ArgumentError, throwIfAborted } from "../errors.js";
import { type Answer, textAnswer } from "./answer.js";
import { makeBody } from "./body.js";
import { corsHeaders, preflightHeaders } from "./cors.js";
import { matchesTag, tagOf } from "./etag.js";
import { chooseFormat, contentTypes } from "./formats.js";
import { KeptStore, type OpenStore } from "./kept-store.js";
import { openApi } from "./openapi.js";
import { type CheckedOptions, checkOptions, type HandlerOptions, type StoreSource } from "./options.js";
import { Parameters } from "./parameters.js";
import { HttpError, OpenError, problemAnswer, statusOf } from "./problem.js";
import { requestText } from "./request-body.js";
import type { Route } from "./route.js";
import { findTarget, type Target } from "./routes.js";

/** Stores over HTTP, by the Fetch standard's requests and responses. */

export type Handler = (request: Request) => Promise<Response>;

/** A store, whose name in paths is "store", or several by their names. */
export type Stores = StoreSource | Readonly<Record<string, StoreSource>>;

/**
 * A function that answers requests about stores: what they hold, metadata, slices; docs/server.md has the routes. It never
 * rejects: what goes wrong is an answer of type application/problem+json. Stores are opened at the first
 * request. Throws ArgumentError for options that make no sense.
 */
export function createHandler(stores: Stores, options: HandlerOptions = {}): Handler {
  const service = new Service(namedStores(stores), checkOptions(options));
  return (request) => service.respond(request);
}

function namedStores(stores: Stores): ReadonlyMap<string, StoreSource> {
  if (isSource(stores)) return new Map([["store", stores]]);
  const named = new Map(Object.entries(stores));
  if (named.has("")) throw new ArgumentError("a store's name is empty");
  return named;
}

function isSource(stores: Stores): stores is StoreSource {
  if (typeof stores === "string" || stores instanceof CellArrDataset) return true;
  if (typeof stores !== "object" || stores === null) {
    throw new ArgumentError(
      "no store is given, expected a path, a URL, { store, path }, or an object of these",
    );
  }
  const { store, path } = stores as { readonly store?: unknown; readonly path?: unknown };
  return typeof path === "string" && typeof store === "object" && store !== null && "getRange" in store;
}

class Service {
  readonly #stores: ReadonlyMap<string, KeptStore>;
  readonly #options: CheckedOptions;

  constructor(stores: ReadonlyMap<string, StoreSource>, options: CheckedOptions) {
    this.#options = options;
    this.#stores = new Map([...stores].map(([name, source]) => [name, new KeptStore(source, options)]));
  }

  async respond(request: Request): Promise<Response> {
    const ended = new AbortController();
    const end = () => ended.abort(request.signal.reason);
    if (request.signal.aborted) end();
    else request.signal.addEventListener("abort", end, { once: true });
    let answer: Answer;
    try {
      answer = await this.#answer(request, ended);
    } catch (error) {
      if (statusOf(error) >= 500) this.#options.onError(error, request);
      answer = problemAnswer(error);
    }
    const body = request.method === "HEAD" ? null : answer.body;
    const headers = new Headers(answer.headers);
    headers.set("x-content-type-options", "nosniff");
    for (const [name, value] of Object.entries(corsHeaders(request, this.#options.cors))) {
      headers.append(name, value);
    }
    // A copy: the types know of bytes in shared memory, which these are not.
    const sent = body instanceof Uint8Array ? new Uint8Array(body) : body;
    return new Response(sent, { status: answer.status, headers });
  }

  async #answer(request: Request, ended: AbortController): Promise<Answer> {
    throwIfAborted(ended.signal);
    const url = new URL(request.url);
    const target = findTarget(url.pathname, this.#options.basePath);
    if (request.method === "OPTIONS") return this.#optionsAnswer(request, target.methods);
    if (!target.methods.includes(request.method)) {
      const allow = [...target.methods, "OPTIONS"].join(", ");
      throw new HttpError(405, `${request.method} is not among ${allow}`, { allow });
    }
    if (target.kind !== "route") {
      return this.#jsonAnswer(target.kind === "stores" ? this.#list() : openApi(this.#options.basePath));
    }
    return this.#storeAnswer(target, request, url.searchParams, ended);
  }

  #optionsAnswer(request: Request, methods: readonly string[]): Answer {
    const allow = [...methods, "OPTIONS"].join(", ");
    const preflight = this.#options.cors.length === 0 ? {} : preflightHeaders(request, allow);
    return { status: 204, headers: { allow, ...preflight }, body: null };
  }

  #jsonAnswer(value: unknown): Answer {
    const headers = { "cache-control": this.#options.cacheControl };
    return textAnswer(200, contentTypes.json, `${JSON.stringify(value)}\n`, headers);
  }

  #list() {
    const { basePath } = this.#options;
    const entry = (name: string) => ({ name, path: `${basePath}/stores/${encodeURIComponent(name)}` });
    return { stores: [...this.#stores.keys()].map(entry) };
  }

  async #storeAnswer(
    { store: name, route }: Extract<Target, { kind: "route" }>,
    request: Request,
    search: URLSearchParams,
    ended: AbortController,
  ): Promise<Answer> {
    const kept = this.#stores.get(name);
    if (kept === undefined) throw new HttpError(404, `no store '${name}'`);
    const isPost = request.method === "POST";
    const known = [...route.parameters, "format"];
    const parameters = isPost
      ? Parameters.ofJson(await requestText(request, this.#options.limits.requestBytes), known)
      : Parameters.ofQuery(search, known);
    const store = await kept.current(ended.signal);
    const asked = { name, route, request, parameters, query: isPost ? null : search, ended };
    try {
      return await this.#answerFrom(store, asked);
    } catch (error) {
      // A vacuum may have taken files from under a store that was opened before.
      if (statusOf(error) < 500 || error instanceof OpenError) throw error;
      const changed = await kept.changed(store, ended.signal).catch(() => null);
      if (changed === null) throw error;
      return this.#answerFrom(changed, asked);
    }
  }

  async #answerFrom({ dataset, hash }: OpenStore, asked: Asked): Promise<Answer> {
    const { name, route, request, parameters, query, ended } = asked;
    const { limits, cacheControl, onError } = this.#options;
    const { signal } = ended;
    const format = chooseFormat(parameters.text("format"), request.headers.get("accept"), route.formats);
    const isGet = query !== null;
    const etag = tagOf(hash, format);
    const caching = isGet ? { etag, "cache-control": cacheControl } : { "cache-control": "no-store" };
    const common = { ...caching, ...(route.formats.length > 1 ? { vary: "Accept" } : {}) };
    if (isGet && matchesTag(request.headers.get("if-none-match"), etag)) {
      return { status: 304, headers: common, body: null };
    }
    const prepared = await route.prepare({ name, dataset, parameters, format, limits, signal, query });
    const headers = { ...common, ...prepared.headers, "content-type": contentTypes[format] };
    if (request.method === "HEAD") return { status: 200, headers, body: null };
    const body = await makeBody(prepared.produce, {
      maxBytes: limits.bytes,
      signal,
      cancel: (reason) => ended.abort(reason),
      onBroken: (error) => {
        if (statusOf(error) >= 500) onError(error, request);
      },
    });
    if (!(body instanceof Uint8Array)) return { status: 200, headers, body };
    return { status: 200, headers: { ...headers, "content-length": `${body.byteLength}` }, body };
  }
}

interface Asked {
  readonly name: string;
  readonly route: Route;
  readonly request: Request;
  readonly parameters: Parameters;
  readonly query: URLSearchParams | null;
  readonly ended: AbortController;
}
