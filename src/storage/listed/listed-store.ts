import { GoneError, throwIfAborted } from "../../errors.js";
import { isBelow } from "../key.js";
import { byKey } from "../memory.js";
import type { ByteRange, ReadableStore, ReadOptions, StoreEntry, StoreOptions } from "../types.js";
import type { HeldPiece, ListedView, Wanted } from "./listed-view.js";

/**
 * A store of which the keys below a folder are known, from a listing or an index file: listing them takes no request,
 * nor does asking for a key that is not there. Some of the bytes may be in memory; others come from the store below.
 */

export interface ListedContent {
  /** Files, with sizes. */
  readonly entries: readonly StoreEntry[];
  /** Bytes that need no request, by key; pieces of a key by offset. */
  readonly held?: ReadonlyMap<string, readonly HeldPiece[]> | undefined;
  /** Whether the entries' ETags are those that the store gives: an index file's may be of where it was made. */
  readonly isListed?: boolean | undefined;
}

interface Asked {
  readonly range: ByteRange;
  readonly bytes: Promise<Uint8Array | undefined>;
}

export class ListedStore implements ListedView {
  readonly uri: string;
  readonly isRemote = true;
  readonly coalesceGap?: number;
  readonly root: string;
  readonly #store: ReadableStore;
  readonly #entries: readonly StoreEntry[];
  readonly #byKey: ReadonlyMap<string, StoreEntry>;
  readonly #held: ReadonlyMap<string, readonly HeldPiece[]>;
  readonly #asked = new Map<string, Set<Asked>>();
  readonly #isListed: boolean;
  readonly #list: (options?: StoreOptions) => Promise<ListedView>;

  /** @param list gives the same place as it is when that is called */
  constructor(
    store: ReadableStore,
    root: string,
    { entries, held = new Map(), isListed = false }: ListedContent,
    list: (options?: StoreOptions) => Promise<ListedView>,
  ) {
    this.uri = store.uri;
    this.root = root;
    if (store.coalesceGap !== undefined) this.coalesceGap = store.coalesceGap;
    this.#store = store;
    this.#entries = entries.filter(({ size }) => size !== undefined).sort(byKey);
    this.#byKey = new Map(this.#entries.map((entry) => [entry.key, entry]));
    this.#held = held;
    this.#isListed = isListed;
    this.#list = list;
  }

  async get(key: string, options?: StoreOptions): Promise<Uint8Array | undefined> {
    throwIfAborted(options?.signal);
    if (!this.#knows(key)) return this.#store.get(key, options);
    const entry = this.#byKey.get(key);
    if (entry === undefined) return undefined;
    const size = entry.size!;
    if (size === 0) return new Uint8Array(0);
    const known = this.#known(key, { start: 0, end: size });
    const bytes = await (known ?? this.#store.get(key, this.#wanting(entry, options)));
    if (bytes?.byteLength === size) return bytes;
    throw this.#gone(key, bytes && `has ${bytes.byteLength} bytes, ${size} expected`);
  }

  async getRange(key: string, range: ByteRange, options?: StoreOptions): Promise<Uint8Array | undefined> {
    throwIfAborted(options?.signal);
    if (!this.#knows(key)) return this.#store.getRange(key, range, options);
    const entry = this.#byKey.get(key);
    if (entry === undefined) return undefined;
    const known = this.#known(key, range);
    if (known === undefined && range.end > entry.size!) {
      throw this.#gone(key, `has ${entry.size} bytes, ${range.end} expected`);
    }
    if (range.start === range.end) return new Uint8Array(0);
    const bytes = await (known ?? this.#store.getRange(key, range, this.#wanting(entry, options)));
    const expected = range.end - range.start;
    if (bytes?.byteLength === expected) return bytes;
    throw this.#gone(key, bytes && `gives ${bytes.byteLength} bytes, ${expected} expected`);
  }

  async list(prefix: string, options?: StoreOptions & { recursive?: boolean }): Promise<StoreEntry[]> {
    throwIfAborted(options?.signal);
    if (prefix !== this.root && !isBelow(prefix, this.root)) return this.#store.list(prefix, options);
    const below = this.#below(prefix);
    if (options?.recursive !== false) return below;
    return children(below, prefix);
  }

  held(key: string): readonly HeldPiece[] {
    return this.#held.get(key) ?? [];
  }

  tail(key: string): number | undefined {
    const size = this.#byKey.get(key)?.size ?? 0;
    const starts = [
      ...this.held(key).flatMap(({ start, bytes }) => (start + bytes.byteLength === size ? [start] : [])),
      ...Array.from(this.#asked.get(key) ?? [], ({ range }) => (range.end === size ? range.start : size)),
    ];
    const longest = size - Math.min(size, ...starts);
    return longest === 0 ? undefined : longest;
  }

  askAhead(wanted: readonly Wanted[], options?: StoreOptions): () => void {
    const asked = wanted.flatMap(({ key, range }): [string, Asked][] => {
      const entry = this.#byKey.get(key);
      if (entry === undefined || entry.size === 0) return [];
      const whole = { start: 0, end: entry.size! };
      const wants = range ?? whole;
      if (this.#known(key, wants) !== undefined) return [];
      const all = wants.start === 0 && wants.end === whole.end;
      const how = this.#wanting(entry, options);
      const bytes = all ? this.#store.get(key, how) : this.#store.getRange(key, wants, how);
      bytes.catch(() => {});
      return [[key, { range: wants, bytes }]];
    });
    for (const [key, one] of asked) {
      const others = this.#asked.get(key);
      if (others === undefined) this.#asked.set(key, new Set([one]));
      else others.add(one);
    }
    return () => {
      for (const [key, one] of asked) {
        const others = this.#asked.get(key);
        others?.delete(one);
        if (others?.size === 0) this.#asked.delete(key);
      }
    };
  }

  refresh(options?: StoreOptions): Promise<ListedView> {
    return this.#list(options);
  }

  #wanting({ size, etag }: StoreEntry, options: StoreOptions | undefined): ReadOptions {
    return { ...options, version: { size: size!, etag: this.#isListed ? etag : undefined } };
  }

  #knows(key: string): boolean {
    return isBelow(key, this.root);
  }

  /** Bytes that take no further request. */
  #known(key: string, range: ByteRange): Uint8Array | Promise<Uint8Array | undefined> | undefined {
    const piece = this.held(key).find(
      ({ start, bytes }) => start <= range.start && range.end <= start + bytes.byteLength,
    );
    if (piece !== undefined) return piece.bytes.subarray(range.start - piece.start, range.end - piece.start);
    for (const { range: asked, bytes } of this.#asked.get(key) ?? []) {
      if (asked.start > range.start || range.end > asked.end) continue;
      return bytes.then((all) => all?.subarray(range.start - asked.start, range.end - asked.start));
    }
    return undefined;
  }

  /** Entries below a folder, which follow one another. */
  #below(prefix: string): StoreEntry[] {
    if (prefix === "") return [...this.#entries];
    const first = this.#firstFrom(`${prefix}/`);
    // "0" comes next after "/".
    return this.#entries.slice(first, this.#firstFrom(`${prefix}0`));
  }

  #firstFrom(key: string): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#entries[middle]!.key < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #gone(key: string, how = "is gone"): GoneError {
    return new GoneError(`a file ${how} since the keys were listed`, { where: `${this.uri}/${key}` });
  }
}

/** Files and folders right below the prefix, of all entries below it. */
function children(below: readonly StoreEntry[], prefix: string): StoreEntry[] {
  const start = prefix === "" ? 0 : prefix.length + 1;
  const found = new Map<string, StoreEntry>();
  for (const entry of below) {
    const slash = entry.key.indexOf("/", start);
    const key = slash < 0 ? entry.key : entry.key.slice(0, slash);
    if (!found.has(key)) found.set(key, slash < 0 ? entry : { key, size: undefined });
  }
  return [...found.values()].sort(byKey);
}
