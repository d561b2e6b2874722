import { ArgumentError, throwIfAborted } from "../errors.js";
import type { NumberArray, TypedArray } from "../util/typed-arrays.js";
import { newArray } from "./h5-type.js";
import { dtypeOf } from "./matrix.js";
import { type BlockOptions, type CsrBlock, DEFAULT_MAX_CELLS } from "./source.js";

/** What the readers of all storages share: how many rows make a block, and how cells become one. */

/** Checked options. */
export function maxCellsOf(options: BlockOptions): number {
  const maxCells = options.maxCells ?? DEFAULT_MAX_CELLS;
  if (Number.isSafeInteger(maxCells) && maxCells > 0) return maxCells;
  throw new ArgumentError(`maxCells is ${maxCells}, expected a positive integer`);
}

/**
 * End of the block of rows that starts at `first`: as many as hold `maxCells` stored values, at least one row, at most
 * `maxCells` rows.
 * @param indptr positions of rows, rows + 1
 */
export function blockEnd(indptr: NumberArray, first: number, maxCells: number): number {
  const rows = indptr.length - 1;
  const limit = Math.min(rows, first + maxCells);
  const start = indptr[first]!;
  let end = first + 1;
  while (end < limit && indptr[end + 1]! - start <= maxCells) end++;
  return end;
}

/** Positions of rows [first, end) relative to the first. */
export function relativeIndptr(indptr: NumberArray, first: number, end: number): Uint32Array {
  const relative = new Uint32Array(end - first + 1);
  const start = indptr[first]!;
  for (let row = 0; row < relative.length; row++) relative[row] = indptr[first + row]! - start;
  return relative;
}

/** Non-zero cells of dense rows. `values` holds them from `start` on, row after row. */
export function denseBlock(
  values: TypedArray,
  start: number,
  firstRow: number,
  rowCount: number,
  columns: number,
): CsrBlock {
  // Number or bigint makes no difference to what happens here: cells are compared with zero and copied.
  const cells = values as NumberArray;
  const zero = zeroOf(values);
  const indptr = new Uint32Array(rowCount + 1);
  const end = start + rowCount * columns;
  let count = 0;
  for (let at = start, row = 0; row < rowCount; row++) {
    for (const rowEnd = at + columns; at < rowEnd; at++) if (cells[at] !== zero) count++;
    indptr[row + 1] = count;
  }
  const indices = new Int32Array(count);
  const kept = newArray(dtypeOf(values), count);
  const target = kept as NumberArray;
  for (let at = start, to = 0, column = 0; at < end; at++) {
    const value = cells[at]!;
    if (value !== zero) {
      indices[to] = column;
      target[to++] = value;
    }
    if (++column === columns) column = 0;
  }
  return { firstRow, rowCount, indptr, indices, values: kept };
}

function zeroOf(values: TypedArray): number {
  const big = values instanceof BigInt64Array || values instanceof BigUint64Array;
  return (big ? 0n : 0) as number;
}

/** The stored values of a matrix compressed by columns, piece by piece. */
export interface ColumnScan {
  readonly rows: number;
  /** Columns + 1. */
  readonly indptr: NumberArray;
  readonly dtype: Parameters<typeof newArray>[0];
  /**
   * Calls `work` with consecutive pieces: the position of the first, rows, and values (null unless asked for). Rows
   * are checked to be within the matrix.
   */
  scan(withValues: boolean, work: (start: number, rows: Int32Array, values: TypedArray | null) => void): void;
}

/** Cells gathered by one pass over a csc matrix, in blocks of `maxCells`. */
const BLOCKS_PER_PASS = 4;

/**
 * Rows of a matrix compressed by columns. Its cells lie column by column, so rows can only be had by reading all of
 * it: once to count the cells of each row, then once for every 4 x maxCells cells (so memory is bounded by 4 x maxCells
 * cells and 12 bytes per row). With the default of 4 Mi cells, a matrix of 100 million cells is read 1 + 6 times; a
 * larger maxCells costs memory and saves passes.
 */
export async function* readCscBlocks(source: ColumnScan, options: BlockOptions): AsyncGenerator<CsrBlock> {
  const maxCells = maxCellsOf(options);
  const indptr = rowPositions(source);
  for (let first = 0; first < source.rows; ) {
    throwIfAborted(options.signal);
    const end = blockEnd(indptr, first, maxCells * BLOCKS_PER_PASS);
    const pass = gatherRows(source, indptr, first, end);
    const relative = pass.indptr;
    for (let row = 0; row < end - first; ) {
      throwIfAborted(options.signal);
      const next = blockEnd(relative, row, maxCells);
      const [from, to] = [relative[row]!, relative[next]!];
      yield {
        firstRow: first + row,
        rowCount: next - row,
        indptr: relativeIndptr(relative, row, next),
        indices: pass.indices.slice(from, to),
        values: pass.values.slice(from, to),
      };
      row = next;
    }
    first = end;
  }
}

function rowPositions(source: ColumnScan): Float64Array {
  const indptr = new Float64Array(source.rows + 1);
  source.scan(false, (_start, rows) => {
    for (let at = 0; at < rows.length; at++) indptr[rows[at]! + 1]!++;
  });
  for (let row = 0; row < source.rows; row++) indptr[row + 1]! += indptr[row]!;
  return indptr;
}

function gatherRows(source: ColumnScan, indptr: Float64Array, first: number, end: number): CsrBlock {
  const relative = relativeIndptr(indptr, first, end);
  const next = relative.slice();
  const count = relative[end - first]!;
  const indices = new Int32Array(count);
  const values = newArray(source.dtype, count);
  const target = values as NumberArray;
  let column = 0;
  source.scan(true, (start, rows, pieceValues) => {
    const from = pieceValues as NumberArray;
    for (let at = 0; at < rows.length; at++) {
      while (start + at >= source.indptr[column + 1]!) column++;
      const row = rows[at]! - first;
      if (row < 0 || row >= end - first) continue;
      const to = next[row]!++;
      indices[to] = column;
      target[to] = from[at]!;
    }
  });
  return { firstRow: first, rowCount: end - first, indptr: relative, indices, values };
}
