import type { ArraySchema, Attribute, Dimension } from "../../format/array-schema.js";
import type { TypedArray } from "../../util/typed-arrays.js";
import type { FragmentReader } from "../directory/fragment-reader.js";
import { comparable } from "../order/comparable.js";
import { domainOrigin } from "../order/dense-tiling.js";
import { Block } from "./block.js";
import { loadColumn } from "./block-columns.js";
import type { Axis, AxisRun } from "./dense-axes.js";
import type { DenseBuild } from "./dense-columns.js";
import type { Intervals } from "./intervals.js";
import { maskSelection } from "./selection.js";
import { openSparseSource, type SparseSource } from "./sparse-source.js";
import type { FetchOptions } from "./tile-fetch.js";

/**
 * Sparse fragments inside dense arrays: cores before 2.4 could write single cells of a dense array so. Their cells are
 * laid over those of older fragments, and newer fragments over them.
 */

/** A dense read under construction. */
export interface DenseTarget {
  readonly schema: ArraySchema;
  readonly axes: readonly Axis[];
  /** Cells of the result between neighbours along each dimension. */
  readonly strides: readonly number[];
  readonly builds: ReadonlyMap<Attribute, DenseBuild>;
  /** A byte per cell of the result, set to 1 where a fragment has it; none where nobody asks. */
  readonly kept: Uint8Array | undefined;
}

/** The fragment's tiles that may hold selected cells; null where there are none. */
export function overlayTiles(
  fragment: FragmentReader,
  schema: ArraySchema,
  intervals: readonly (Intervals | null)[],
  options: FetchOptions,
): Promise<SparseSource | null> {
  return openSparseSource(fragment, 0, schema, intervals, { signal: options.signal });
}

/** Puts the selected cells of a sparse fragment in their places. */
export async function layOver(
  source: SparseSource,
  { schema, axes, strides, builds, kept }: DenseTarget,
  options: FetchOptions,
): Promise<void> {
  const blocks = source.tiles.map((tile) => new Block(source, tile));
  const places = new Map<Block, Float64Array>();
  for (const [d, dimension] of schema.dimensions.entries()) {
    await loadColumn(blocks, schema, dimension.name, options, (block, column) => {
      if (column.kind === "var") return;
      const sums = places.get(block) ?? new Float64Array(block.count);
      places.set(block, sums);
      addPlaces(sums, offsetsOf(dimension, column.values), axes[d]!, strides[d]!);
    });
  }
  const targets = new Map<Block, Float64Array>();
  for (const [block, sums] of places) {
    block.keep(maskSelection(Uint8Array.from(sums, (place) => (Number.isNaN(place) ? 0 : 1))));
    if (block.count > 0)
      targets.set(
        block,
        sums.filter((place) => !Number.isNaN(place)),
      );
  }
  if (kept !== undefined) for (const cells of targets.values()) for (const place of cells) kept[place] = 1;
  for (const [attribute, build] of builds) {
    await loadColumn([...targets.keys()], schema, attribute.name, options, (block, column) =>
      build.scatter(column, targets.get(block)!),
    );
  }
}

/** Distances from the domain's origin. BigInts only where a domain goes beyond 2^53. */
function offsetsOf(dimension: Dimension, values: TypedArray): Float64Array {
  const origin = domainOrigin(dimension);
  const own = comparable(dimension, values);
  if (own instanceof BigInt64Array || own instanceof BigUint64Array) {
    return Float64Array.from(own, (value) => Number(value - BigInt(origin)));
  }
  return Float64Array.from(own, (value) => value - Number(origin));
}

/** Adds what one dimension contributes to each cell's place in the result; NaN for cells that are not selected. */
function addPlaces(sums: Float64Array, offsets: Float64Array, { runs }: Axis, stride: number): void {
  for (let i = 0; i < offsets.length; i++) {
    const offset = offsets[i]!;
    const run = lastRunFrom(runs, offset);
    const inside = run !== undefined && offset < run.start + run.length;
    sums[i]! += inside ? (run.position + offset - run.start) * stride : Number.NaN;
  }
}

/** The last run that starts at or before `offset`. */
function lastRunFrom(runs: readonly AxisRun[], offset: number): AxisRun | undefined {
  let low = 0;
  let high = runs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (runs[middle]!.start <= offset) low = middle + 1;
    else high = middle;
  }
  return runs[low - 1];
}
