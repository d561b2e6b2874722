import { UnsupportedError } from "../errors.js";
import { bytesOf, type TypedArray, viewAs } from "../util/typed-arrays.js";
import type { Scalar } from "./array-schema.js";
import { ByteReader } from "./byte-reader.js";
import { ByteWriter } from "./byte-writer.js";
import { type Datatype, datatypeFromCode, datatypeInfo, VAR_NUM } from "./datatype.js";
import { readUint64s, writeUint64s } from "./scalar.js";
import { randomUuid } from "./timestamped-name.js";

/**
 * Enumeration (format_spec/enumeration.md), since format version 20, with a version of its own: the payload of the
 * generic tile in `__schema/__enumerations/<file>`.
 *
 * | Field | Type |
 * | :--- | :--- |
 * | Version | uint32, 0 |
 * | Name | uint32 length, uint8[] |
 * | File name | uint32 length, uint8[] |
 * | Datatype | uint8 |
 * | Values per item | uint32 |
 * | Ordered | uint8 |
 * | Data | uint64 size, uint8[] |
 * | Offsets, only of var-length values | uint64 size, uint64[]: where each value starts in the data |
 *
 * The specification's table leaves out the name and the file's name.
 */
export interface Enumeration {
  readonly name: string;
  /** Name of the file that it stands in. */
  readonly file: string;
  readonly datatype: Datatype;
  /** Values per item; VAR_NUM for text and other var-length items. */
  readonly cellValNum: number;
  /** Whether comparisons follow the position of a value rather than the value. */
  readonly ordered: boolean;
  /** The items, one after the other. */
  readonly data: Uint8Array;
  /** Items + 1 byte offsets into `data`: item i is [offsets[i], offsets[i + 1]); null of fixed items. */
  readonly offsets: Float64Array | null;
}

const ENUMERATION_VERSION = 0;

export function readEnumeration(bytes: Uint8Array, where?: string): Enumeration {
  const reader = new ByteReader(bytes, "enumeration", where);
  const version = reader.u32("version");
  if (version > ENUMERATION_VERSION) {
    const details = where === undefined ? {} : { where };
    throw new UnsupportedError(`enumeration of version ${version}, expected ${ENUMERATION_VERSION}`, details);
  }
  const name = reader.sizedText(4, "name");
  const file = reader.sizedText(4, "file name");
  const datatype = datatypeFromCode(reader.u8("datatype"), reader.structure, where);
  const cellValNum = reader.u32("values per item");
  const ordered = reader.flag("ordered");
  const data = reader.take(reader.u64n("data size"), "data").slice();
  const offsets = cellValNum === VAR_NUM ? readOffsets(reader, data.byteLength) : null;
  reader.end();
  const itemBytes = datatypeInfo(datatype).bytes * (offsets === null ? cellValNum : 1);
  if (itemBytes === 0 || data.byteLength % itemBytes !== 0) {
    throw reader.error(`${data.byteLength} bytes of data are no multiple of ${itemBytes}, ${datatype}`);
  }
  return { name, file, datatype, cellValNum, ordered, data, offsets };
}

export function writeEnumeration(enumeration: Enumeration): Uint8Array {
  const { offsets } = enumeration;
  const writer = new ByteWriter(64 + enumeration.data.byteLength);
  writer.u32(ENUMERATION_VERSION);
  writer.sizedText(4, enumeration.name);
  writer.sizedText(4, enumeration.file);
  writer.u8(datatypeInfo(enumeration.datatype).code);
  writer.u32(enumeration.cellValNum);
  writer.flag(enumeration.ordered);
  writer.u64n(enumeration.data.byteLength);
  writer.raw(enumeration.data);
  if (offsets !== null) {
    writer.u64n((offsets.length - 1) * 8);
    writeUint64s(writer, offsets.subarray(0, -1));
  }
  return writer.finish();
}

/** An enumeration of texts, with a new file name. Texts as UTF-8; the core wants them to be distinct. */
export function textEnumeration(
  name: string,
  values: readonly string[],
  options: { readonly ordered?: boolean; readonly datatype?: "string_ascii" | "string_utf8" } = {},
): Enumeration {
  const encoder = new TextEncoder();
  const parts = values.map((value) => encoder.encode(value));
  const offsets = new Float64Array(values.length + 1);
  parts.forEach((part, i) => {
    offsets[i + 1] = offsets[i]! + part.byteLength;
  });
  const data = new Uint8Array(offsets[values.length]!);
  parts.forEach((part, i) => {
    data.set(part, offsets[i]!);
  });
  const { datatype = "string_utf8", ordered = false } = options;
  return { name, file: newFileName(), datatype, cellValNum: VAR_NUM, ordered, data, offsets };
}

/** An enumeration of fixed values, with a new file name. */
export function fixedEnumeration(
  name: string,
  datatype: Datatype,
  values: TypedArray,
  ordered = false,
): Enumeration {
  return {
    name,
    file: newFileName(),
    datatype,
    cellValNum: 1,
    ordered,
    data: bytesOf(values),
    offsets: null,
  };
}

/** Number of items. */
export function enumerationSize({ datatype, cellValNum, data, offsets }: Enumeration): number {
  return offsets === null
    ? data.byteLength / (datatypeInfo(datatype).bytes * cellValNum)
    : offsets.length - 1;
}

/**
 * The items as callers see values: strings, numbers, bigints (64-bit integers, datetimes), booleans; bytes of blobs, of
 * var-length items that are no text, and of items of several values.
 */
export function enumerationValues(enumeration: Enumeration): Scalar[] {
  const { datatype, cellValNum, data, offsets } = enumeration;
  const { kind, array, bytes } = datatypeInfo(datatype);
  const size = enumerationSize(enumeration);
  if (cellValNum === 1 && kind !== "string" && kind !== "char" && kind !== "blob") {
    return Array.from(viewAs(data, array) as Iterable<number | bigint>, (value) =>
      kind === "bool" ? value !== 0 : value,
    );
  }
  const width = bytes * cellValNum;
  const isText = bytes === 1 && (kind === "string" || kind === "char");
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  return Array.from({ length: size }, (_, i) => {
    const item =
      offsets === null
        ? data.subarray(i * width, (i + 1) * width)
        : data.subarray(offsets[i], offsets[i + 1]);
    return isText ? decoder.decode(item) : item;
  });
}

function newFileName(): string {
  return `__${randomUuid()}_${ENUMERATION_VERSION}`;
}

function readOffsets(reader: ByteReader, dataSize: number): Float64Array {
  const size = reader.u64n("offsets size");
  if (size % 8 !== 0) throw reader.error(`${size} bytes of offsets are no multiple of 8`);
  const starts = readUint64s(reader, size / 8, "offset");
  const offsets = new Float64Array(starts.length + 1);
  offsets.set(starts);
  offsets[starts.length] = dataSize;
  for (let i = 0; i < starts.length; i++) {
    if (offsets[i]! > offsets[i + 1]!) throw reader.error(`item ${i} begins at ${offsets[i]}, after its end`);
  }
  if (starts.length > 0 ? offsets[0] !== 0 : dataSize !== 0)
    throw reader.error("the first item is not at offset 0");
  return offsets;
}
