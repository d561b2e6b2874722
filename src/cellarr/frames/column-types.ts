import type { Column } from "../../array/columns.js";
import { ArgumentError, ValueError } from "../../errors.js";
import { type Datatype, datatypeInfo } from "../../format/datatype.js";
import type { MatrixDtype } from "../../h5ad/matrix.js";
import { columnValues, type FrameColumn, type TextColumn } from "../../util/frame.js";
import type { NumberArray, TypedArray } from "../../util/typed-arrays.js";
import { fitValues } from "../build/fit-values.js";
import { type Numbers, numbersOf } from "../columns/column-numbers.js";
import { takeRows } from "./frame-parts.js";
import { nullableText, pythonText } from "./python-text.js";

/** Columns of frames as attributes of an array, in the type that the caller asks for. */

/** Types that have missing values whether there are any or not, by the names of pandas. */
const nullableTypes = {
  string: "string_utf8",
  boolean: "bool",
  Int8: "int8",
  Int16: "int16",
  Int32: "int32",
  Int64: "int64",
  UInt8: "uint8",
  UInt16: "uint16",
  UInt32: "uint32",
  UInt64: "uint64",
  Float32: "float32",
  Float64: "float64",
} as const satisfies Record<string, Datatype>;

/** Types of attributes; the names of NumPy, as Python cellarr takes them in `column_types`. */
export const columnTypes = {
  ascii: "string_ascii",
  utf8: "string_utf8",
  str: "string_utf8",
  bool: "bool",
  int: "int64",
  int8: "int8",
  int16: "int16",
  int32: "int32",
  int64: "int64",
  uint8: "uint8",
  uint16: "uint16",
  uint32: "uint32",
  uint64: "uint64",
  float: "float64",
  float32: "float32",
  float64: "float64",
  ...nullableTypes,
} as const satisfies Record<string, Datatype>;

export type ColumnType = keyof typeof columnTypes;

/** The datatype of a column type. Throws ArgumentError naming the column for a type that is none. */
export function attributeDatatype(type: ColumnType, column: string): Datatype {
  if (Object.hasOwn(columnTypes, type)) return columnTypes[type];
  throw new ArgumentError(
    `column '${column}': unknown type '${String(type)}', expected ${Object.keys(columnTypes).join(", ")}`,
  );
}

/** Whether a type has missing values in any case. */
export function isNullableType(type: ColumnType): boolean {
  return Object.hasOwn(nullableTypes, type);
}

/** "ascii", or "utf8" where some text is not: what a column gets as text whose type the caller left open. */
export function defaultType(column: FrameColumn): ColumnType {
  return firstNonAscii(pythonText(column).data) < 0 ? "ascii" : "utf8";
}

/**
 * A column as the cells of an attribute; numbers of text are parsed. Missing values are null in a nullable attribute, and
 * so is NaN among integers and booleans; otherwise text is "nan" there, as Python writes it, and a floating-point number
 * NaN. Throws ValueError naming `what` and the row of a value that the type does not have.
 */
export function storedColumn(
  column: FrameColumn,
  datatype: Datatype,
  what: string,
  nullable = false,
): Column {
  if (datatypeInfo(datatype).kind !== "string") return numberCells(column, datatype, what, nullable);
  return textCells(nullable ? nullableText(column) : pythonText(column), datatype, what);
}

function textCells({ offsets, data, validity }: TextColumn, datatype: Datatype, what: string): Column {
  if (datatype === "string_ascii") {
    const byte = firstNonAscii(data);
    if (byte >= 0) {
      const row = offsets.findIndex((offset) => offset > byte) - 1;
      const text = new TextDecoder().decode(data.subarray(offsets[row], offsets[row + 1]));
      throw new ValueError(`${what}: '${text}' in row ${row} is not ASCII; give the column the type "utf8"`);
    }
  }
  return { kind: "var", datatype, offsets, data, ...(validity && { validity }) };
}

/** True if some byte of UTF-8 text is not ASCII. */
export function hasNonAscii(data: Uint8Array): boolean {
  return firstNonAscii(data) >= 0;
}

function firstNonAscii(data: Uint8Array): number {
  for (let at = 0; at < data.byteLength; at++) if (data[at]! > 0x7f) return at;
  return -1;
}

function numberCells(column: FrameColumn, datatype: Datatype, what: string, nullable: boolean): Column {
  const type = datatypeInfo(datatype).array;
  if (column.kind === "numeric" && column.values instanceof type && datatype !== "bool") {
    const { values, validity } = column;
    if (validity === undefined) return { kind: "fixed", datatype, cellValNum: 1, values };
    if (nullable) return { kind: "fixed", datatype, cellValNum: 1, values, validity };
  }
  const numbers = numbersOf(column, what);
  const validity = nullable ? gapsOf(numbers, datatype) : undefined;
  const present = validity === undefined ? numbers.values : withoutGaps(numbers.values, validity);
  const values = fittedNumbers(present, column, datatype, what);
  return { kind: "fixed", datatype, cellValNum: 1, values, ...(validity && { validity }) };
}

/** Where values are null: among integers and booleans there is no other place for NaN. */
function gapsOf({ values, validity }: Numbers, datatype: Datatype): Uint8Array | undefined {
  if (datatypeInfo(datatype).kind === "float") return validity;
  const present = Uint8Array.from(values, (value) => (Number.isNaN(value) ? 0 : 1));
  return present.includes(0) ? present : undefined;
}

function withoutGaps(values: NumberArray, validity: Uint8Array): NumberArray {
  return Float64Array.from(values, (value, row) => (validity[row] === 0 ? 0 : value));
}

function fittedNumbers(
  numbers: NumberArray,
  column: FrameColumn,
  datatype: Datatype,
  what: string,
): TypedArray {
  const misfit = (row: number) =>
    new ValueError(`${what}: ${describe(column, row)} in row ${row} is no ${datatype}`);
  if (datatype === "bool") {
    const odd = numbers.findIndex((value: number) => value !== 0 && value !== 1);
    if (odd >= 0) throw misfit(odd);
    return Uint8Array.from(numbers);
  }
  const fitted = fitValues(numbers, datatype as MatrixDtype, "error");
  if (fitted.misfit >= 0) throw misfit(fitted.misfit);
  return fitted.values;
}

function describe(column: FrameColumn, row: number): string {
  const [value] = columnValues(takeRows(column, Uint32Array.of(row)));
  if (value === null || value === undefined) return "a missing value";
  return typeof value === "string" ? `'${value}'` : `${value}`;
}

/**
 * The cells of an attribute as a column of a frame; a text cell of one NUL, the fill value, is missing where the attribute
 * is not nullable.
 */
export function frameColumn(column: Column): FrameColumn {
  const { datatype, validity } = column;
  if (column.kind === "var") return textFromCells(column.offsets, column.data, validity);
  const { values } = column;
  if (datatype === "bool") {
    const bytes = values as Uint8Array;
    return validity === undefined
      ? { kind: "boolean", values: bytes }
      : { kind: "boolean", values: bytes, validity };
  }
  return validity === undefined ? { kind: "numeric", values } : { kind: "numeric", values, validity };
}

function textFromCells(offsets: Uint32Array, data: Uint8Array, validity: Uint8Array | undefined): TextColumn {
  // A nullable cell that nobody wrote is null; what it holds otherwise is what somebody wrote.
  if (validity !== undefined) return { kind: "text", offsets, data, validity };
  // Most columns have no such cell, and the engine looks faster than a loop.
  if (!data.includes(0)) return { kind: "text", offsets, data };
  const rows = offsets.length - 1;
  let marks: Uint8Array | undefined;
  for (let row = 0; row < rows; row++) {
    const start = offsets[row]!;
    if (offsets[row + 1]! - start !== 1 || data[start] !== 0) continue;
    marks ??= new Uint8Array(rows).fill(1);
    marks[row] = 0;
  }
  return marks === undefined
    ? { kind: "text", offsets, data }
    : { kind: "text", offsets, data, validity: marks };
}
