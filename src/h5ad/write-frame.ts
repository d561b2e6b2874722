import { ArgumentError, ValueError } from "../errors.js";
import type { Frame, FrameColumn, NumericColumn, TextColumn } from "../util/frame.js";
import { columnLength } from "../util/frame.js";
import type { TypedArray } from "../util/typed-arrays.js";
import type { H5Writer } from "./h5-writer.js";

/** Frames and columns in the encodings of anndata 0.8 and later; see read-column.ts for a table. */

export function encode(writer: H5Writer, path: string, type: string, version: string): void {
  writer.textAttribute(path, "encoding-type", type);
  writer.textAttribute(path, "encoding-version", version);
}

/** Names are parts of HDF5 paths. */
export function checkName(name: string, what: string): void {
  if (name !== "" && !name.includes("/") && name !== "." && !name.includes("\0")) return;
  throw new ArgumentError(`${what} '${name}': HDF5 has no room for empty names, '.', and names with '/'`);
}

export function writeFrame(writer: H5Writer, path: string, frame: Frame): void {
  beginFrame(writer, path, frame.index, frame.columnNames, frame.indexName ?? "_index");
  for (const [name, column] of frame.columns) writeColumn(writer, `${path}/${name}`, column);
}

/** A frame without its columns yet: `writeColumn` at `path/name` adds each. */
export function beginFrame(
  writer: H5Writer,
  path: string,
  index: TextColumn,
  columns: readonly string[],
  indexName = "_index",
): void {
  checkName(indexName, `${path.slice(1)}: index name`);
  for (const name of columns) {
    checkName(name, `${path.slice(1)}: column`);
    if (name !== "_index" && name !== indexName) continue;
    throw new ArgumentError(`${path.slice(1)}: a column is called '${name}', as the row names are`);
  }
  if (index.validity?.includes(0)) throw new ValueError(`${path.slice(1)}: a row name is missing`);
  writer.group(path);
  encode(writer, path, "dataframe", "0.2.0");
  writer.textAttribute(path, "_index", indexName);
  // h5wasm cannot write an empty list of text; numpy makes one of numbers, too.
  if (columns.length === 0) writer.numberAttribute(path, "column-order", new Float64Array(0));
  else writer.textAttribute(path, "column-order", columns);
  writeText(writer, `${path}/${indexName}`, index);
}

export function writeColumn(writer: H5Writer, path: string, column: FrameColumn): void {
  if (column.kind === "categorical") writeCategorical(writer, path, column);
  else if (column.validity?.includes(0)) writeNullable(writer, path, column, column.validity);
  else if (column.kind === "text") writeText(writer, path, column);
  else if (column.kind === "boolean") writeBooleans(writer, path, column.values);
  else writeNumbers(writer, path, column.values);
}

export function writeText(
  writer: H5Writer,
  path: string,
  column: TextColumn,
  shape?: readonly number[],
): void {
  writer.text(path, column, shape);
  encode(writer, path, "string-array", "0.2.0");
}

export function writeNumbers(
  writer: H5Writer,
  path: string,
  values: TypedArray,
  shape?: readonly number[],
): void {
  writer.numbers(path, values, shape);
  encode(writer, path, "array", "0.2.0");
}

export function writeBooleans(
  writer: H5Writer,
  path: string,
  values: Uint8Array,
  shape?: readonly number[],
): void {
  writer.booleans(path, values, shape);
  encode(writer, path, "array", "0.2.0");
}

function writeCategorical(
  writer: H5Writer,
  path: string,
  column: Extract<FrameColumn, { kind: "categorical" }>,
): void {
  writer.group(path);
  encode(writer, path, "categorical", "0.2.0");
  writer.numberAttribute(path, "ordered", Int8Array.of(column.ordered ? 1 : 0), true);
  const count = columnLength(column.categories);
  for (const code of column.codes) {
    if (code >= -1 && code < count) continue;
    throw new ValueError(`${path.slice(1)}: code ${code}, expected -1 to ${count - 1}`);
  }
  // The narrowest type that holds them, as pandas does.
  const narrow = count <= 128 ? Int8Array.from(column.codes) : Int16Array.from(column.codes);
  writeNumbers(writer, `${path}/codes`, count <= 32768 ? narrow : column.codes);
  writeColumn(writer, `${path}/categories`, column.categories);
}

type PlainColumn = Exclude<FrameColumn, { kind: "categorical" }>;

function writeNullable(writer: H5Writer, path: string, column: PlainColumn, validity: Uint8Array): void {
  if (column.kind === "numeric" && isFloat(column)) {
    // There is no encoding of nullable floats: missing is NaN.
    const values = column.values.map((value, row) => (validity[row] === 0 ? Number.NaN : value));
    writeNumbers(writer, path, values);
    return;
  }
  const type = { numeric: "nullable-integer", boolean: "nullable-boolean", text: "nullable-string-array" };
  writer.group(path);
  encode(writer, path, type[column.kind], "0.1.0");
  const values = `${path}/values`;
  if (column.kind === "text") writeText(writer, values, column);
  else if (column.kind === "boolean") writeBooleans(writer, values, column.values);
  else writeNumbers(writer, values, column.values);
  writeBooleans(
    writer,
    `${path}/mask`,
    validity.map((valid) => (valid === 0 ? 1 : 0)),
  );
}

function isFloat(column: NumericColumn): column is NumericColumn & { values: Float32Array | Float64Array } {
  return column.values instanceof Float32Array || column.values instanceof Float64Array;
}
