import type { TileDBArray } from "../array/open.js";
import type { ReadQuery, ReadResult } from "../array/query.js";
import type { Coordinate } from "../format/array-schema.js";

/**
 * A read in batches of rows (ranges of the first dimension), so that memory depends on the batch and not on the
 * array. Batches follow one another in row-major order. A first dimension of strings or floats makes one batch.
 */

/** Cells of a batch at most, where a range of rows can be found that has so few. */
const BATCH_CELLS = 400_000;

type RowRange = readonly [Coordinate, Coordinate];

/** `rows` are sorted ranges of the first dimension without overlap. */
export async function* readRowBatches(
  array: TileDBArray,
  query: ReadQuery,
  rows: readonly RowRange[],
  maxCells = BATCH_CELLS,
): AsyncGenerator<ReadResult> {
  const name = array.schema.dimensions[0]!.name;
  const rangesOf = (part: readonly RowRange[]): ReadQuery => ({
    ...query,
    ranges: { ...query.ranges, [name]: part },
  });
  const cellsOf = async (part: readonly RowRange[]): Promise<number> =>
    (await array.plan(rangesOf(part))).totals.cellsAtMost;
  // Last in, first out: the front half of what was split is on top.
  const waiting: { rows: readonly RowRange[]; cells: number }[] = [{ rows, cells: await cellsOf(rows) }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (next.cells === 0) continue;
    const halves = next.cells > maxCells ? splitRows(next.rows) : undefined;
    if (halves !== undefined) {
      const [front, back] = [await cellsOf(halves[0]), await cellsOf(halves[1])];
      // Where tiles span all rows, as in column-major arrays, smaller batches would only read them again and again.
      if (front + back < 1.5 * next.cells) {
        waiting.push({ rows: halves[1], cells: back }, { rows: halves[0], cells: front });
        continue;
      }
    }
    yield await array.read(rangesOf(next.rows));
  }
}

/** Cuts between two ranges, or one range of integers in the middle; undefined where nothing can be cut. */
function splitRows(rows: readonly RowRange[]): [RowRange[], RowRange[]] | undefined {
  if (rows.length > 1) {
    const middle = rows.length >> 1;
    return [rows.slice(0, middle), rows.slice(middle)];
  }
  const [low, high] = rows[0]!;
  if (typeof low === "bigint" && typeof high === "bigint" && low < high) {
    const middle = low + (high - low) / 2n;
    return [[[low, middle]], [[middle + 1n, high]]];
  }
  if (Number.isInteger(low) && Number.isInteger(high) && low < high) {
    const middle = Math.floor((Number(low) + Number(high)) / 2);
    return [[[Number(low), middle]], [[middle + 1, Number(high)]]];
  }
  return undefined;
}
