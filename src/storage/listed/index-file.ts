import { ArgumentError, FormatError } from "../../errors.js";
import { crc32 } from "../../util/crc32.js";
import { checkKey } from "../key.js";
import type { StoreEntry } from "../types.js";
import type { HeldPiece } from "./listed-view.js";
import { VarintReader, VarintWriter } from "./varints.js";

/**
 * The index file of a folder (docs/index-file.md): every key below it with its size, and bytes of some of them.
 *
 * | Field | Type |
 * | :--- | :--- |
 * | Magic | 8 bytes `CLRRINDX` |
 * | Version | uint32, 1 |
 * | CRC-32 of all that follows the header | uint32 |
 * | Bytes that follow the header | uint64 |
 * | Number of files | varint |
 * | per file, keys ascending: bytes shared with the key before | varint |
 * | rest of the key | varint length, UTF-8; relative to the folder |
 * | size | varint |
 * | ETag | varint length, UTF-8; empty where it is not known |
 * | Number of pieces | varint |
 * | per piece, ascending: files since that of the piece before | varint |
 * | first byte, number of bytes | varint, varint |
 * | The pieces' bytes, one after the other | |
 */

/** Below the folder that it is the index of. TileDB takes no notice of folders of other names in arrays and groups. */
export const INDEX_FOLDER = "__cellarr";
export const INDEX_KEY = `${INDEX_FOLDER}/index.bin`;

const MAGIC = new TextEncoder().encode("CLRRINDX");
const VERSION = 1;
const HEADER_BYTES = 24;

export interface StoreIndex {
  /** Files by ascending key, keys relative to the folder. */
  readonly entries: readonly (StoreEntry & { readonly size: number })[];
  /** Bytes of files, by key, by offset. */
  readonly held: ReadonlyMap<string, readonly HeldPiece[]>;
}

export function writeIndex({ entries, held }: StoreIndex): Uint8Array {
  const writer = new VarintWriter();
  const utf8 = new TextEncoder();
  let before: Uint8Array = new Uint8Array(0);
  writer.number(entries.length);
  for (const { key, size, etag } of entries) {
    const name = utf8.encode(key);
    const shared = sharedBytes(before, name);
    writer.number(shared);
    writer.number(name.byteLength - shared);
    writer.bytes(name.subarray(shared));
    writer.number(size);
    const tag = utf8.encode(etag ?? "");
    writer.number(tag.byteLength);
    writer.bytes(tag);
    before = name;
  }
  writePieces(writer, entries, held);
  return withHeader(writer.finish());
}

function writePieces(writer: VarintWriter, entries: StoreIndex["entries"], held: StoreIndex["held"]): void {
  const pieces = entries.flatMap(({ key }, file) =>
    (held.get(key) ?? []).map(({ start, bytes }) => ({ file, start, bytes })),
  );
  const known = new Set(entries.map(({ key }) => key));
  for (const key of held.keys()) if (!known.has(key)) throw new ArgumentError(`'${key}' is no file`);
  writer.number(pieces.length);
  let last = 0;
  for (const { file, start, bytes } of pieces) {
    writer.number(file - last);
    writer.number(start);
    writer.number(bytes.byteLength);
    last = file;
  }
  for (const { bytes } of pieces) writer.bytes(bytes);
}

function withHeader(body: Uint8Array): Uint8Array {
  const file = new Uint8Array(HEADER_BYTES + body.byteLength);
  file.set(MAGIC);
  file.set(body, HEADER_BYTES);
  const view = new DataView(file.buffer);
  view.setUint32(8, VERSION, true);
  view.setUint32(12, crc32(body), true);
  view.setBigUint64(16, BigInt(body.byteLength), true);
  return file;
}

function sharedBytes(a: Uint8Array, b: Uint8Array): number {
  const most = Math.min(a.byteLength, b.byteLength);
  let shared = 0;
  while (shared < most && a[shared] === b[shared]) shared++;
  return shared;
}

/** Throws FormatError unless the bytes are a whole index file of a version that is known. Pieces are views of them. */
export function readIndex(bytes: Uint8Array, where: string): StoreIndex {
  checkHeader(bytes, where);
  const reader = new VarintReader(bytes, HEADER_BYTES, where);
  const entries = readEntries(reader, where);
  const held = readPieces(reader, entries);
  if (reader.remaining !== 0) throw reader.error(`${reader.remaining} bytes too many`);
  return { entries, held };
}

function checkHeader(bytes: Uint8Array, where: string): void {
  const error = (problem: string) => new FormatError(`index file: ${problem}`, { where });
  if (bytes.byteLength < HEADER_BYTES) throw error(`of ${bytes.byteLength} bytes, cut`);
  if (MAGIC.some((byte, at) => bytes[at] !== byte)) throw error("starts with other bytes, expected CLRRINDX");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getUint32(8, true);
  if (version !== VERSION) throw error(`version ${version}, expected ${VERSION}`);
  const length = Number(view.getBigUint64(16, true));
  if (length !== bytes.byteLength - HEADER_BYTES) {
    throw error(`of ${bytes.byteLength} bytes, ${length + HEADER_BYTES} expected`);
  }
  if (crc32(bytes.subarray(HEADER_BYTES)) !== view.getUint32(12, true)) throw error("wrong checksum");
}

function readEntries(reader: VarintReader, where: string): (StoreEntry & { readonly size: number })[] {
  const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const text = (bytes: Uint8Array, field: string) => {
    try {
      return utf8.decode(bytes);
    } catch {
      throw reader.error(`${field} is not UTF-8`);
    }
  };
  const count = reader.count("files", 4);
  const entries: (StoreEntry & { readonly size: number })[] = [];
  let before: Name = { bytes: new Uint8Array(0), text: "", isAscii: true };
  for (let i = 0; i < count; i++) {
    const shared = reader.number("shared bytes");
    if (shared > before.bytes.byteLength) {
      throw reader.error("a key shares more bytes than the one before has");
    }
    const rest = reader.bytes(reader.number("length of a key"), "a key");
    const bytes = new Uint8Array(shared + rest.byteLength);
    bytes.set(before.bytes.subarray(0, shared));
    bytes.set(rest, shared);
    const isAscii = before.isAscii && isAsciiText(rest);
    const key = isAscii ? before.text.slice(0, shared) + asciiText(rest) : text(bytes, "a key");
    checkKey(key, where);
    const size = reader.number("a size");
    const tag = reader.bytes(reader.number("length of an ETag"), "an ETag");
    entries.push(tag.byteLength === 0 ? { key, size } : { key, size, etag: text(tag, "an ETag") });
    before = { bytes, text: key, isAscii };
  }
  return entries;
}

interface Name {
  readonly bytes: Uint8Array;
  readonly text: string;
  readonly isAscii: boolean;
}

function isAsciiText(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.byteLength; i++) if (bytes[i]! > 127) return false;
  return bytes.byteLength < MOST_CHARACTERS;
}

/** As many as a function takes arguments everywhere; of keys a decoder of its own would take most of the time. */
const MOST_CHARACTERS = 1024;

function asciiText(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

function readPieces(reader: VarintReader, entries: StoreIndex["entries"]): Map<string, HeldPiece[]> {
  const count = reader.count("pieces", 3);
  const places: { readonly key: string; readonly start: number; readonly length: number }[] = [];
  let file = 0;
  for (let i = 0; i < count; i++) {
    file += reader.number("a piece's file");
    const entry = entries[file];
    const [start, length] = [reader.number("a piece's start"), reader.number("a piece's length")];
    if (entry === undefined || start + length > entry.size) throw reader.error("a piece of no file");
    places.push({ key: entry.key, start, length });
  }
  const held = new Map<string, HeldPiece[]>();
  for (const { key, start, length } of places) {
    const piece = { start, bytes: reader.bytes(length, "a piece") };
    const others = held.get(key);
    if (others === undefined) held.set(key, [piece]);
    else others.push(piece);
  }
  return held;
}
