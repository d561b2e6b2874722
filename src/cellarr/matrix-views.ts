import { LimitError } from "../errors.js";
import type { DenseMatrix, MatrixShape, SparseMatrix } from "../h5ad/matrix.js";
import type { TypedArray } from "../util/typed-arrays.js";
import { compressRows } from "./by-gene/transpose.js";

/** The same matrix in other forms; they may share memory with it. */

/** Stored values with their places, row after row, columns ascending within a row. */
export interface CooMatrix {
  readonly format: "coo";
  readonly shape: MatrixShape;
  readonly rows: Int32Array;
  readonly columns: Int32Array | Uint32Array;
  readonly data: TypedArray;
}

/** Compressed by columns, rows ascending within each. */
export function toCsc(matrix: SparseMatrix): SparseMatrix {
  if (matrix.format === "csc") return matrix;
  return { ...compressedOtherwise(matrix, matrix.shape[1]), format: "csc", shape: matrix.shape };
}

/** Compressed by rows, columns ascending within each. */
export function toCsr(matrix: SparseMatrix): SparseMatrix {
  if (matrix.format === "csr") return matrix;
  return { ...compressedOtherwise(matrix, matrix.shape[0]), format: "csr", shape: matrix.shape };
}

export function toCoo(matrix: SparseMatrix): CooMatrix {
  const { indptr, indices, data, shape } = toCsr(matrix);
  const rows = new Int32Array(data.length);
  for (let row = 0; row < shape[0]; row++) rows.fill(row, indptr[row], indptr[row + 1]);
  return { format: "coo", shape, rows, columns: indices, data };
}

/** What a typed array holds in every engine of today. */
const MAX_VALUES = 2 ** 32;

/** All values, row after row, of the same type. Throws LimitError beyond 2^32 values. */
export function toDense(matrix: SparseMatrix): DenseMatrix {
  const [rows, columns] = matrix.shape;
  if (rows * columns > MAX_VALUES) {
    throw new LimitError(`a dense matrix of ${rows} x ${columns} values, at most ${MAX_VALUES} are held`);
  }
  const { indptr, indices, data } = toCsr(matrix);
  const values = likeValues(data, rows * columns);
  for (let row = 0; row < rows; row++) {
    const start = row * columns;
    for (let at = indptr[row]!; at < indptr[row + 1]!; at++) values[start + indices[at]!] = data[at]!;
  }
  return { format: "dense", shape: matrix.shape, values };
}

/** Rows become columns: the same memory, compressed the other way. */
export function transposed(matrix: SparseMatrix): SparseMatrix {
  const [rows, columns] = matrix.shape;
  return { ...matrix, format: matrix.format === "csr" ? "csc" : "csr", shape: [columns, rows] };
}

/** The rows at `positions`, in that order, repeats included, of a CSR matrix. */
export function takeMatrixRows(matrix: SparseMatrix, positions: Uint32Array): SparseMatrix {
  const { indptr, indices, data } = matrix;
  const starts = new Uint32Array(positions.length + 1);
  for (let row = 0; row < positions.length; row++) {
    starts[row + 1] = starts[row]! + indptr[positions[row]! + 1]! - indptr[positions[row]!]!;
  }
  const total = starts[positions.length]!;
  const taken = { indices: new Int32Array(total), data: likeValues(data, total) };
  for (let row = 0; row < positions.length; row++) {
    const from = indptr[positions[row]!]!;
    const count = starts[row + 1]! - starts[row]!;
    for (let at = 0; at < count; at++) {
      taken.indices[starts[row]! + at] = indices[from + at]!;
      taken.data[starts[row]! + at] = data[from + at]!;
    }
  }
  return { format: "csr", shape: [positions.length, matrix.shape[1]], indptr: starts, ...taken };
}

/** The columns at `positions`, in that order, repeats included, of a CSR matrix. Columns ascend within rows. */
export function takeMatrixColumns(matrix: SparseMatrix, positions: Uint32Array): SparseMatrix {
  return toCsr(transposed(takeMatrixRows(transposed(toCsc(matrix)), positions)));
}

function compressedOtherwise(matrix: SparseMatrix, count: number) {
  const { indptr, indices, data } = matrix;
  const cells = { indptr: Uint32Array.from(indptr), indices: Int32Array.from(indices), values: data };
  const { values, ...turned } = compressRows(cells, count);
  return { ...turned, data: values };
}

function likeValues(data: TypedArray, length: number): TypedArray {
  const Values = data.constructor as new (length: number) => TypedArray;
  return new Values(length);
}
