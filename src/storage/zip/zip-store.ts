import { inflateSync } from "fflate";
import { FormatError, LimitError, StorageError, throwIfAborted, UnsupportedError } from "../../errors.js";
import { crc32 } from "../../util/crc32.js";
import { checkKey, checkPrefix } from "../key.js";
import { checkRange, listEntries, MemoryStore } from "../memory.js";
import { readTail } from "../tail.js";
import type { ByteRange, ReadableStore, StoreEntry, StoreLocation, StoreOptions } from "../types.js";
import { InflatedEntries } from "./inflated-entries.js";
import {
  DEFLATED,
  findDirectory,
  LOCAL_HEADER_BYTES,
  MAX_END_BYTES,
  readEntries,
  STORED,
  type ZipEntry,
} from "./zip-directory.js";

/**
 * What is in a zip file, as a store. The directory is read once, at the first call; entries that are stored as they are
 * are read by ranges, deflated ones whole, and kept as long as there is room.
 */

export interface ZipStoreOptions {
  /** Folder of the zip file that is the store's root. Default: the folder that all is in, if there is one. */
  readonly prefix?: string;
  /** Bytes of inflated entries that are kept. Default 64 MiB. */
  readonly cacheBytes?: number;
  /** Bytes that an entry may inflate to, otherwise a LimitError. Default 1 GiB. */
  readonly maxInflatedBytes?: number;
}

/** Bytes of the end that are read first: the directory of 600 files with names as TileDB gives them is in there. */
const TAIL_BYTES = 64 * 1024;

/** Bytes before those asked for that are read along, so that no further request is made for the local header. */
const HEADER_GAP = 64 * 1024;

const CACHE_BYTES = 64 * 2 ** 20;
const MAX_INFLATED_BYTES = 2 ** 30;

/** Longer extra fields are not what one guesses. */
const MAX_GUESSED_EXTRA = 512;

export class ZipStore implements ReadableStore {
  readonly uri: string;
  readonly isRemote?: boolean;
  readonly coalesceGap?: number;
  readonly #file: StoreLocation;
  readonly #where: string;
  readonly #prefix: string | undefined;
  readonly #maxInflated: number;
  readonly #inflated: InflatedEntries;
  /** Where data begin, of entries whose local header was seen. */
  readonly #dataOffsets = new Map<ZipEntry, number>();
  #entries: Promise<ReadonlyMap<string, ZipEntry>> | undefined;

  /** @param file its bytes, or the place of the file: `path` is its key. Throws ArgumentError for a wrong prefix. */
  constructor(file: StoreLocation | Uint8Array, options: ZipStoreOptions = {}) {
    this.#file = file instanceof Uint8Array ? { store: new OneFile(file), path: "file.zip" } : file;
    const { store, path } = this.#file;
    this.#where = path === "" ? store.uri : `${store.uri}/${path}`;
    this.uri = `${this.#where}#zip`;
    if (store.isRemote !== undefined) this.isRemote = store.isRemote;
    if (store.coalesceGap !== undefined) this.coalesceGap = store.coalesceGap;
    this.#prefix = options.prefix === undefined ? undefined : checkPrefix(options.prefix, this.uri);
    this.#maxInflated = options.maxInflatedBytes ?? MAX_INFLATED_BYTES;
    this.#inflated = new InflatedEntries(options.cacheBytes ?? CACHE_BYTES);
  }

  async get(key: string, options?: StoreOptions): Promise<Uint8Array | undefined> {
    const entry = await this.#entry(key, options);
    if (entry === undefined) return undefined;
    if (entry.method === DEFLATED) return this.#inflate(entry, options);
    const bytes = await this.#packed(entry, { start: 0, end: entry.size }, options?.signal);
    return this.#checkSum(entry, bytes);
  }

  async getRange(key: string, range: ByteRange, options?: StoreOptions): Promise<Uint8Array | undefined> {
    const entry = await this.#entry(key, options);
    if (entry === undefined) return undefined;
    checkRange(range, entry.size, this.#whereOf(entry));
    if (range.start === range.end) return new Uint8Array(0);
    if (entry.method === STORED) return this.#packed(entry, range, options?.signal);
    return (await this.#inflate(entry, options)).subarray(range.start, range.end);
  }

  async list(prefix: string, options?: StoreOptions & { recursive?: boolean }): Promise<StoreEntry[]> {
    throwIfAborted(options?.signal);
    checkPrefix(prefix, this.uri);
    const all = Array.from(await this.#directory(options), ([key, { size }]) => ({ key, size }));
    return listEntries(all, prefix, options?.recursive !== false);
  }

  async #entry(key: string, options: StoreOptions | undefined): Promise<ZipEntry | undefined> {
    throwIfAborted(options?.signal);
    checkKey(key, this.uri);
    const entry = (await this.#directory(options)).get(key);
    if (entry !== undefined) this.#checkMethod(entry);
    return entry;
  }

  #checkMethod(entry: ZipEntry): void {
    const where = this.#whereOf(entry);
    if (entry.isEncrypted)
      throw new UnsupportedError("encrypted entries of zip files are not supported", { where });
    if (entry.method === STORED || entry.method === DEFLATED) return;
    throw new UnsupportedError(
      `an entry is packed by method ${entry.method}; known are 0 (stored) and 8 (deflate)`,
      {
        where,
      },
    );
  }

  /** One for all callers, so not ended by one's signal. */
  async #directory(options: StoreOptions | undefined): Promise<ReadonlyMap<string, ZipEntry>> {
    this.#entries ??= this.#readDirectory().catch((error: unknown) => {
      this.#entries = undefined;
      throw error;
    });
    const entries = await this.#entries;
    throwIfAborted(options?.signal);
    return entries;
  }

  async #readDirectory(): Promise<ReadonlyMap<string, ZipEntry>> {
    const { store, path } = this.#file;
    let tail = await readTail(store, path, TAIL_BYTES);
    if (tail === undefined) throw new StorageError("there is no such zip file", { where: this.#where });
    let place = findDirectory(tail, this.#where);
    if (place === undefined) {
      tail = (await readTail(store, path, MAX_END_BYTES)) ?? tail;
      place = findDirectory(tail, this.#where);
    }
    if (place === undefined)
      throw new FormatError("the zip file's end is not in one piece", { where: this.#where });
    const start = tail.size - tail.bytes.byteLength;
    const range = { start: place.offset, end: place.offset + place.bytes };
    const bytes =
      range.start >= start
        ? tail.bytes.subarray(range.start - start, range.end - start)
        : await this.#read(range, undefined);
    return belowPrefix(readEntries(bytes, place, this.#where), this.#prefix);
  }

  async #inflate(entry: ZipEntry, options: StoreOptions | undefined): Promise<Uint8Array> {
    if (entry.size > this.#maxInflated) {
      throw new LimitError(`an entry inflates to ${entry.size} bytes, more than ${this.#maxInflated}`, {
        where: this.#whereOf(entry),
      });
    }
    const bytes = await this.#inflated.get(entry, async () => {
      const packed = await this.#packed(entry, { start: 0, end: entry.compressedSize }, undefined);
      return this.#checkSum(entry, inflateAll(packed, entry.size, this.#whereOf(entry)));
    });
    throwIfAborted(options?.signal);
    return bytes;
  }

  #checkSum(entry: ZipEntry, bytes: Uint8Array): Uint8Array {
    if (crc32(bytes) === entry.crc) return bytes;
    throw new FormatError("the bytes have another checksum than the zip file says", {
      where: this.#whereOf(entry),
    });
  }

  /** Bytes of the data as they are in the file. */
  async #packed(entry: ZipEntry, range: ByteRange, signal: AbortSignal | undefined): Promise<Uint8Array> {
    if (range.start === range.end) return new Uint8Array(0);
    const known = this.#dataOffsets.get(entry);
    if (known !== undefined)
      return this.#read({ start: known + range.start, end: known + range.end }, signal);
    const guess = guessDataOffset(entry);
    const header = { start: entry.offset, end: entry.offset + LOCAL_HEADER_BYTES + entry.nameBytes };
    const wanted = { start: guess + range.start, end: guess + range.end };
    if (wanted.start - header.end <= HEADER_GAP) {
      const bytes = await this.#read({ start: header.start, end: wanted.end }, signal);
      const offset = this.#seeHeader(entry, bytes);
      const start = offset - header.start + range.start;
      const end = start + range.end - range.start;
      return end <= bytes.byteLength ? bytes.subarray(start, end) : this.#packed(entry, range, signal);
    }
    const [first, bytes] = await Promise.all([this.#read(header, signal), this.#read(wanted, signal)]);
    return this.#seeHeader(entry, first) === guess ? bytes : this.#packed(entry, range, signal);
  }

  /** Where the data begin, by the local header at the start of `bytes`. */
  #seeHeader(entry: ZipEntry, bytes: Uint8Array): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const isHeader = view.getUint32(0, true) === 0x04034b50 && view.getUint16(26, true) === entry.nameBytes;
    const offset = entry.offset + LOCAL_HEADER_BYTES + entry.nameBytes + view.getUint16(28, true);
    if (!isHeader || view.getUint16(8, true) !== entry.method || offset + entry.compressedSize > entry.next) {
      throw new FormatError("the local header of an entry is not what the zip file's directory says", {
        where: this.#whereOf(entry),
      });
    }
    this.#dataOffsets.set(entry, offset);
    return offset;
  }

  async #read(range: ByteRange, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const { store, path } = this.#file;
    const bytes = await store.getRange(path, range, { signal });
    if (bytes !== undefined) return bytes;
    throw new StorageError("the zip file is gone", { where: this.#where });
  }

  #whereOf({ name }: ZipEntry): string {
    return `${this.uri}/${name}`;
  }
}

/** Where data begin if all is as usual: right before the next header, or behind an extra field like the directory's. */
function guessDataOffset({
  offset,
  nameBytes,
  extraBytes,
  compressedSize,
  next,
  hasDescriptor,
}: ZipEntry): number {
  const name = offset + LOCAL_HEADER_BYTES + nameBytes;
  const extra = next - compressedSize - name;
  return name + (!hasDescriptor && extra <= MAX_GUESSED_EXTRA ? extra : extraBytes);
}

/** Throws FormatError for what is no deflated data of `size` bytes. */
function inflateAll(packed: Uint8Array, size: number, where: string): Uint8Array {
  let bytes: Uint8Array;
  try {
    // One byte more than expected shows that there were more.
    bytes = inflateSync(packed, { out: new Uint8Array(size + 1) });
  } catch (cause) {
    throw new FormatError("an entry of the zip file cannot be inflated", { where, cause });
  }
  if (bytes.byteLength === size) return bytes;
  const found = bytes.byteLength > size ? "more" : bytes.byteLength;
  throw new FormatError(`an entry should inflate to ${size} bytes, got ${found}`, { where });
}

/** Folders that archivers add for themselves. */
const FOREIGN = "__MACOSX/";

/** By keys of the store: names without the prefix, or without the folder that all have in common. */
function belowPrefix(entries: Map<string, ZipEntry>, prefix: string | undefined): Map<string, ZipEntry> {
  const folder = prefix ?? commonFolder(entries.keys());
  const below = new Map<string, ZipEntry>();
  for (const [name, entry] of entries) {
    if (folder === "") below.set(name, entry);
    else if (name.startsWith(`${folder}/`)) below.set(name.slice(folder.length + 1), entry);
  }
  return below;
}

/**
 * No dataset, and no array or group but for the folders that begin with "__", has all in one folder of its own: such a
 * folder is what holds them.
 */
function commonFolder(names: Iterable<string>): string {
  let common: string | undefined;
  for (const name of names) {
    if (name.startsWith(FOREIGN)) continue;
    const slash = name.indexOf("/");
    const folder = slash < 0 ? "" : name.slice(0, slash);
    if (common !== undefined && common !== folder) return "";
    common = folder;
  }
  return common === undefined || common.startsWith("__") ? "" : common;
}

/** The bytes of a file that is in memory. */
class OneFile extends MemoryStore {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    super("mem://");
    this.#bytes = bytes;
  }

  override async get(): Promise<Uint8Array> {
    return this.#bytes;
  }
}
