import type { OpenedArray } from "../../opened-array.js";
import { type DenseTiling, denseTiling, strides } from "../../order/dense-tiling.js";
import type { AggregateResult } from "../../query.js";
import type { Axis } from "../dense-axes.js";
import { denseParts, offsetIntervals } from "../dense-batches.js";
import type { Span } from "../dense-order.js";
import type { DenseSource, DenseTile } from "../dense-sources.js";
import { type DenseSelection, readSelection, selectDense } from "../read-dense.js";
import type { ResolvedQuery } from "../resolve-query.js";
import { BATCH_BYTES, resultOf, type Totals, totalsOf } from "./totals.js";
import { addTile } from "./whole-tiles.js";

/**
 * Aggregates of dense arrays, over the cells that some fragment has: what a read gives as fill values is none of them, be
 * it that nobody wrote there or that a condition fails. The count of cells is that of the ranges, as in the core.
 */
export async function aggregateDense(array: OpenedArray, query: ResolvedQuery): Promise<AggregateResult> {
  const totals = totalsOf(query);
  const selection = selectDense(array, query);
  const known = await addKnownTiles(array, query, selection, totals);
  const unknown = unknownSlabs(array, query, selection, known);
  if (unknown === null) return resultOf(selection.cellCount, totals);
  for (const part of denseParts(array, unknown, BATCH_BYTES)) {
    const whole = selectDense(array, part);
    const sources = withoutTiles(whole.sources, known);
    if (sources.length === 0) continue;
    const kept = new Uint8Array(whole.cellCount);
    const { columns } = await readSelection(
      array,
      part,
      { ...whole, sources },
      { signal: query.signal, kept },
    );
    for (const [name, total] of totals) total.addColumn(columns[name]!, kept);
  }
  return resultOf(selection.cellCount, totals);
}

/** Adds the tiles that count whole, by their statistics; gives their places. */
async function addKnownTiles(
  array: OpenedArray,
  { condition, signal }: ResolvedQuery,
  { sources }: DenseSelection,
  totals: ReadonlyMap<string, Totals>,
): Promise<ReadonlySet<string>> {
  const known = new Set<string>();
  // Sparse fragments put single cells over tiles.
  if (condition !== null || sources.some(({ fragment }) => !fragment.footer.dense)) return known;
  for (const [i, source] of sources.entries()) {
    const newer = sources.slice(i + 1).map(({ tiling }) => tiling);
    const placeOf = placing(source);
    for (const tile of source.tiles) {
      const place = placeOf(tile);
      if (!isWhole(tile, source.tiling) || newer.some((one) => touches(one, place))) continue;
      if (await addTile(array, source.fragment, tile.tile, totals, signal)) known.add(place.join());
    }
  }
  return known;
}

/** Whether all cells of the tile are asked for. Pieces lie in the fragment's own box: it then has them all. */
function isWhole({ pieces }: DenseTile, { extents }: DenseTiling): boolean {
  return pieces.every((list, d) => list.reduce((sum, { length }) => sum + length, 0) === extents[d]);
}

/** Whether a fragment has cells of the tile at those tile coordinates. */
function touches({ low, high, extents }: DenseTiling, place: readonly number[]): boolean {
  return place.every((at, d) => at * extents[d]! <= high[d]! && low[d]! < (at + 1) * extents[d]!);
}

/** Tile coordinates from the domain's origin, of a tile of the source. */
function placing({ fragment, tiling }: DenseSource): (tile: DenseTile) => number[] {
  const steps = strides(tiling.tiles, fragment.schema.tileOrder === "col-major");
  return ({ tile }) =>
    steps.map((step, d) => tiling.firstTile[d]! + (Math.floor(tile / step) % tiling.tiles[d]!));
}

/** The sources without their tiles at those places. */
function withoutTiles(sources: readonly DenseSource[], known: ReadonlySet<string>): DenseSource[] {
  const rest = sources.map((source) => {
    const placeOf = placing(source);
    return { ...source, tiles: source.tiles.filter((tile) => !known.has(placeOf(tile).join())) };
  });
  return rest.filter(({ fragment, tiles }) => tiles.length > 0 || !fragment.footer.dense);
}

/** The query narrowed, along each dimension, to the tiles that are still to be read; null where there are none. */
function unknownSlabs(
  array: OpenedArray,
  query: ResolvedQuery,
  { axes, sources }: DenseSelection,
  known: ReadonlySet<string>,
): ResolvedQuery | null {
  const { schema, uri } = array;
  const rest = withoutTiles(sources, known);
  if (rest.length === 0) return null;
  if (rest.some(({ fragment }) => !fragment.footer.dense)) return query;
  const slabs = axes.map(() => new Set<number>());
  for (const source of rest) {
    const placeOf = placing(source);
    for (const tile of source.tiles) for (const [d, at] of placeOf(tile).entries()) slabs[d]!.add(at);
  }
  const { extents } = denseTiling(schema, null, uri);
  const intervals = axes.map((axis, d) =>
    offsetIntervals(schema.dimensions[d]!, offsetsIn(axis, extents[d]!, slabs[d]!)),
  );
  return { ...query, intervals };
}

/** What of an axis lies in those tiles, as offsets from the domain's origin. */
function offsetsIn({ runs }: Axis, extent: number, tiles: ReadonlySet<number>): Span[] {
  const sorted = [...tiles].sort((a, b) => a - b);
  const spans: Span[] = [];
  let first = 0;
  for (const { start, length } of runs) {
    while (first < sorted.length && (sorted[first]! + 1) * extent <= start) first++;
    for (let t = first; t < sorted.length && sorted[t]! * extent < start + length; t++) {
      const from = Math.max(start, sorted[t]! * extent);
      spans.push([from, Math.min(start + length, (sorted[t]! + 1) * extent)]);
    }
  }
  return spans;
}
