import { ArgumentError } from "../errors.js";
import type { TypedArray } from "./typed-arrays.js";

/**
 * A table of named columns with a text index: obs, var, gene annotation, cell and sample metadata. Columns are typed
 * arrays; text is UTF-8 bytes with offsets, and becomes strings only when asked for.
 */

export interface NumericColumn {
  readonly kind: "numeric";
  /** A value per row; BigInt arrays for 64-bit integers. */
  readonly values: TypedArray;
  /** A byte per row, 0 where the value is missing; absent where none is. */
  readonly validity?: Uint8Array;
}

export interface BooleanColumn {
  readonly kind: "boolean";
  /** A byte per row, 0 or 1. */
  readonly values: Uint8Array;
  readonly validity?: Uint8Array;
}

export interface TextColumn {
  readonly kind: "text";
  /** Rows + 1 byte offsets into `data`. */
  readonly offsets: Uint32Array;
  /** UTF-8. */
  readonly data: Uint8Array;
  readonly validity?: Uint8Array;
}

export interface CategoricalColumn {
  readonly kind: "categorical";
  /** Position in `categories`, -1 where missing. */
  readonly codes: Int32Array;
  readonly categories: NumericColumn | BooleanColumn | TextColumn;
  readonly ordered: boolean;
}

export type FrameColumn = NumericColumn | BooleanColumn | TextColumn | CategoricalColumn;

/** One value of a frame as callers see it; null where missing. */
export type FrameValue = string | number | bigint | boolean | null;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A text column of strings; null and undefined are missing. */
export function textColumn(values: readonly (string | null | undefined)[]): TextColumn {
  const parts: string[] = new Array(values.length);
  let validity: Uint8Array | undefined;
  for (let row = 0; row < values.length; row++) {
    const value = values[row];
    if (value === null || value === undefined) {
      validity ??= new Uint8Array(values.length).fill(1);
      validity[row] = 0;
      parts[row] = "";
    } else parts[row] = value;
  }
  const joined = parts.join("");
  const data = encoder.encode(joined);
  const offsets = new Uint32Array(values.length + 1);
  const ascii = data.byteLength === joined.length;
  for (let row = 0; row < parts.length; row++) {
    const length = ascii ? parts[row]!.length : encoder.encode(parts[row]!).byteLength;
    offsets[row + 1] = offsets[row]! + length;
  }
  return validity === undefined ? { kind: "text", offsets, data } : { kind: "text", offsets, data, validity };
}

/** The strings of a text column, null where missing: one decode of the whole block where it is ASCII. */
export function textValues(column: TextColumn): (string | null)[] {
  const { offsets, data, validity } = column;
  const rows = offsets.length - 1;
  const values: (string | null)[] = new Array(rows);
  const all = decoder.decode(data);
  const ascii = all.length === data.byteLength;
  for (let row = 0; row < rows; row++) {
    if (validity?.[row] === 0) values[row] = null;
    else {
      values[row] = ascii
        ? all.slice(offsets[row], offsets[row + 1])
        : decoder.decode(data.subarray(offsets[row], offsets[row + 1]));
    }
  }
  return values;
}

/** Rows of a column. */
export function columnLength(column: FrameColumn): number {
  if (column.kind === "text") return column.offsets.length - 1;
  return column.kind === "categorical" ? column.codes.length : column.values.length;
}

/** All values of a column as JavaScript values, null where missing. */
export function columnValues(column: FrameColumn): FrameValue[] {
  if (column.kind === "text") return textValues(column);
  if (column.kind === "categorical") {
    const categories = columnValues(column.categories);
    return Array.from(column.codes, (code) => (code < 0 ? null : categories[code]!));
  }
  const { values, validity } = column;
  const boolean = column.kind === "boolean";
  const all: FrameValue[] = new Array(values.length);
  for (let row = 0; row < values.length; row++) {
    if (validity?.[row] === 0) all[row] = null;
    else all[row] = boolean ? values[row] === 1 : values[row]!;
  }
  return all;
}

export class Frame {
  /** Row names. */
  readonly index: TextColumn;
  /** Name of the index, null where it has none. */
  readonly indexName: string | null;
  readonly columns: ReadonlyMap<string, FrameColumn>;

  /** Throws ArgumentError if a column's length is not the index's. */
  constructor(index: TextColumn, columns: ReadonlyMap<string, FrameColumn>, indexName: string | null = null) {
    this.index = index;
    this.columns = columns;
    this.indexName = indexName;
    for (const [name, column] of columns) {
      if (columnLength(column) !== this.rowCount) {
        throw new ArgumentError(
          `frame: column '${name}' has ${columnLength(column)} rows, the index has ${this.rowCount}`,
        );
      }
    }
  }

  get rowCount(): number {
    return this.index.offsets.length - 1;
  }

  get columnNames(): string[] {
    return [...this.columns.keys()];
  }
}
