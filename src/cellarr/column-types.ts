import type { Column } from "../array/columns.js";
import { ArgumentError, ValueError } from "../errors.js";
import { type Datatype, datatypeInfo } from "../format/datatype.js";
import type { MatrixDtype } from "../h5ad/matrix.js";
import { columnValues, type FrameColumn, type TextColumn, textValues } from "../util/frame.js";
import type { NumberArray } from "../util/typed-arrays.js";
import { asNumbers, fitValues } from "./fit-values.js";
import { takeRows } from "./frame-parts.js";
import { MISSING_TEXT, pythonText } from "./python-text.js";

/** Columns of frames as attributes of an array, in the type that the caller asks for. */

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
} as const satisfies Record<string, Datatype>;

export type ColumnType = keyof typeof columnTypes;

/** The datatype of a column type. Throws ArgumentError naming the column for a type that is none. */
export function attributeDatatype(type: ColumnType, column: string): Datatype {
  if (Object.hasOwn(columnTypes, type)) return columnTypes[type];
  throw new ArgumentError(
    `column '${column}': unknown type '${String(type)}', expected ${Object.keys(columnTypes).join(", ")}`,
  );
}

/** "ascii", or "utf8" where some text is not: what a column gets whose type the caller left open. */
export function defaultType(column: FrameColumn): ColumnType {
  return firstNonAscii(pythonText(column).data) < 0 ? "ascii" : "utf8";
}

/**
 * A column as the cells of an attribute. Text comes out as Python writes it, "nan" where missing; numbers of text are
 * parsed. Throws ValueError naming `what` and the row of a value that the type does not have.
 */
export function storedColumn(column: FrameColumn, datatype: Datatype, what: string): Column {
  if (datatypeInfo(datatype).kind === "string") return textCells(column, datatype, what);
  return numberCells(column, datatype, what);
}

function textCells(column: FrameColumn, datatype: Datatype, what: string): Column {
  const { offsets, data } = pythonText(column);
  if (datatype === "string_ascii") {
    const byte = firstNonAscii(data);
    if (byte >= 0) {
      const row = offsets.findIndex((offset) => offset > byte) - 1;
      const text = new TextDecoder().decode(data.subarray(offsets[row], offsets[row + 1]));
      throw new ValueError(`${what}: '${text}' in row ${row} is not ASCII; give the column the type "utf8"`);
    }
  }
  return { kind: "var", datatype, offsets, data };
}

function firstNonAscii(data: Uint8Array): number {
  for (let at = 0; at < data.byteLength; at++) if (data[at]! > 0x7f) return at;
  return -1;
}

function numberCells(column: FrameColumn, datatype: Datatype, what: string): Column {
  const type = datatypeInfo(datatype).array;
  if (column.kind === "numeric" && column.validity === undefined && column.values instanceof type) {
    if (datatype !== "bool") return { kind: "fixed", datatype, cellValNum: 1, values: column.values };
  }
  const numbers = numbersOf(column, what);
  const misfit = (row: number) =>
    new ValueError(`${what}: ${describe(column, row)} in row ${row} is no ${datatype}`);
  if (datatype === "bool") {
    const odd = numbers.findIndex((value: number) => value !== 0 && value !== 1);
    if (odd >= 0) throw misfit(odd);
    return { kind: "fixed", datatype, cellValNum: 1, values: Uint8Array.from(numbers) };
  }
  const fitted = fitValues(numbers, datatype as MatrixDtype, "error");
  if (fitted.misfit >= 0) throw misfit(fitted.misfit);
  return { kind: "fixed", datatype, cellValNum: 1, values: fitted.values };
}

/** The values as numbers, NaN where missing. Throws ValueError for text that is no number. */
function numbersOf(column: FrameColumn, what: string): NumberArray {
  if (column.kind === "categorical") {
    const categories = numbersOf(column.categories, what);
    return Float64Array.from(column.codes, (code) => (code < 0 ? Number.NaN : categories[code]!));
  }
  if (column.kind === "text") return parsedNumbers(column, what);
  const numbers = asNumbers(column.values);
  const { validity } = column;
  if (validity === undefined) return numbers;
  return Float64Array.from(numbers, (value, row) => (validity[row] === 0 ? Number.NaN : value));
}

/** Text that pandas also takes for missing. */
const missingTexts = new Set(["", MISSING_TEXT, "NaN", "NA", "N/A", "None", "null", "<NA>"]);

function parsedNumbers(column: TextColumn, what: string): Float64Array {
  const texts = textValues(column);
  const numbers = new Float64Array(texts.length);
  for (const [row, text] of texts.entries()) {
    const missing = text === null || missingTexts.has(text);
    numbers[row] = missing ? Number.NaN : parseNumber(text);
    if (!missing && Number.isNaN(numbers[row])) {
      throw new ValueError(`${what}: '${text}' in row ${row} is no number`);
    }
  }
  return numbers;
}

const words: Readonly<Record<string, number>> = {
  true: 1,
  false: 0,
  inf: Number.POSITIVE_INFINITY,
  "+inf": Number.POSITIVE_INFINITY,
  "-inf": Number.NEGATIVE_INFINITY,
};

function parseNumber(text: string): number {
  const trimmed = text.trim();
  const word = words[trimmed.toLowerCase()];
  return word ?? (trimmed === "" ? Number.NaN : Number(trimmed));
}

function describe(column: FrameColumn, row: number): string {
  const [value] = columnValues(takeRows(column, Uint32Array.of(row)));
  if (value === null || value === undefined) return "a missing value";
  return typeof value === "string" ? `'${value}'` : `${value}`;
}

/** The cells of an attribute as a column of a frame; a text cell of one NUL, the fill value, is missing. */
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
  // Most columns have no such cell, and the engine looks faster than a loop.
  if (!data.includes(0)) return { kind: "text", offsets, data, ...(validity && { validity }) };
  const rows = offsets.length - 1;
  let marks = validity;
  for (let row = 0; row < rows; row++) {
    const start = offsets[row]!;
    if (offsets[row + 1]! - start !== 1 || data[start] !== 0) continue;
    if (marks === validity) marks = validity?.slice() ?? new Uint8Array(rows).fill(1);
    marks![row] = 0;
  }
  return marks === undefined
    ? { kind: "text", offsets, data }
    : { kind: "text", offsets, data, validity: marks };
}
