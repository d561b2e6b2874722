import { FormatError, NotFoundError, UnsupportedError } from "../errors.js";
import type { NumberArray, TypedArray } from "../util/typed-arrays.js";
import { readAttribute, textAttribute } from "./h5-attribute.js";
import { H5Dataset } from "./h5-dataset.js";
import type { H5File } from "./h5-file.js";
import { expectNumbers, type NumberType } from "./h5-type.js";
import { firstBadPosition, type MatrixShape } from "./matrix.js";

/**
 * Where a matrix of a file lies. Dense: a dataset of two dimensions. Sparse: a group of indptr, indices and data, with
 * the attributes encoding-type (csr_matrix, csc_matrix) and shape; h5sparse_format and h5sparse_shape before 0.7.
 */

export interface DenseLocation {
  readonly storage: "dense";
  readonly label: string;
  readonly shape: MatrixShape;
  readonly type: NumberType;
  readonly values: H5Dataset;
}

export interface SparseLocation {
  readonly storage: "csr" | "csc";
  readonly label: string;
  readonly shape: MatrixShape;
  readonly type: NumberType;
  readonly indptr: H5Dataset;
  readonly indices: H5Dataset;
  readonly data: H5Dataset;
}

export type MatrixLocation = DenseLocation | SparseLocation;

/** @param expected its shape by obs and var, which a dense matrix of one row or column may have lost (before 0.7) */
export function locateMatrix(
  file: H5File,
  path: string,
  label: string,
  expected?: MatrixShape,
): MatrixLocation {
  const kind = file.kind(path);
  if (kind === null) throw new NotFoundError(`no matrix '${label}'`, { where: file.name });
  const found =
    kind === "dataset" ? locateDense(file, path, label, expected) : locateSparse(file, path, label);
  if (expected === undefined) return found;
  if (found.shape[0] === expected[0] && found.shape[1] === expected[1]) return found;
  throw new FormatError(
    `matrix '${label}' is ${found.shape.join(" x ")}, expected ${expected.join(" x ")} by obs and var`,
    { where: file.name },
  );
}

/** True if there is a matrix at `path`: None is stored as a dataset without a data space, other things otherwise. */
export function isMatrix(file: H5File, path: string): boolean {
  const kind = file.kind(path);
  if (kind === "group") return sparseFormat(file, path) !== null;
  if (kind === null) return false;
  const { shape, type } = new H5Dataset(file, path);
  return shape !== null && (shape.length === 2 || shape.length === 1) && type.kind === "number";
}

function locateDense(file: H5File, path: string, label: string, expected?: MatrixShape): DenseLocation {
  const values = new H5Dataset(file, path);
  const type = expectNumbers(values.type, `matrix '${label}'`, file.name);
  const lengths = values.shape ?? [];
  if (lengths.length === 2) {
    return { storage: "dense", label, shape: [lengths[0]!, lengths[1]!], type, values };
  }
  if (lengths.length === 1 && expected !== undefined && expected[0] * expected[1] === lengths[0]) {
    return { storage: "dense", label, shape: expected, type, values };
  }
  throw new FormatError(`matrix '${label}': ${lengths.length} dimensions, expected 2`, { where: file.name });
}

function sparseFormat(file: H5File, path: string): "csr" | "csc" | null {
  const encoding = textAttribute(file, path, "encoding-type") ?? textAttribute(file, path, "h5sparse_format");
  if (encoding === "csr_matrix" || encoding === "csr") return "csr";
  return encoding === "csc_matrix" || encoding === "csc" ? "csc" : null;
}

function locateSparse(file: H5File, path: string, label: string): SparseLocation {
  const where = { where: file.name };
  const storage = sparseFormat(file, path);
  if (storage === null) {
    const encoding = textAttribute(file, path, "encoding-type") ?? "none";
    throw new UnsupportedError(
      `matrix '${label}': encoding '${encoding}', expected csr_matrix or csc_matrix`,
      where,
    );
  }
  const shape = sparseShape(file, path);
  if (shape === null) throw new FormatError(`matrix '${label}': no attribute 'shape' of two counts`, where);
  for (const part of ["indptr", "indices", "data"]) {
    if (file.kind(`${path}/${part}`) === "dataset") continue;
    throw new FormatError(`matrix '${label}': no dataset '${part}'`, where);
  }
  const [indptr, indices, data] = ["indptr", "indices", "data"].map(
    (part) => new H5Dataset(file, `${path}/${part}`),
  ) as [H5Dataset, H5Dataset, H5Dataset];
  const type = expectNumbers(data.type, `matrix '${label}'`, file.name);
  checkLength(label, "indices", indices.rows, data.rows, file.name);
  checkLength(label, "indptr", indptr.rows, shape[storage === "csr" ? 0 : 1] + 1, file.name);
  return { storage, label, shape, type, indptr, indices, data };
}

function sparseShape(file: H5File, path: string): MatrixShape | null {
  const shape = readAttribute(file, path, "shape") ?? readAttribute(file, path, "h5sparse_shape");
  if (!Array.isArray(shape) || shape.length !== 2) return null;
  const [rows, columns] = shape.map(Number) as [number, number];
  const valid = [rows, columns].every((count) => Number.isSafeInteger(count) && count >= 0);
  return valid ? [rows, columns] : null;
}

function checkLength(label: string, part: string, actual: number, expected: number, where: string): void {
  if (actual === expected) return;
  throw new FormatError(`matrix '${label}': ${part} has ${actual} entries, expected ${expected}`, { where });
}

/** indptr, checked: 8 bytes per row (csr) or column (csc). */
export function readIndptr(location: SparseLocation): Float64Array {
  const { indptr, label, storage, data } = location;
  const stored = data.rows;
  const positions = toFloat64(indptr.numbers());
  const bad = firstBadPosition(positions, stored);
  if (bad < 0) return positions;
  const line = storage === "csr" ? "row" : "column";
  throw new FormatError(
    `matrix '${label}', ${line} ${Math.max(0, bad - 1)}: indptr[${bad}] is ${positions[bad]}, ` +
      `expected values from 0 to ${stored} that never fall`,
    { where: indptr.file.name },
  );
}

function toFloat64(values: TypedArray): Float64Array {
  if (values instanceof Float64Array) return values;
  return Float64Array.from(values as NumberArray, Number);
}

/** Indices as int32; one beyond its range becomes -1, which is out of range as well. */
export function toIndices(values: TypedArray): Int32Array {
  if (values instanceof Int32Array) return values;
  if (values instanceof Uint32Array) return new Int32Array(values.buffer, values.byteOffset, values.length);
  if (!(values instanceof BigInt64Array || values instanceof BigUint64Array)) return Int32Array.from(values);
  const halves = new Int32Array(values.buffer, values.byteOffset, values.length * 2);
  const indices = new Int32Array(values.length);
  for (let at = 0; at < indices.length; at++) {
    indices[at] = halves[2 * at + 1] === 0 ? halves[2 * at]! : -1;
  }
  return indices;
}

/** The error for an index that is out of range. `position` is that of the stored value. */
export function indexError(location: SparseLocation, indptr: NumberArray, position: number): FormatError {
  const major = majorOf(indptr, position);
  const [line, other, limit] =
    location.storage === "csr" ? ["row", "column", location.shape[1]] : ["column", "row", location.shape[0]];
  const value = location.indices.numbers(position, position + 1)[0];
  return new FormatError(
    `matrix '${location.label}', ${line} ${major}: ${other} index ${value} at position ${position}, ` +
      `expected 0 to ${limit - 1}`,
    { where: location.indices.file.name },
  );
}

/** The last row or column that starts at or before `position`. */
function majorOf(indptr: NumberArray, position: number): number {
  let [low, high] = [0, indptr.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (indptr[middle]! <= position) low = middle;
    else high = middle;
  }
  return low;
}
