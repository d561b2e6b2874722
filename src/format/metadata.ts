import { ValueError } from "../errors.js";
import { bytesOf, numberTypeOf, type TypedArray, viewAs } from "../util/typed-arrays.js";
import { ByteReader } from "./byte-reader.js";
import { ByteWriter } from "./byte-writer.js";
import { type Datatype, datatypeFromCode, datatypeInfo } from "./datatype.js";
import { scalarBytes } from "./scalar.js";

/**
 * Metadata of an array or group (format_spec/metadata.md): the payload of the generic tile in
 * `__meta/<timestamped name>`, entries until its end.
 *
 * | Field | Type |
 * | :--- | :--- |
 * | Key | uint32 length, uint8[] |
 * | Deletion | uint8, 1 if the key is deleted: then the entry ends here |
 * | Datatype | uint8 |
 * | Number of values | uint32 |
 * | Value | that many of the datatype |
 *
 * Later files override earlier ones, key by key. The core writes keys in the order of their bytes.
 */
export type MetadataEntry =
  | { readonly key: string; readonly deleted: true }
  | {
      readonly key: string;
      readonly deleted: false;
      readonly datatype: Datatype;
      /** Values of `bytes`: of strings, code units. */
      readonly count: number;
      readonly bytes: Uint8Array;
    };

/**
 * A metadata value as callers see it: string types as text, char and blob as bytes, a single value as number, bigint
 * (64-bit integers, datetimes, times) or boolean, several as a typed array. Null is a value of no values.
 */
export type MetadataValue = number | bigint | boolean | string | Uint8Array | TypedArray | null;

export function readMetadata(bytes: Uint8Array, where?: string): MetadataEntry[] {
  const reader = new ByteReader(bytes, "metadata", where);
  const entries: MetadataEntry[] = [];
  while (reader.remaining > 0) entries.push(readEntry(reader));
  return entries;
}

/** Entries in the order given; `mergeMetadata` gives that of the core. */
export function writeMetadata(entries: Iterable<MetadataEntry>): Uint8Array {
  const writer = new ByteWriter();
  for (const entry of entries) {
    writer.sizedText(4, entry.key);
    writer.flag(entry.deleted);
    if (entry.deleted) continue;
    writer.u8(datatypeInfo(entry.datatype).code);
    writer.u32(entry.count);
    writer.raw(entry.bytes);
  }
  return writer.finish();
}

/** What is left when files are applied in the order given, oldest first: keys to their live entries. */
export function mergeMetadata(
  files: Iterable<Iterable<MetadataEntry>>,
): Map<string, Extract<MetadataEntry, { deleted: false }>> {
  const merged = new Map<string, Extract<MetadataEntry, { deleted: false }>>();
  for (const entries of files) {
    for (const entry of entries) {
      if (entry.deleted) merged.delete(entry.key);
      else merged.set(entry.key, entry);
    }
  }
  return merged;
}

/** The value of an entry. Arrays are over the entry's memory where alignment allows. */
export function decodeMetadataValue(entry: Extract<MetadataEntry, { deleted: false }>): MetadataValue {
  const { datatype, bytes, count } = entry;
  const info = datatypeInfo(datatype);
  if (info.kind === "string") return decodeString(datatype, bytes);
  if (info.kind === "char" || info.kind === "blob") return bytes;
  if (count === 0) return null;
  const values = viewAs(bytes, info.array);
  if (count > 1) return values;
  return info.kind === "bool" ? values[0] !== 0 : values[0]!;
}

/**
 * The entry for a value. Without a datatype: text becomes string_utf8, bytes blob, booleans int64 (so does
 * TileDB-Py, which cannot read single values of bool), bigint int64, a number int64 where it is a safe integer and
 * float64 otherwise (as TileDB-Py does with Python's int and float), a typed array the datatype of its elements. A value that the datatype cannot hold is a
 * ValueError; floats may round.
 */
export function encodeMetadataValue(key: string, value: MetadataValue, datatype?: Datatype): MetadataEntry {
  if (value === null) return entryOf(key, datatype ?? "string_utf8", new Uint8Array(0));
  if (typeof value === "string")
    return entryOf(key, datatype ?? "string_utf8", new TextEncoder().encode(value));
  if (typeof value === "object") return entryOf(key, datatype ?? datatypeOfArray(value), bytesOf(value));
  const type = datatype ?? datatypeOfValue(value);
  const number = typeof value === "boolean" ? Number(value) : value;
  const bytes = numberBytes(type, number);
  if (bytes === null) throw new ValueError(`metadata ${key}: ${value} does not fit ${type}`);
  return entryOf(key, type, bytes);
}

function readEntry(reader: ByteReader): MetadataEntry {
  const key = reader.sizedText(4, "key");
  if (reader.flag(`deletion of ${key}`)) return { key, deleted: true };
  const datatype = datatypeFromCode(reader.u8(`datatype of ${key}`), reader.structure, reader.where);
  const count = reader.u32(`number of values of ${key}`);
  const bytes = reader.take(count * datatypeInfo(datatype).bytes, `value of ${key}`);
  return { key, deleted: false, datatype, count, bytes };
}

function entryOf(key: string, datatype: Datatype, bytes: Uint8Array): MetadataEntry {
  const width = datatypeInfo(datatype).bytes;
  if (bytes.byteLength % width !== 0) {
    throw new ValueError(
      `metadata ${key}: ${bytes.byteLength} bytes are no multiple of ${width}, ${datatype}`,
    );
  }
  return { key, deleted: false, datatype, count: bytes.byteLength / width, bytes };
}

function decodeString(datatype: Datatype, bytes: Uint8Array): string {
  switch (datatype) {
    case "string_utf16":
    case "string_ucs2":
      return new TextDecoder("utf-16le", { ignoreBOM: true }).decode(bytes);
    case "string_utf32":
    case "string_ucs4":
      return Array.from(viewAs(bytes, Uint32Array), codePoint).join("");
    default:
      return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  }
}

function codePoint(code: number): string {
  return String.fromCodePoint(code <= 0x10ffff ? code : 0xfffd);
}

function datatypeOfValue(value: number | bigint | boolean): Datatype {
  if (typeof value !== "number") return "int64";
  return Number.isSafeInteger(value) && !Object.is(value, -0) ? "int64" : "float64";
}

function datatypeOfArray(array: TypedArray): Datatype {
  return array instanceof Uint8Array ? "blob" : numberTypeOf(array);
}

/** The bytes of a number; null if the datatype cannot hold it. */
function numberBytes(datatype: Datatype, value: number | bigint): Uint8Array | null {
  const { kind, array } = datatypeInfo(datatype);
  if (kind !== "float" && !isWhole(value)) return null;
  const bytes = scalarBytes(datatype, value);
  const kept = viewAs(bytes, array)[0]!;
  const holds =
    kind === "float"
      ? Number.isFinite(kept) === Number.isFinite(Number(value))
      : BigInt(kept) === BigInt(value);
  return holds ? bytes : null;
}

function isWhole(value: number | bigint): boolean {
  return typeof value === "bigint" || Number.isInteger(value);
}
