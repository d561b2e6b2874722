/**
 * What the array layer needs of a place that keeps bytes under keys. Keys are relative, `/`-separated, without a
 * leading slash; folders exist only as prefixes of keys. Missing is `undefined`, a short answer is an error.
 */

export interface StoreOptions {
  readonly signal?: AbortSignal | undefined;
}

/** What a listing said of a value. */
export interface ValueVersion {
  /** Bytes. */
  readonly size: number;
  readonly etag?: string | undefined;
}

export interface ReadOptions extends StoreOptions {
  /**
   * The version that is wanted. Stores that can tell another one by an answer throw a GoneError then; all others may
   * take no notice.
   */
  readonly version?: ValueVersion | undefined;
}

/** A key below a listed prefix, or a folder when the listing is not recursive. */
export interface StoreEntry {
  /** The full key, relative to the store. */
  readonly key: string;
  /** Bytes; `undefined` for a folder. */
  readonly size: number | undefined;
  /** What changes when the value does, where the listing says it. */
  readonly etag?: string | undefined;
}

/** A byte range: `start` inclusive, `end` exclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** The end of a value. */
export interface ValueTail {
  readonly bytes: Uint8Array;
  /** Bytes of the whole value. */
  readonly size: number;
}

export interface ReadableStore {
  /** Where this store is, for error messages and `uri` fields: a path or URL without a trailing slash. */
  readonly uri: string;

  /**
   * Whether a request costs milliseconds: then what may be needed is asked for at once rather than one after the other.
   * Left out: false.
   */
  readonly isRemote?: boolean;

  /** Unwanted bytes between two ranges of a key that are better read along than asked around. Left out: 64 KiB. */
  readonly coalesceGap?: number;

  /** The whole value, or `undefined` if the key does not exist. */
  get(key: string, options?: ReadOptions): Promise<Uint8Array | undefined>;

  /**
   * Exactly the bytes of `range`, or `undefined` if the key does not exist. A range past the end is a StorageError,
   * never padded. The result may be a view into a larger buffer.
   */
  getRange(key: string, range: ByteRange, options?: ReadOptions): Promise<Uint8Array | undefined>;

  /**
   * The same of several ranges of one key, in their order: left out by stores for which that is no better than one after
   * the other.
   */
  getRanges?(
    key: string,
    ranges: readonly ByteRange[],
    options?: StoreOptions,
  ): Promise<Uint8Array[] | undefined>;

  /**
   * The last `length` bytes of a value, or all of a shorter one, with its size; `undefined` if the key does not exist.
   * Left out by stores that have no better way than to list the folder.
   */
  getTail?(key: string, length: number, options?: StoreOptions): Promise<ValueTail | undefined>;

  /**
   * All keys below the folder `prefix` ("" is the store's root), sorted, recursively unless `recursive` is false; then
   * only direct children, folders included. A folder that does not exist gives an empty list.
   */
  list(prefix: string, options?: StoreOptions & { recursive?: boolean }): Promise<StoreEntry[]>;
}

export interface WritableStore extends ReadableStore {
  /** Writes the whole value; on return it is durable and visible, before that nothing of it is visible. */
  put(key: string, bytes: Uint8Array, options?: StoreOptions): Promise<void>;

  /** A value written in pieces; nothing is visible before `close`. */
  writer(key: string, options?: StoreOptions): Promise<StoreWriter>;

  /** Deletes one key. A key that does not exist is no error. */
  delete(key: string, options?: StoreOptions): Promise<void>;

  /** Deletes all keys below the folder `prefix`, and the folder. */
  deletePrefix(prefix: string, options?: StoreOptions): Promise<void>;

  /**
   * Moves all keys below the folder `from` to the folder `to`, at once: at no time are only some of them there. Throws
   * StorageError if there is nothing below `from`, or something below `to`. Left out by stores that cannot do it.
   */
  rename?(from: string, to: string, options?: StoreOptions): Promise<void>;

  /**
   * Copies a value of `size` bytes without its bytes coming here; on return the copy is whole and visible. Throws
   * StorageError if there is no such value. Left out by stores that cannot do it.
   */
  copy?(from: string, size: number, to: string, options?: StoreOptions): Promise<void>;

  /**
   * `put`, unless there is a value already: then nothing is written, and it returns false. Of several that ask at the
   * same time one is told true. Left out by stores that cannot do it.
   */
  putNew?(key: string, bytes: Uint8Array, options?: StoreOptions): Promise<boolean>;

  /** Makes an empty folder where the store has folders; elsewhere does nothing. */
  makeFolder(prefix: string, options?: StoreOptions): Promise<void>;
}

export interface StoreWriter {
  /** Appends; the caller may reuse `bytes` once the promise is fulfilled. */
  write(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
  /** Drops what was written. */
  abort(): Promise<void>;
}

/** A folder of a store: the place of an array, group or dataset. */
export interface StoreLocation<S extends ReadableStore = ReadableStore> {
  readonly store: S;
  /** Key prefix without leading or trailing slash; "" is the store's root. */
  readonly path: string;
}
