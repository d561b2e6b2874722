import type { ArraySchema, Dimension, NDRange } from "../../format/array-schema.js";
import { datatypeInfo, VAR_NUM } from "../../format/datatype.js";
import type { DimensionBounds, RTree } from "../../format/fragment/rtree.js";
import { setScalar } from "../../format/scalar.js";
import type { StoreOptions } from "../../storage/types.js";
import type { FragmentReader } from "../directory/fragment-reader.js";
import { type Intervals, type Overlap, overlapWith } from "./intervals.js";
import { comparableBounds, type DimensionTest, touchedTiles } from "./touched-tiles.js";

/** A sparse fragment in a query: its tiles' rectangles and how they lie to the ranges. */
export interface SparseSource {
  readonly fragment: FragmentReader;
  /** Position among the array's visible fragments: later ones win. */
  readonly index: number;
  readonly tree: RTree;
  /** Tiles that may hold cells of the ranges, ascending. */
  readonly tiles: readonly number[];
  /** Whether tile `t` lies inside the intervals of dimension `d`, or partly so. */
  overlap(t: number, d: number): Overlap;
}

/**
 * The fragment's tiles that the ranges touch, by the R-tree's leaves; null where there are none. Leaves are searched where
 * they are sorted, otherwise each is looked at: with the bounds in typed arrays that is cheaper than walking levels.
 */
export async function openSparseSource(
  fragment: FragmentReader,
  index: number,
  schema: ArraySchema,
  intervals: readonly (Intervals | null)[],
  options: StoreOptions,
): Promise<SparseSource | null> {
  const tree = await fragment.rtree(options);
  const tests = intervals.map((one, d) =>
    one === null ? null : dimensionTest(one, schema.dimensions[d]!, tree.bounds[d]!),
  );
  const tiles = touchedTiles(tree, tests);
  if (tiles.length === 0) return null;
  const overlap = (t: number, d: number) => tests[d]?.overlap(t) ?? "covered";
  return { fragment, index, tree, tiles, overlap };
}

function dimensionTest(intervals: Intervals, dimension: Dimension, stored: DimensionBounds): DimensionTest {
  const bounds = comparableBounds(dimension, stored);
  return { intervals, bounds, overlap: overlapWith(intervals, dimension, bounds.bounds) };
}

/** True if all dimensions of tile `t` are covered: every cell of it is in the ranges. */
export function isCovered(source: SparseSource, t: number): boolean {
  return source.tree.bounds.every((_, d) => source.overlap(t, d) === "covered");
}

/** Whether the fragment's non-empty domain touches the ranges; false spares it the R-tree. */
export function fragmentTouches(
  fragment: FragmentReader,
  schema: ArraySchema,
  intervals: readonly (Intervals | null)[],
): boolean {
  const { nonEmptyDomain } = fragment.footer;
  if (nonEmptyDomain === null) return false;
  return intervals.every((one, d) => {
    if (one === null) return true;
    const dimension = schema.dimensions[d]!;
    return overlapWith(one, dimension, nonEmptyBounds(dimension, nonEmptyDomain[d]!))(0) !== "none";
  });
}

/** A fragment's extent along a dimension, in the R-tree's terms. */
export function nonEmptyBounds(
  { datatype, cellValNum }: Dimension,
  [low, high]: NDRange[number],
): DimensionBounds {
  if (cellValNum === VAR_NUM) return { kind: "text", lo: [String(low)], hi: [String(high)] };
  const { array } = datatypeInfo(datatype);
  const lo = new array(1);
  const hi = new array(1);
  if (typeof low !== "string") setScalar(lo, 0, low);
  if (typeof high !== "string") setScalar(hi, 0, high);
  return { kind: "fixed", lo, hi };
}
