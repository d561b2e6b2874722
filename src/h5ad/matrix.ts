import { ArgumentError } from "../errors.js";
import {
  type NumberArray,
  type NumberType,
  numberTypeOf,
  numberTypes,
  type TypedArray,
} from "../util/typed-arrays.js";

/** Matrices of cells x genes in memory: compressed sparse rows or columns, or dense row-major values. */

/** Rows, columns. */
export type MatrixShape = readonly [number, number];

/** Compressed by rows ("csr") or by columns ("csc"). */
export interface SparseMatrix {
  readonly format: "csr" | "csc";
  readonly shape: MatrixShape;
  /** Rows + 1 (csr) or columns + 1 (csc) positions into `indices` and `data`, from 0 on, never falling. */
  readonly indptr: NumberArray;
  /** Column (csr) or row (csc) of each stored value. */
  readonly indices: Int32Array | Uint32Array;
  readonly data: TypedArray;
}

/** All values, row after row. */
export interface DenseMatrix {
  readonly format: "dense";
  readonly shape: MatrixShape;
  readonly values: TypedArray;
}

export type Matrix = SparseMatrix | DenseMatrix;

/** Types of a matrix's elements. */
export const matrixDtypes: readonly MatrixDtype[] = numberTypes;

/** Name of a matrix's element type; booleans are read as uint8, float16 as float32. */
export type MatrixDtype = NumberType;

/** The dtype of a typed array. */
export function dtypeOf(values: TypedArray): MatrixDtype {
  return numberTypeOf(values);
}

/** Stored values, zeros among them included. */
export function storedCount(matrix: Matrix): number {
  return matrix.format === "dense" ? matrix.values.length : matrix.data.length;
}

/** Throws ArgumentError unless lengths, positions and indices of `matrix` agree with its shape. */
export function checkMatrix(matrix: Matrix, name: string): void {
  const [rows, columns] = matrix.shape;
  if (!isCount(rows) || !isCount(columns)) {
    throw new ArgumentError(`matrix '${name}': shape ${rows} x ${columns} is not two counts`);
  }
  if (matrix.format === "dense") {
    expectLength(name, "values", matrix.values.length, rows * columns);
    return;
  }
  const [major, minor] = matrix.format === "csr" ? [rows, columns] : [columns, rows];
  const stored = matrix.data.length;
  expectLength(name, "indptr", matrix.indptr.length, major + 1);
  expectLength(name, "indices", matrix.indices.length, stored);
  const badPosition = firstBadPosition(matrix.indptr, stored);
  if (badPosition >= 0) {
    throw new ArgumentError(
      `matrix '${name}': indptr[${badPosition}] is ${matrix.indptr[badPosition]}, expected values from 0 to ${stored} that never fall`,
    );
  }
  const badIndex = firstIndexOutside(matrix.indices, minor);
  if (badIndex >= 0) {
    throw new ArgumentError(
      `matrix '${name}': indices[${badIndex}] is ${matrix.indices[badIndex]}, expected 0 to ${minor - 1}`,
    );
  }
}

/** Position of the first entry of `indptr` that breaks the rules (starts at 0, never falls, ends at `stored`), or -1. */
export function firstBadPosition(indptr: NumberArray, stored: number): number {
  if (indptr[0] !== 0) return 0;
  for (let at = 1; at < indptr.length; at++) {
    const value = indptr[at]!;
    if (!(value >= indptr[at - 1]!) || value > stored) return at;
  }
  return indptr[indptr.length - 1] === stored ? -1 : indptr.length - 1;
}

/** Position of the first index that is not in [0, limit), or -1. */
export function firstIndexOutside(indices: NumberArray, limit: number): number {
  for (let at = 0; at < indices.length; at++) {
    const index = indices[at]!;
    if (index < 0 || index >= limit) return at;
  }
  return -1;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function expectLength(name: string, part: string, actual: number, expected: number): void {
  if (actual === expected) return;
  throw new ArgumentError(`matrix '${name}': ${part} has ${actual} entries, expected ${expected}`);
}
