import type { CompressedCells } from "../../array/read/compressed/compressed.js";
import type { TypedArray } from "../../util/typed-arrays.js";

/**
 * From a matrix compressed by columns to the same compressed by rows, by counting: cells come column after column, so
 * that columns ascend within rows.
 *
 * @param byColumn first cell of each column and the end; row and value of each cell, rows ascending within a column
 */
export function compressRows(byColumn: CompressedCells, rowCount: number): CompressedCells {
  const { indptr: columnStarts, indices: rows, values } = byColumn;
  const indptr = new Uint32Array(rowCount + 1);
  for (let at = 0; at < rows.length; at++) indptr[rows[at]! + 1]!++;
  for (let row = 0; row < rowCount; row++) indptr[row + 1]! += indptr[row]!;
  // One column is in the order of its rows.
  if (columnStarts.length === 2) return { indptr, indices: new Int32Array(rows.length), values };
  const targets = new Uint32Array(rows.length);
  const indices = new Int32Array(rows.length);
  const next = indptr.slice(0, rowCount);
  for (let column = 0; column + 1 < columnStarts.length; column++) {
    const end = columnStarts[column + 1]!;
    for (let at = columnStarts[column]!; at < end; at++) {
      const target = next[rows[at]!]!++;
      targets[at] = target;
      indices[target] = column;
    }
  }
  return { indptr, indices, values: moved(values, targets) };
}

function moved<T extends TypedArray>(values: T, targets: Uint32Array): T {
  const type = values.constructor as new (length: number) => T;
  const result = new type(values.length);
  for (let at = 0; at < targets.length; at++) result[targets[at]!] = values[at]!;
  return result;
}
