import { FormatError } from "../../../errors.js";

/**
 * Runs of cells of one row in a tile whose cells are sorted by row, then column ("row" is whichever dimension comes
 * first in the order). Mostly the columns alone tell where rows begin, so that no coordinate of rows is decoded.
 */

export interface RowRuns {
  readonly count: number;
  /** First cell of each run, and the end; may be longer than `count + 1`. */
  readonly starts: Uint32Array;
  /** Row of each run; null where they are consecutive. */
  readonly rows: Uint32Array | null;
}

/**
 * Finds the runs of a tile with cells of the rows `first` to `last` by its columns, which ascend within a row: where one
 * does not, the next row begins. That is all of them if as many begin as there can be at most; false where fewer do, for
 * then a row may be empty, or begin beyond the end of the one before. Equal neighbours, which only arrays with
 * duplicates have, are false too.
 *
 * @param starts memory for `last - first + 2` entries
 */
export function runsByColumns(
  columns: Uint32Array,
  cells: number,
  rows: number,
  starts: Uint32Array,
): boolean {
  let count = 1;
  let previous = columns[0]!;
  starts[0] = 0;
  for (let i = 1; i < cells; i++) {
    const column = columns[i]!;
    if (column <= previous) {
      if (column === previous || count === rows) return false;
      starts[count++] = i;
    }
    previous = column;
  }
  starts[count] = cells;
  return count === rows;
}

/**
 * The runs by the cells' rows, and whether two cells have the same place.
 *
 * @throws FormatError where the cells are not sorted
 */
export function runsByRows(
  rows: Uint32Array,
  columns: Uint32Array,
  cells: number,
  where: string,
): { runs: RowRuns; duplicates: boolean } {
  let count = 0;
  let duplicates = false;
  for (let i = 0; i < cells; i++) {
    if (i === 0 || rows[i] !== rows[i - 1]) {
      if (i > 0 && rows[i]! < rows[i - 1]!) throw unsorted(i, where);
      count++;
    } else if (columns[i]! <= columns[i - 1]!) {
      if (columns[i]! < columns[i - 1]!) throw unsorted(i, where);
      duplicates = true;
    }
  }
  const starts = new Uint32Array(count + 1);
  const numbers = new Uint32Array(count);
  let n = 0;
  for (let i = 0; i < cells; i++) {
    if (i > 0 && rows[i] === rows[i - 1]) continue;
    starts[n] = i;
    numbers[n++] = rows[i]!;
  }
  starts[count] = cells;
  return { runs: { count, starts, rows: numbers }, duplicates };
}

function unsorted(cell: number, where: string): FormatError {
  return new FormatError(`tile: cell ${cell} does not follow the one before in the array's order`, { where });
}
