import { StorageError, throwIfAborted } from "../errors.js";
import { concatBytes } from "../util/typed-arrays.js";
import { checkKey, checkPrefix, isBelow } from "./key.js";
import type { ByteRange, StoreEntry, StoreOptions, StoreWriter, ValueTail, WritableStore } from "./types.js";

/**
 * A store in memory: for tests, for browsers, for arrays made on the fly. What `get` returns is the store's own memory
 * and must not be changed; what `put` receives is copied.
 */
export class MemoryStore implements WritableStore {
  readonly uri: string;
  readonly #values = new Map<string, Uint8Array>();

  constructor(uri = "mem://store") {
    this.uri = uri;
  }

  async get(key: string, options?: StoreOptions): Promise<Uint8Array | undefined> {
    throwIfAborted(options?.signal);
    return this.#values.get(checkKey(key, this.uri));
  }

  async getRange(key: string, range: ByteRange, options?: StoreOptions): Promise<Uint8Array | undefined> {
    const bytes = await this.get(key, options);
    if (bytes === undefined) return undefined;
    checkRange(range, bytes.byteLength, `${this.uri}/${key}`);
    return bytes.subarray(range.start, range.end);
  }

  async getTail(key: string, length: number, options?: StoreOptions): Promise<ValueTail | undefined> {
    const bytes = await this.get(key, options);
    return bytes && { bytes: bytes.subarray(Math.max(0, bytes.byteLength - length)), size: bytes.byteLength };
  }

  async list(prefix: string, options?: StoreOptions & { recursive?: boolean }): Promise<StoreEntry[]> {
    throwIfAborted(options?.signal);
    checkPrefix(prefix, this.uri);
    const sizes = Array.from(this.#values, ([key, bytes]) => ({ key, size: bytes.byteLength }));
    return listEntries(sizes, prefix, options?.recursive !== false);
  }

  async put(key: string, bytes: Uint8Array, options?: StoreOptions): Promise<void> {
    throwIfAborted(options?.signal);
    this.#values.set(checkKey(key, this.uri), new Uint8Array(bytes));
  }

  async writer(key: string, options?: StoreOptions): Promise<StoreWriter> {
    throwIfAborted(options?.signal);
    checkKey(key, this.uri);
    let parts: Uint8Array[] = [];
    return {
      write: async (bytes) => {
        throwIfAborted(options?.signal);
        parts.push(new Uint8Array(bytes));
      },
      close: async () => {
        throwIfAborted(options?.signal);
        this.#values.set(key, concatBytes(parts));
        parts = [];
      },
      abort: async () => {
        parts = [];
      },
    };
  }

  async delete(key: string, options?: StoreOptions): Promise<void> {
    throwIfAborted(options?.signal);
    this.#values.delete(checkKey(key, this.uri));
  }

  async deletePrefix(prefix: string, options?: StoreOptions): Promise<void> {
    throwIfAborted(options?.signal);
    checkPrefix(prefix, this.uri);
    for (const key of [...this.#values.keys()]) {
      if (isBelow(key, prefix)) this.#values.delete(key);
    }
  }

  async rename(from: string, to: string, options?: StoreOptions): Promise<void> {
    throwIfAborted(options?.signal);
    checkKey(from, this.uri);
    checkKey(to, this.uri);
    const keys = [...this.#values.keys()];
    const moved = keys.filter((key) => isBelow(key, from));
    const problem =
      moved.length === 0
        ? `there is no folder '${from}'`
        : isBelow(to, from)
          ? "a folder cannot be moved into itself"
          : keys.some((key) => isBelow(key, to)) && `folder '${to}' is there already`;
    if (problem) throw new StorageError(`cannot move '${from}' to '${to}': ${problem}`, { where: this.uri });
    for (const key of moved) {
      this.#values.set(to + key.slice(from.length), this.#values.get(key)!);
      this.#values.delete(key);
    }
  }

  async makeFolder(prefix: string, options?: StoreOptions): Promise<void> {
    throwIfAborted(options?.signal);
    checkPrefix(prefix, this.uri);
  }
}

/** What `list` gives of the values `all`. */
export function listEntries(all: Iterable<StoreEntry>, prefix: string, recursive: boolean): StoreEntry[] {
  const entries = new Map<string, StoreEntry>();
  const start = prefix === "" ? 0 : prefix.length + 1;
  for (const entry of all) {
    const { key } = entry;
    if (!isBelow(key, prefix)) continue;
    const slash = recursive ? -1 : key.indexOf("/", start);
    if (slash < 0) entries.set(key, entry);
    else entries.set(key.slice(0, slash), { key: key.slice(0, slash), size: undefined });
  }
  return [...entries.values()].sort(byKey);
}

/** Throws StorageError unless 0 <= start <= end <= size. */
export function checkRange(range: ByteRange, size: number, where: string): void {
  if (range.start >= 0 && range.start <= range.end && range.end <= size) return;
  throw new StorageError(`bytes ${range.start} to ${range.end} asked of a file of ${size} bytes`, { where });
}

/** Order of listings: by UTF-16 code unit, the same in every store. */
export function byKey(a: StoreEntry, b: StoreEntry): number {
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
}
