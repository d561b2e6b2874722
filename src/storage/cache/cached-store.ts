import { throwIfAborted } from "../../errors.js";
import type {
  ByteRange,
  ReadableStore,
  ReadOptions,
  StoreEntry,
  StoreOptions,
  ValueVersion,
} from "../types.js";
import type { ByteCache } from "./byte-cache.js";
import type { LaterCache } from "./later-cache.js";
import { SharedRequests } from "./shared-requests.js";

/** A store whose answers are kept: of those values only that cannot change under their name. */

export interface CacheOptions {
  readonly cache: ByteCache;
  /** A slower and larger one behind it. */
  readonly later?: LaterCache | undefined;
  /** Size of a value and what tells it from others of its name; undefined of those that are always asked for anew. */
  readonly versionOf: (key: string) => ValueVersion | undefined;
}

type Bytes = Uint8Array | undefined;

/** Requests under way, of all stores: what two datasets ask for at the same time is asked for once. */
const requests = new SharedRequests<Bytes>();

export class CachedStore implements ReadableStore {
  readonly uri: string;
  readonly isRemote?: boolean;
  readonly coalesceGap?: number;
  readonly #store: ReadableStore;
  readonly #options: CacheOptions;

  constructor(store: ReadableStore, options: CacheOptions) {
    this.uri = store.uri;
    if (store.isRemote !== undefined) this.isRemote = store.isRemote;
    if (store.coalesceGap !== undefined) this.coalesceGap = store.coalesceGap;
    this.#store = store;
    this.#options = options;
  }

  async get(key: string, options?: ReadOptions): Promise<Bytes> {
    const version = this.#options.versionOf(key);
    if (version === undefined) return this.#store.get(key, options);
    const range = { start: 0, end: version.size };
    const begin = (signal: AbortSignal) => this.#store.get(key, { ...options, signal });
    return this.#ask(key, version, range, begin, options?.signal);
  }

  async getRange(key: string, range: ByteRange, options?: ReadOptions): Promise<Bytes> {
    const version = this.#options.versionOf(key);
    if (version === undefined) return this.#store.getRange(key, range, options);
    const begin = (signal: AbortSignal) => this.#store.getRange(key, range, { ...options, signal });
    return this.#ask(key, version, range, begin, options?.signal);
  }

  list(prefix: string, options?: StoreOptions & { recursive?: boolean }): Promise<StoreEntry[]> {
    return this.#store.list(prefix, options);
  }

  async #ask(
    key: string,
    { size, etag }: ValueVersion,
    { start, end }: ByteRange,
    begin: (signal: AbortSignal) => Promise<Bytes>,
    signal: AbortSignal | undefined,
  ): Promise<Bytes> {
    throwIfAborted(signal);
    const id = `${this.uri}\n${key}\n${size}\n${etag ?? ""}`;
    const { cache, later } = this.#options;
    const kept = cache.get(id, start, end);
    if (kept !== undefined) return kept;
    const fetch = async (own: AbortSignal) => {
      const bytes = await later?.get(id, start, end);
      if (bytes?.byteLength === end - start) return keep(bytes);
      const answer = await begin(own);
      // Another size than was listed: whoever asked says so.
      if (answer?.byteLength !== end - start) return answer;
      if (later !== undefined) later.put(id, start, answer).catch(() => {});
      return keep(answer);
    };
    const keep = (bytes: Uint8Array): Uint8Array => {
      cache.put(id, start, bytes);
      return bytes;
    };
    const shared = await requests.ask(id, start, end, fetch, signal);
    return shared.answer?.subarray(start - shared.start, end - shared.start);
  }
}
