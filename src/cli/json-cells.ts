import type { Column, FixedColumn, VarColumn } from "../array/columns.js";
import { type Datatype, datatypeInfo, isBigDatatype } from "../format/datatype.js";
import { textOfBytes } from "../format/text-bytes.js";
import { jsonNumber } from "../util/json-text.js";
import { type TypedArray, type TypedArrayConstructor, viewAs } from "../util/typed-arrays.js";

/**
 * Cells as JSON text, column by column: what `array read` prints and `array inspect` shows of fill values and metadata.
 *
 * | cells                          | JSON                                                             |
 * |--------------------------------|------------------------------------------------------------------|
 * | integers up to 32 bits, floats | number; "NaN", "Infinity", "-Infinity" as strings                |
 * | 64-bit integers, datetimes     | decimal string                                                   |
 * | bool                           | true or false                                                    |
 * | char and string types          | text; bytes that are not UTF-8 as lone surrogates U+DC80..U+DCFF |
 * | blob, any, geometry            | base64                                                           |
 * | several values a cell          | array of the above                                               |
 * | null                           | null                                                             |
 */

/** The JSON text of one cell. */
export type CellFormatter = (cell: number) => string;

/** A formatter for the cells of a column. Text is decoded once for the whole column where it is ASCII. */
export function jsonFormatter(column: Column): CellFormatter {
  const plain = column.kind === "fixed" ? fixedFormatter(column) : varFormatter(column);
  const { validity } = column;
  return validity === undefined ? plain : (cell) => (validity[cell] === 0 ? "null" : plain(cell));
}

/** Bytes as base64, without Node's Buffer limits on views. */
export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

/** True for types whose cells print as text. */
export function isTextDatatype(datatype: Datatype): boolean {
  const { kind } = datatypeInfo(datatype);
  return kind === "string" || kind === "char";
}

/** Code units of a text type, as text. */
export function decodeText(bytes: Uint8Array, datatype: Datatype): string {
  const { bytes: unit } = datatypeInfo(datatype);
  if (unit === 1) return textOfBytes(bytes);
  const units = viewAs<Uint16Array | Uint32Array>(bytes, unit === 2 ? Uint16Array : Uint32Array);
  let text = "";
  for (const code of units) text += unit === 2 ? String.fromCharCode(code) : fromCodePoint(code);
  return text;
}

function fromCodePoint(code: number): string {
  return code <= 0x10ffff ? String.fromCodePoint(code) : "\ufffd";
}

function fixedFormatter(column: FixedColumn): CellFormatter {
  const { datatype, values, cellValNum } = column;
  const { kind, bytes } = datatypeInfo(datatype);
  if (kind === "string" || kind === "char") {
    const size = bytes * cellValNum;
    const all = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    return (cell) =>
      JSON.stringify(trimNuls(decodeText(all.subarray(cell * size, (cell + 1) * size), datatype)));
  }
  if (kind === "blob") {
    const all = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    return (cell) => `"${base64(all.subarray(cell * cellValNum, (cell + 1) * cellValNum))}"`;
  }
  const value = valueFormatter(datatype, values);
  if (cellValNum === 1) return value;
  return (cell) => jsonList(value, cell * cellValNum, (cell + 1) * cellValNum);
}

/** Fixed-length text is padded with NUL; the padding is no part of the value. */
function trimNuls(text: string): string {
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) === 0) end--;
  return text.slice(0, end);
}

function varFormatter(column: VarColumn): CellFormatter {
  const { datatype, offsets, data } = column;
  const { kind, bytes, array } = datatypeInfo(datatype);
  if (kind === "string" || kind === "char") return textFormatter(column);
  if (kind === "blob") return (cell) => `"${base64(data.subarray(offsets[cell], offsets[cell + 1]))}"`;
  const used = data.subarray(0, data.byteLength - (data.byteLength % bytes));
  const value = valueFormatter(datatype, viewAs(used, array as TypedArrayConstructor<TypedArray>));
  return (cell) => jsonList(value, offsets[cell]! / bytes, offsets[cell + 1]! / bytes);
}

function textFormatter({ datatype, offsets, data }: VarColumn): CellFormatter {
  const used = data.subarray(0, offsets[offsets.length - 1] ?? 0);
  if (datatypeInfo(datatype).bytes === 1) {
    const all = latin1(used);
    if (all !== undefined) return (cell) => JSON.stringify(all.slice(offsets[cell], offsets[cell + 1]));
  }
  return (cell) => JSON.stringify(decodeText(data.subarray(offsets[cell], offsets[cell + 1]), datatype));
}

/** The text of bytes that are all ASCII, else undefined. */
function latin1(bytes: Uint8Array): string | undefined {
  for (let i = 0; i < bytes.length; i++) if (bytes[i]! > 0x7f) return undefined;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

function valueFormatter(datatype: Datatype, values: TypedArray): CellFormatter {
  const { kind } = datatypeInfo(datatype);
  if (kind === "bool") return (i) => (values[i] === 0 ? "false" : "true");
  if (isBigDatatype(datatype)) return (i) => `"${values[i]}"`;
  if (kind === "float") return (i) => jsonNumber(Number(values[i]));
  return (i) => `${values[i]}`;
}

function jsonList(value: CellFormatter, start: number, end: number): string {
  let text = "[";
  for (let i = start; i < end; i++) text += i === start ? value(i) : `,${value(i)}`;
  return `${text}]`;
}
