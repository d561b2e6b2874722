import { StorageError } from "../../src/errors.js";
import type { ByteRange, ReadableStore, StoreWriter, WritableStore } from "../../src/storage/types.js";

/** Calls and bytes that went through a `withCounting` store. */
export interface StoreCounts {
  lists: number;
  gets: number;
  writes: number;
  deletes: number;
  /** Bytes that gets returned. */
  bytesRead: number;
  /** Bytes that puts and writers took. */
  bytesWritten: number;
  /** Every get in order, for tests that assert what was fetched. */
  readonly fetches: { key: string; start: number; end: number }[];
}

export type CountingStore<S> = S & { readonly counts: StoreCounts; resetCounts(): void };

function freshCounts(): StoreCounts {
  return { lists: 0, gets: 0, writes: 0, deletes: 0, bytesRead: 0, bytesWritten: 0, fetches: [] };
}

/** The same store; `counts` tells what was asked of it since the last `resetCounts`. */
export function withCounting(store: WritableStore): CountingStore<WritableStore> {
  let counts = freshCounts();
  const read = (key: string, start: number, bytes: Uint8Array | undefined) => {
    counts.gets++;
    counts.bytesRead += bytes?.byteLength ?? 0;
    counts.fetches.push({ key, start, end: start + (bytes?.byteLength ?? 0) });
    return bytes;
  };
  return {
    uri: store.uri,
    get counts() {
      return counts;
    },
    resetCounts() {
      counts = freshCounts();
    },
    async get(key, options) {
      return read(key, 0, await store.get(key, options));
    },
    async getRange(key, range: ByteRange, options) {
      return read(key, range.start, await store.getRange(key, range, options));
    },
    async list(prefix, options) {
      counts.lists++;
      return store.list(prefix, options);
    },
    async put(key, bytes, options) {
      counts.writes++;
      counts.bytesWritten += bytes.byteLength;
      return store.put(key, bytes, options);
    },
    async writer(key, options) {
      counts.writes++;
      const inner = await store.writer(key, options);
      return {
        write: (bytes) => {
          counts.bytesWritten += bytes.byteLength;
          return inner.write(bytes);
        },
        close: () => inner.close(),
        abort: () => inner.abort(),
      };
    },
    async delete(key, options) {
      counts.deletes++;
      return store.delete(key, options);
    },
    async deletePrefix(prefix, options) {
      counts.deletes++;
      return store.deletePrefix(prefix, options);
    },
    ...(store.rename && { rename: store.rename.bind(store) }),
    makeFolder: (prefix, options) => store.makeFolder(prefix, options),
  };
}

/**
 * The same store, which works for `n` operations and then fails every one with a StorageError, as a lost disk does.
 * Each call, and each write and close of a writer, is an operation; abort still reaches the store below.
 */
export function withFailureAfter(store: WritableStore, n: number): WritableStore {
  let left = n;
  const step = (what: string) => {
    if (left <= 0) throw new StorageError(`injected failure at ${what}`, { where: store.uri });
    left--;
  };
  const failing = (inner: StoreWriter, key: string): StoreWriter => ({
    async write(bytes) {
      step(`write ${key}`);
      await inner.write(bytes);
    },
    async close() {
      step(`close ${key}`);
      await inner.close();
    },
    abort: () => inner.abort(),
  });
  const rename: WritableStore["rename"] = async (from, to, options) => {
    step(`rename ${from}`);
    await store.rename?.(from, to, options);
  };
  return {
    uri: store.uri,
    ...(store.rename && { rename }),
    async get(key, options) {
      step(`get ${key}`);
      return store.get(key, options);
    },
    async getRange(key, range, options) {
      step(`getRange ${key}`);
      return store.getRange(key, range, options);
    },
    async list(prefix, options) {
      step(`list ${prefix}`);
      return store.list(prefix, options);
    },
    async put(key, bytes, options) {
      step(`put ${key}`);
      return store.put(key, bytes, options);
    },
    async writer(key, options) {
      step(`writer ${key}`);
      return failing(await store.writer(key, options), key);
    },
    async delete(key, options) {
      step(`delete ${key}`);
      return store.delete(key, options);
    },
    async deletePrefix(prefix, options) {
      step(`deletePrefix ${prefix}`);
      return store.deletePrefix(prefix, options);
    },
    async makeFolder(prefix, options) {
      step(`makeFolder ${prefix}`);
      return store.makeFolder(prefix, options);
    },
  };
}

/** A store that only reads: what a remote server gives. */
export function readOnly(store: ReadableStore): ReadableStore {
  return {
    uri: store.uri,
    get: (key, options) => store.get(key, options),
    getRange: (key, range, options) => store.getRange(key, range, options),
    list: (prefix, options) => store.list(prefix, options),
  };
}

/** The same store as one that cannot move folders, such as a bucket. */
export function withoutRename(store: WritableStore): WritableStore {
  return {
    ...readOnly(store),
    put: (key, bytes, options) => store.put(key, bytes, options),
    writer: (key, options) => store.writer(key, options),
    delete: (key, options) => store.delete(key, options),
    deletePrefix: (prefix, options) => store.deletePrefix(prefix, options),
    makeFolder: (prefix, options) => store.makeFolder(prefix, options),
  };
}
