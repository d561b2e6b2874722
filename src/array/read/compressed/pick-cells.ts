import { FormatError } from "../../../errors.js";
import { firstNotBelow } from "../intervals.js";
import type { RowRuns } from "./row-runs.js";

/** Taking wanted rows and columns out of a tile whose runs of rows are known. */

/** Wanted columns: their numbers, strictly ascending, and the place in the result of each column there is. */
export interface WantedColumns {
  readonly numbers: Uint32Array;
  /** -1 of those not wanted. */
  readonly places: Int32Array;
}

export function wantedColumns(numbers: Uint32Array, total: number): WantedColumns {
  const places = new Int32Array(total).fill(-1);
  for (let place = 0; place < numbers.length; place++) places[numbers[place]!] = place;
  return { numbers, places };
}

/** What is wanted of a tile. */
export interface Picked {
  readonly count: number;
  /** Columns as places in the result. */
  readonly columns: Int32Array;
  /** Positions in the tile: [from, to) of runs, one pair after the other, or of single cells. */
  readonly runs: Uint32Array | null;
  readonly cells: Uint32Array | null;
}

/** Memory for the cells of the largest tile, used for one tile after the other. */
export interface PickScratch {
  readonly cells: Uint32Array;
  readonly columns: Int32Array;
  readonly runs: Uint32Array;
}

/** How many times a row's run must be as long as columns are wanted for a search of each to be faster than a scan. */
const SEARCH_RATIO = 24;

/**
 * The cells of the wanted rows, and of the wanted columns where these are not all (null).
 *
 * @param rows wanted rows, strictly ascending
 * @param first row of the first run
 * @param counts cells found so far of each wanted row, which are added to
 * @throws FormatError for a column that is not below `total`
 */
export function pickCells(
  columns: Uint32Array,
  runs: RowRuns,
  first: number,
  rows: Uint32Array,
  wanted: WantedColumns | null,
  total: number,
  counts: Uint32Array,
  scratch: PickScratch,
  where: string,
): Picked {
  const { starts } = runs;
  let place = firstNotBelow(rows, first, 0, rows.length);
  let count = 0;
  let kept = 0;
  for (let k = 0; k < runs.count; k++) {
    const row = runs.rows === null ? first + k : runs.rows[k]!;
    while (place < rows.length && rows[place]! < row) place++;
    if (place === rows.length) break;
    if (rows[place] !== row) continue;
    const [from, to] = [starts[k]!, starts[k + 1]!];
    checkColumn(columns[to - 1]!, total, where);
    const before = count;
    if (wanted === null) {
      scratch.runs[kept * 2] = from;
      scratch.runs[kept * 2 + 1] = to;
      kept++;
      count += to - from;
    } else if (wanted.numbers.length * SEARCH_RATIO < to - from) {
      count = searchRun(columns, from, to, wanted.numbers, scratch, count);
    } else count = scanRun(columns, from, to, wanted.places, scratch, count);
    counts[place] = counts[place]! + count - before;
  }
  if (wanted !== null) {
    return {
      count,
      columns: scratch.columns.slice(0, count),
      runs: null,
      cells: scratch.cells.slice(0, count),
    };
  }
  const picked = scratch.runs.slice(0, kept * 2);
  return { count, columns: copyRuns(columns, picked, count), runs: picked, cells: null };
}

/** Columns ascend within a row, so that the last is the largest. */
export function checkColumn(column: number, total: number, where: string): void {
  if (column < total) return;
  throw new FormatError(`tile: a cell at ${column}, expected below ${total}`, { where });
}

function copyRuns(columns: Uint32Array, runs: Uint32Array, count: number): Int32Array {
  const copy = new Uint32Array(count);
  let at = 0;
  for (let k = 0; k < runs.length; k += 2) {
    copy.set(columns.subarray(runs[k]!, runs[k + 1]!), at);
    at += runs[k + 1]! - runs[k]!;
  }
  return new Int32Array(copy.buffer);
}

/** Every cell's column is looked up; what is not wanted is written over by the next. */
function scanRun(
  columns: Uint32Array,
  from: number,
  to: number,
  places: Int32Array,
  scratch: PickScratch,
  count: number,
): number {
  const { cells, columns: found } = scratch;
  for (let i = from; i < to; i++) {
    const place = places[columns[i]!]!;
    cells[count] = i;
    found[count] = place;
    count += (place >>> 31) ^ 1;
  }
  return count;
}

/** Every wanted column is looked for among the cells. */
function searchRun(
  columns: Uint32Array,
  from: number,
  to: number,
  numbers: Uint32Array,
  scratch: PickScratch,
  count: number,
): number {
  const { cells, columns: found } = scratch;
  let at = from;
  for (let place = 0; place < numbers.length; place++) {
    const number = numbers[place]!;
    at = firstNotBelow(columns, number, at, to);
    for (; at < to && columns[at] === number; at++) {
      cells[count] = at;
      found[count++] = place;
    }
  }
  return count;
}
