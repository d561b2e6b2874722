import type { Data, Dictionary } from "apache-arrow";
import { LimitError } from "../../errors.js";
import { type Datatype, datatypeInfo } from "../../format/datatype.js";
import { type Enumeration, enumerationSize } from "../../format/enumeration.js";
import { type TypedArray, viewAs } from "../../util/typed-arrays.js";
import { columnCells } from "../column-ops.js";
import type { Column, VarColumn } from "../columns.js";
import { arrowFixed } from "./arrow-fixed.js";
import { type ArrowModule, arrowValidity, type Validity } from "./arrow-validity.js";

/**
 * Columns as Apache Arrow data. Numbers, text, bytes and datetimes of Arrow's units keep their memory; validity becomes
 * a bitmap, bool bits, and datetimes of other units seconds.
 */

/** Arrow's offsets are int32 where nothing else is said. */
const MAX_OFFSET = 0x7fffffff;

export function arrowData(arrow: ArrowModule, column: Column): Data {
  return column.kind === "var" ? varData(arrow, column) : arrowFixed(arrow, column);
}

/**
 * Positions in an enumeration as dictionary-encoded data. A position that names no value is null: -1 is pandas' missing
 * category, and unwritten cells of dense arrays hold the fill value.
 */
export function arrowDictionary(
  arrow: ArrowModule,
  column: Column,
  enumeration: Enumeration,
): Data<Dictionary> {
  const count = columnCells(column);
  const size = enumerationSize(enumeration);
  const { indices, outside } = dictionaryIndices(column, size);
  const validity = arrowValidity(count, column.validity, outside);
  const values = new arrow.Vector([arrowData(arrow, enumerationColumn(enumeration))]);
  const type = new arrow.Dictionary(values.type, indexType(arrow, indices), null, enumeration.ordered);
  const data = { type, length: count, ...validity, data: indices, dictionary: values };
  return arrow.makeData(data) as Data<Dictionary>;
}

/** The items of an enumeration as a column. */
function enumerationColumn(enumeration: Enumeration): Column {
  const { datatype, cellValNum, data, offsets } = enumeration;
  if (offsets !== null) return { kind: "var", datatype, offsets: Uint32Array.from(offsets), data };
  return { kind: "fixed", datatype, cellValNum, values: viewAs(data, datatypeInfo(datatype).array) };
}

/** Indices of at most 32 bits, and where they name no value. */
function dictionaryIndices(column: Column, size: number): { indices: TypedArray; outside: number[] } {
  const stored = column.kind === "fixed" ? column.values : new Int32Array(0);
  const isWide = stored instanceof BigInt64Array || stored instanceof BigUint64Array;
  const indices = isWide ? new Int32Array(stored.length) : stored;
  const outside: number[] = [];
  for (let i = 0; i < stored.length; i++) {
    const index = Number(stored[i]!);
    if (isWide && index >= 0 && index < size) indices[i] = index;
    else if (!(index >= 0 && index < size)) outside.push(i);
  }
  return { indices, outside };
}

function indexType(arrow: ArrowModule, indices: TypedArray) {
  if (indices instanceof Int8Array) return new arrow.Int8();
  if (indices instanceof Uint8Array) return new arrow.Uint8();
  if (indices instanceof Int16Array) return new arrow.Int16();
  if (indices instanceof Uint16Array) return new arrow.Uint16();
  return indices instanceof Uint32Array ? new arrow.Uint32() : new arrow.Int32();
}

function varData(arrow: ArrowModule, column: VarColumn): Data {
  const { datatype, data } = column;
  const { kind, bytes, array } = datatypeInfo(datatype);
  const length = columnCells(column);
  const validity = arrowValidity(length, column.validity);
  const base = { length, ...validity };
  if (bytes === 1 && (kind === "string" || kind === "char" || kind === "blob")) {
    return byteCells(arrow, column, base, kind === "string");
  }
  if (kind === "string") return byteCells(arrow, transcoded(column), base, true);
  const child = arrowFixed(arrow, { kind: "fixed", datatype, cellValNum: 1, values: viewAs(data, array) });
  const type = new arrow.List(arrow.Field.new("item", child.type, child.nullable));
  const valueOffsets = Int32Array.from(column.offsets, (offset) => offset / bytes);
  return arrow.makeData({ type, ...base, valueOffsets, child }) as Data;
}

function byteCells(
  arrow: ArrowModule,
  { offsets, data }: Pick<VarColumn, "offsets" | "data">,
  base: { length: number } & Validity,
  isText: boolean,
): Data {
  if ((offsets[offsets.length - 1] ?? 0) <= MAX_OFFSET) {
    const valueOffsets = new Int32Array(offsets.buffer, offsets.byteOffset, offsets.length);
    if (isText) return arrow.makeData({ type: new arrow.Utf8(), ...base, valueOffsets, data });
    return arrow.makeData({ type: new arrow.Binary(), ...base, valueOffsets, data });
  }
  const valueOffsets = BigInt64Array.from(offsets, BigInt);
  if (isText) return arrow.makeData({ type: new arrow.LargeUtf8(), ...base, valueOffsets, data });
  return arrow.makeData({ type: new arrow.LargeBinary(), ...base, valueOffsets, data });
}

/** Text of 16- and 32-bit units as UTF-8. */
function transcoded({ datatype, offsets, data }: VarColumn): Pick<VarColumn, "offsets" | "data"> {
  const encoder = new TextEncoder();
  const parts: Uint8Array[] = [];
  const ends = new Uint32Array(offsets.length);
  let size = 0;
  for (let i = 0; i + 1 < offsets.length; i++) {
    const part = encoder.encode(wideText(data.subarray(offsets[i]!, offsets[i + 1]!), datatype));
    size += part.byteLength;
    if (size > 0xffffffff) throw new LimitError(`text of more than 4 GiB in a column of ${datatype}`);
    parts.push(part);
    ends[i + 1] = size;
  }
  const all = new Uint8Array(size);
  parts.forEach((part, i) => {
    all.set(part, ends[i]!);
  });
  return { offsets: ends, data: all };
}

const utf16 = new TextDecoder("utf-16le", { ignoreBOM: true });

function wideText(bytes: Uint8Array, datatype: Datatype): string {
  const { bytes: unit } = datatypeInfo(datatype);
  if (unit === 2) return utf16.decode(bytes);
  let text = "";
  for (const point of viewAs(bytes.slice(0, bytes.byteLength - (bytes.byteLength % 4)), Uint32Array)) {
    text += point <= 0x10ffff ? String.fromCodePoint(point) : "\ufffd";
  }
  return text;
}
