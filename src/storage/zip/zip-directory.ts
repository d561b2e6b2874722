import { FormatError, UnsupportedError } from "../../errors.js";
import { checkKey } from "../key.js";
import { decodeName } from "./zip-names.js";

/**
 * The directory of a zip file (APPNOTE.TXT 6.3): what is in it and where. Little-endian.
 *
 * - End of central directory (22 bytes and a comment): signature 0x06054b50, disk u16, disk of the directory u16, entries
 *   on this disk u16, entries u16, bytes of the directory u32, its offset u32, length of the comment u16
 * - Zip64 locator (20 bytes before it, where a number there is all ones): 0x07064b50, disk u32, offset u64 of the
 *   zip64 end, disks u32
 * - Zip64 end (56 bytes or more): 0x06064b50, bytes that follow u64, versions 2 x u16, disk u32, disk of the directory
 *   u32, entries on this disk u64, entries u64, bytes of the directory u64, its offset u64
 * - Entry (46 bytes, name, extra, comment): 0x02014b50, versions 2 x u16, flags u16, method u16, time and date 2 x u16,
 *   CRC-32 u32, compressed size u32, size u32, length of name, extra and comment 3 x u16, disk u16, attributes u16 and
 *   u32, offset of the local header u32; extra field 1 (zip64) has as u64 those of size, compressed size and offset that
 *   are all ones
 */

export const STORED = 0;
export const DEFLATED = 8;

/** Bytes of a local header before its name and extra. */
export const LOCAL_HEADER_BYTES = 30;

const END_BYTES = 22;
const LOCATOR_BYTES = 20;
const END64_BYTES = 56;
const ENTRY_BYTES = 46;

/** Bytes from the end of a file in which its end record begins: that, and the longest comment. */
export const MAX_END_BYTES = END_BYTES + 0xffff + LOCATOR_BYTES + END64_BYTES;

const U16 = 0xffff;
const U32 = 0xffffffff;
const ENCRYPTED = 0x2041;
const DESCRIPTOR = 0x0008;

/** Deflate makes no more than 1032 bytes of one. */
const MAX_RATIO = 1032;

export interface ZipEntry {
  readonly name: string;
  readonly method: number;
  readonly isEncrypted: boolean;
  /** Whether a record with sizes follows the data, which a program writes that did not know them before. */
  readonly hasDescriptor: boolean;
  readonly crc: number;
  readonly compressedSize: number;
  readonly size: number;
  /** Of the local header. */
  readonly offset: number;
  /** Bytes of the name as stored. */
  readonly nameBytes: number;
  /** Bytes of the extra field of the directory; that of the local header often has as many. */
  readonly extraBytes: number;
  /** Where the next local header, or the directory, begins. */
  readonly next: number;
}

/** Where the directory lies. `entries` is their number. */
export interface DirectoryPlace {
  readonly offset: number;
  readonly bytes: number;
  readonly entries: number;
}

/** The last bytes of a file of `size` bytes. */
export interface FileTail {
  readonly bytes: Uint8Array;
  readonly size: number;
}

/**
 * The place of the directory; undefined where the end record begins before `tail` does. Throws FormatError for what is
 * no zip file, UnsupportedError for parts of several disks.
 */
export function findDirectory({ bytes, size }: FileTail, where: string): DirectoryPlace | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = size - bytes.byteLength;
  const at = findEnd(view);
  if (at === undefined) {
    if (start === 0 || bytes.byteLength >= MAX_END_BYTES) {
      throw new FormatError("this is no zip file, or its end is missing", { where });
    }
    return undefined;
  }
  const disks = [view.getUint16(at + 4, true), view.getUint16(at + 6, true)];
  const entries = view.getUint16(at + 10, true);
  const place = { offset: view.getUint32(at + 16, true), bytes: view.getUint32(at + 12, true), entries };
  const isLarge = entries === U16 || place.offset === U32 || place.bytes === U32;
  const locator = at - LOCATOR_BYTES;
  if (isLarge && locator < 0 && start > 0) return undefined;
  if (!isLarge || locator < 0 || view.getUint32(locator, true) !== 0x07064b50) {
    if (disks.some((disk) => disk !== 0) || view.getUint16(at + 8, true) !== entries)
      throw severalDisks(where);
    return checkPlace(place, start + at, where);
  }
  const end64 = view.getUint32(locator + 8, true) + view.getUint32(locator + 12, true) * 2 ** 32 - start;
  if (end64 > locator - END64_BYTES)
    throw new FormatError("the zip64 end record lies behind its place", { where });
  if (end64 < 0) {
    if (start === 0 || bytes.byteLength >= MAX_END_BYTES) {
      throw new FormatError("the zip64 end record is not where it should be", { where });
    }
    return undefined;
  }
  return checkPlace(placeOf64(view, end64, where), start + end64, where);
}

/** The last end record whose comment reaches to the end of the file. */
function findEnd(view: DataView): number | undefined {
  for (let at = view.byteLength - END_BYTES; at >= 0; at--) {
    if (view.getUint32(at, true) !== 0x06054b50) continue;
    if (at + END_BYTES + view.getUint16(at + 20, true) === view.byteLength) return at;
  }
  return undefined;
}

function placeOf64(view: DataView, at: number, where: string): DirectoryPlace {
  if (view.getUint32(at, true) !== 0x06064b50)
    throw new FormatError("there is no zip64 end record", { where });
  if (view.getUint32(at + 16, true) !== 0 || view.getUint32(at + 20, true) !== 0) throw severalDisks(where);
  return {
    entries: u64(view, at + 32, where),
    bytes: u64(view, at + 40, where),
    offset: u64(view, at + 48, where),
  };
}

/** The directory ends where the end records begin: else something is missing, or was put before. */
function checkPlace(place: DirectoryPlace, end: number, where: string): DirectoryPlace {
  if (place.offset + place.bytes !== end) {
    throw new FormatError(
      `the zip file's directory should lie at bytes ${place.offset} to ${place.offset + place.bytes}, and its end at ${end}`,
      { where },
    );
  }
  if (place.entries * ENTRY_BYTES > place.bytes) {
    throw new FormatError(`${place.entries} entries in a zip directory of ${place.bytes} bytes`, { where });
  }
  return place;
}

/**
 * The entries by their names, folders left out. `bytes` are those of the directory. Throws FormatError for names that
 * leave the file's folder, names that come twice, and data that overlap or lie elsewhere than before the directory.
 */
export function readEntries(bytes: Uint8Array, place: DirectoryPlace, where: string): Map<string, ZipEntry> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: FoundEntry[] = [];
  let at = 0;
  for (let index = 0; index < place.entries; index++) {
    const end = entryEnd(view, at, index, where);
    found.push(readEntry(bytes, view, at, where));
    at = end;
  }
  const entries = new Map<string, ZipEntry>();
  for (const entry of withNext(found, place, where)) {
    // A name that ends so is a folder's.
    if (entry.name.endsWith("/") && entry.size === 0) continue;
    if (entries.has(entry.name)) throw new FormatError(`'${entry.name}' is twice in the zip file`, { where });
    entries.set(checkName(entry.name, where), entry);
  }
  return entries;
}

type FoundEntry = Omit<ZipEntry, "next">;

function entryEnd(view: DataView, at: number, index: number, where: string): number {
  const isThere = at + ENTRY_BYTES <= view.byteLength && view.getUint32(at, true) === 0x02014b50;
  const lengths = isThere
    ? view.getUint16(at + 28, true) + view.getUint16(at + 30, true) + view.getUint16(at + 32, true)
    : 0;
  const end = at + ENTRY_BYTES + lengths;
  if (isThere && end <= view.byteLength) return end;
  throw new FormatError(`entry ${index} of the zip file's directory is damaged at byte ${at}`, { where });
}

function readEntry(bytes: Uint8Array, view: DataView, at: number, where: string): FoundEntry {
  const nameBytes = view.getUint16(at + 28, true);
  const extraBytes = view.getUint16(at + 30, true);
  const nameEnd = at + ENTRY_BYTES + nameBytes;
  const name = decodeName(bytes.subarray(at + ENTRY_BYTES, nameEnd));
  if (view.getUint16(at + 34, true) !== 0 && view.getUint16(at + 34, true) !== U16) throw severalDisks(where);
  const flags = view.getUint16(at + 8, true);
  const wide = wideReader(view, nameEnd, extraBytes, `${where}: ${name}`);
  const size = wide(view.getUint32(at + 24, true));
  const compressedSize = wide(view.getUint32(at + 20, true));
  const entry = {
    name,
    method: view.getUint16(at + 10, true),
    isEncrypted: (flags & ENCRYPTED) !== 0,
    hasDescriptor: (flags & DESCRIPTOR) !== 0,
    crc: view.getUint32(at + 16, true),
    compressedSize,
    size,
    offset: wide(view.getUint32(at + 42, true)),
    nameBytes,
    extraBytes,
  };
  checkSizes(entry, where);
  return entry;
}

/** Reads the numbers of the zip64 extra field one after the other, for those that are all ones. */
function wideReader(view: DataView, start: number, length: number, where: string): (short: number) => number {
  let at = start;
  let left = 0;
  for (let field = start; field + 4 <= start + length; ) {
    const bytes = view.getUint16(field + 2, true);
    if (view.getUint16(field, true) === 1) {
      at = field + 4;
      left = Math.min(bytes, start + length - at);
      break;
    }
    field += 4 + bytes;
  }
  return (short) => {
    if (short !== U32) return short;
    if (left < 8) throw new FormatError("a zip64 field is missing", { where });
    const value = u64(view, at, where);
    at += 8;
    left -= 8;
    return value;
  };
}

function checkSizes({ name, method, isEncrypted, compressedSize, size }: FoundEntry, where: string): void {
  const isPossible =
    method === STORED
      ? isEncrypted || size === compressedSize
      : method !== DEFLATED || size <= compressedSize * MAX_RATIO;
  if (isPossible) return;
  throw new FormatError(`'${name}' cannot have ${size} bytes, packed as ${compressedSize}`, { where });
}

function checkName(name: string, where: string): string {
  try {
    return checkKey(name, where);
  } catch (cause) {
    throw new FormatError(`the zip file has an entry named '${name}', which is no place in it`, {
      where,
      cause,
    });
  }
}

/** In the order of the file. Data that several entries share are how small files are made to unpack to petabytes. */
function withNext(found: readonly FoundEntry[], place: DirectoryPlace, where: string): ZipEntry[] {
  const sorted = found.toSorted((a, b) => a.offset - b.offset);
  return sorted.map((entry, at) => {
    const next = sorted[at + 1]?.offset ?? place.offset;
    const end = entry.offset + LOCAL_HEADER_BYTES + entry.nameBytes + entry.compressedSize;
    if (end <= next) return { ...entry, next };
    throw new FormatError(`the data of '${entry.name}' reach into what follows in the zip file`, { where });
  });
}

function u64(view: DataView, at: number, where: string): number {
  const value = view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
  if (Number.isSafeInteger(value)) return value;
  throw new FormatError("a number of the zip file's directory is beyond 2^53", { where });
}

function severalDisks(where: string): UnsupportedError {
  return new UnsupportedError("zip files of several parts are not supported", { where });
}
