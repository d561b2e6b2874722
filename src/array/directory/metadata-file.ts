import { FormatError, GoneError } from "../../errors.js";
import { footerTailSize } from "../../format/fragment/fragment-footer.js";
import { listedView } from "../../storage/listed/listed-view.js";
import type { ByteRange, ReadableStore, StoreOptions } from "../../storage/types.js";

/** Bytes of a fragment's metadata file, by few requests. */

/** Metadata files up to this size are read whole when the array opens: one request then serves every section. */
export const WHOLE_METADATA_BYTES = 64 * 1024;

/** Of larger ones the end, which holds the footer: 2 KB for 10 fields, so this does for 80. */
export const FOOTER_TAIL_BYTES = 16 * 1024;

/** Sections that lie no farther apart are asked for together; one follows the other in most files. */
const SECTION_GAP = 64 * 1024;

/** The end of a metadata file, as far as it was read. */
export interface MetadataTail {
  readonly bytes: Uint8Array;
  /** Offset in the file of the first of `bytes`. */
  readonly start: number;
}

interface Asked {
  readonly range: ByteRange;
  readonly bytes: Promise<Uint8Array>;
}

export class MetadataFile {
  readonly #store: ReadableStore;
  readonly #key: string;
  readonly #size: number;
  readonly #tail: MetadataTail | null;
  readonly #asked = new Set<Asked>();

  constructor(store: ReadableStore, key: string, size: number, tail: MetadataTail | null) {
    this.#store = store;
    this.#key = key;
    this.#size = size;
    this.#tail = tail;
  }

  /** The bytes from `start` to `end`; of a small file all of it is read then, and kept. */
  async read(start: number, end: number, options?: StoreOptions): Promise<Uint8Array> {
    const tail = this.#tail;
    if (tail !== null && start >= tail.start) {
      return tail.bytes.subarray(start - tail.start, end - tail.start);
    }
    const held = this.#heldRange(start, end);
    const asked = this.#covering(start, end) ?? this.#ask(held ?? this.#rangeFor(start, end), options);
    const bytes = await asked.bytes;
    if (held !== null || (asked.range.start === start && asked.range.end === end)) this.#asked.delete(asked);
    return bytes.subarray(start - asked.range.start, end - asked.range.start);
  }

  /** Asks at once for ranges that `read` will be called for, where that takes a request. */
  askAhead(ranges: readonly ByteRange[], options?: StoreOptions): void {
    const missing = ranges.filter(({ start, end }) => this.#isMissing(start, end));
    missing.sort((a, b) => a.start - b.start);
    let open: { start: number; end: number } | undefined;
    for (const { start, end } of missing) {
      if (open !== undefined && start - open.end <= SECTION_GAP) open.end = Math.max(open.end, end);
      else {
        if (open !== undefined) this.#ask(open, options);
        open = { start, end };
      }
    }
    if (open !== undefined) this.#ask(open, options);
  }

  #isMissing(start: number, end: number): boolean {
    const inTail = this.#tail !== null && start >= this.#tail.start;
    return !inTail && this.#heldRange(start, end) === null && this.#covering(start, end) === undefined;
  }

  #covering(start: number, end: number): Asked | undefined {
    for (const asked of this.#asked) {
      if (asked.range.start <= start && end <= asked.range.end) return asked;
    }
    return undefined;
  }

  #ask(range: ByteRange, options?: StoreOptions): Asked {
    const asked: Asked = { range, bytes: this.#fetch(range, options) };
    this.#asked.add(asked);
    // What failed (or was aborted) may be asked for again.
    asked.bytes.catch(() => this.#asked.delete(asked));
    return asked;
  }

  async #fetch(range: ByteRange, options?: StoreOptions): Promise<Uint8Array> {
    const bytes = await this.#store.getRange(this.#key, range, options);
    if (bytes !== undefined) return bytes;
    throw new GoneError("fragment: its metadata file is gone", { where: `${this.#store.uri}/${this.#key}` });
  }

  #rangeFor(start: number, end: number): ByteRange {
    return this.#size <= WHOLE_METADATA_BYTES ? { start: 0, end: this.#size } : { start, end };
  }

  /** The range itself where it takes no request. */
  #heldRange(start: number, end: number): ByteRange | null {
    const pieces = listedView(this.#store, this.#key)?.held(this.#key) ?? [];
    const isHeld = pieces.some(
      (piece) => piece.start <= start && end <= piece.start + piece.bytes.byteLength,
    );
    return isHeld ? { start, end } : null;
  }
}

/**
 * Reads the end of a fragment's metadata file, at least its whole footer.
 *
 * @param size bytes of the file
 * @param footerSize bytes of the footer where the file does not say them
 */
export async function readMetadataTail(
  store: ReadableStore,
  key: string,
  size: number,
  footerSize: number | null,
  options?: StoreOptions,
): Promise<MetadataTail> {
  const where = `${store.uri}/${key}`;
  const read = async (length: number): Promise<MetadataTail> => {
    const start = Math.max(0, size - length);
    const bytes = await store.getRange(key, { start, end: size }, options);
    if (bytes === undefined) throw new FormatError("fragment: its metadata file is gone", { where });
    return { bytes, start };
  };
  const tail = await read(listedView(store, key)?.tail(key) ?? firstTailSize(size));
  const needed = footerSize ?? footerTailSize(tail.bytes, where);
  if (needed > size) {
    throw new FormatError(`fragment footer of ${needed} bytes in a file of ${size}`, { where });
  }
  return needed <= tail.bytes.byteLength ? tail : read(needed);
}

/** Bytes at the end of a metadata file of `size` bytes to read when an array opens. */
function firstTailSize(size: number): number {
  return size <= WHOLE_METADATA_BYTES ? size : FOOTER_TAIL_BYTES;
}
