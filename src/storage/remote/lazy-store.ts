import { copyValue } from "../copy-folder.js";
import { putUnlessThere } from "../put-new.js";
import { readTail } from "../tail.js";
import type {
  ByteRange,
  ReadableStore,
  StoreEntry,
  StoreOptions,
  StoreWriter,
  ValueTail,
  WritableStore,
} from "../types.js";

/** What a remote place is before it is asked for anything. */
export interface LazyStoreInput<S extends ReadableStore> {
  readonly uri: string;
  /** Loads the module of the place's scheme, and makes the store. */
  readonly load: () => Promise<S>;
  /** Default true. */
  readonly isRemote?: boolean | undefined;
  readonly coalesceGap?: number | undefined;
}

/** A store whose module is loaded at the first call: whoever reads local files does without the code of all others. */
export class LazyStore<S extends ReadableStore = ReadableStore> implements ReadableStore {
  readonly uri: string;
  readonly isRemote: boolean;
  readonly coalesceGap?: number;
  readonly #load: () => Promise<S>;
  #loaded: Promise<S> | undefined;

  constructor({ uri, load, isRemote = true, coalesceGap }: LazyStoreInput<S>) {
    this.uri = uri;
    this.isRemote = isRemote;
    this.#load = load;
    if (coalesceGap !== undefined) this.coalesceGap = coalesceGap;
  }

  /** The store itself. Code that could not be loaded is asked for again at the next call. */
  store(): Promise<S> {
    this.#loaded ??= this.#load().catch((error: unknown) => {
      this.#loaded = undefined;
      throw error;
    });
    return this.#loaded;
  }

  async get(key: string, options?: StoreOptions): Promise<Uint8Array | undefined> {
    return (await this.store()).get(key, options);
  }

  async getRange(key: string, range: ByteRange, options?: StoreOptions): Promise<Uint8Array | undefined> {
    return (await this.store()).getRange(key, range, options);
  }

  async getTail(key: string, length: number, options?: StoreOptions): Promise<ValueTail | undefined> {
    return readTail(await this.store(), key, length, options);
  }

  async list(prefix: string, options?: StoreOptions & { recursive?: boolean }): Promise<StoreEntry[]> {
    return (await this.store()).list(prefix, options);
  }
}

/** The same of places that can be written to. No `rename`: object stores have none. */
export class LazyWritableStore extends LazyStore<WritableStore> implements WritableStore {
  async put(key: string, bytes: Uint8Array, options?: StoreOptions): Promise<void> {
    return (await this.store()).put(key, bytes, options);
  }

  async writer(key: string, options?: StoreOptions): Promise<StoreWriter> {
    return (await this.store()).writer(key, options);
  }

  async delete(key: string, options?: StoreOptions): Promise<void> {
    return (await this.store()).delete(key, options);
  }

  async deletePrefix(prefix: string, options?: StoreOptions): Promise<void> {
    return (await this.store()).deletePrefix(prefix, options);
  }

  async copy(from: string, size: number, to: string, options?: StoreOptions): Promise<void> {
    return copyValue(await this.store(), from, size, to, options);
  }

  async putNew(key: string, bytes: Uint8Array, options?: StoreOptions): Promise<boolean> {
    return putUnlessThere(await this.store(), key, bytes, options);
  }

  async makeFolder(prefix: string, options?: StoreOptions): Promise<void> {
    return (await this.store()).makeFolder(prefix, options);
  }
}
