import type { Scalar } from "../format/array-schema.js";
import { datatypeInfo } from "../format/datatype.js";
import { textOfBytes } from "../format/text-bytes.js";
import { bytesOf, type TypedArray } from "../util/typed-arrays.js";
import { columnCells } from "./column-ops.js";
import type { Column } from "./columns.js";

/** A cell as callers see it; several values of a fixed cell as a list, null where missing. */
export type CellScalar = Scalar | readonly (number | bigint | boolean)[] | null;

/**
 * The cells of a column as JavaScript values: text of 8-bit string and char types, bytes (Uint8Array) of other
 * variable-length cells and of blobs, bigint of 64-bit integers, datetimes and times. For small results and display;
 * work on the typed arrays where speed counts.
 */
export function cellScalars(column: Column): CellScalar[] {
  const count = columnCells(column);
  const cell = column.kind === "var" ? varCell(column) : fixedCell(column.values, column);
  return Array.from({ length: count }, (_, i) => (column.validity?.[i] === 0 ? null : cell(i)));
}

function varCell({ datatype, offsets, data }: Extract<Column, { kind: "var" }>): (i: number) => CellScalar {
  const bytes = (i: number) => data.subarray(offsets[i]!, offsets[i + 1]!);
  return isText(datatype) ? (i) => textOfBytes(bytes(i)) : bytes;
}

function fixedCell(
  values: TypedArray,
  column: Extract<Column, { kind: "fixed" }>,
): (i: number) => CellScalar {
  const { datatype, cellValNum } = column;
  const { kind } = datatypeInfo(datatype);
  if (isText(datatype) || kind === "string" || kind === "blob") {
    const width = values.BYTES_PER_ELEMENT * cellValNum;
    const bytes = (i: number) => bytesOf(values).subarray(i * width, (i + 1) * width);
    return isText(datatype) ? (i) => textOfBytes(bytes(i)) : bytes;
  }
  const value = (i: number) => (kind === "bool" ? values[i] !== 0 : values[i]!);
  if (cellValNum === 1) return value;
  return (i) => Array.from({ length: cellValNum }, (_, v) => value(i * cellValNum + v));
}

function isText(datatype: Column["datatype"]): boolean {
  const { kind, bytes } = datatypeInfo(datatype);
  return kind === "char" || (kind === "string" && bytes === 1);
}
