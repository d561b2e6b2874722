import type { Dimension } from "../../format/array-schema.js";
import type { DimensionBounds, RTree } from "../../format/fragment/rtree.js";
import type { TypedArray } from "../../util/typed-arrays.js";
import { comparable } from "../order/comparable.js";
import { firstAbove, firstNotBelow, type Intervals, type Overlap } from "./intervals.js";

/**
 * Which tiles a query's ranges touch. Cells are sorted, so that along the first dimension of the order the tiles' ends
 * ascend: there the ranges' tiles are searched for, and the others are not looked at.
 */

interface ComparableBounds {
  readonly bounds: DimensionBounds;
  /** Both ends ascend from tile to tile. */
  readonly sorted: boolean;
}

const kept = new WeakMap<DimensionBounds, ComparableBounds>();

/** A dimension's bounds in the type in which they are compared, made once. */
export function comparableBounds(dimension: Dimension, bounds: DimensionBounds): ComparableBounds {
  const known = kept.get(bounds);
  if (known !== undefined) return known;
  const made = makeComparable(dimension, bounds);
  kept.set(bounds, made);
  return made;
}

function makeComparable(dimension: Dimension, bounds: DimensionBounds): ComparableBounds {
  if (bounds.kind === "text") return { bounds, sorted: false };
  const [lo, hi] = [comparable(dimension, bounds.lo), comparable(dimension, bounds.hi)];
  return { bounds: { kind: "fixed", lo, hi }, sorted: ascends(lo) && ascends(hi) };
}

/** False where an end is no number. */
function ascends(ends: TypedArray): boolean {
  for (let t = 0; t < ends.length; t++) if (!(ends[t]! >= ends[Math.max(0, t - 1)]!)) return false;
  return true;
}

/** A query's ranges along one dimension, and how tiles lie to them. */
export interface DimensionTest {
  readonly intervals: Intervals;
  readonly bounds: ComparableBounds;
  readonly overlap: (t: number) => Overlap;
}

/** So many tiles are looked at in the time of a search for one range. */
const SEARCH_COST = 4;

/** Tiles that touch the ranges of every dimension (null: all of it), ascending. */
export function touchedTiles(tree: RTree, tests: readonly (DimensionTest | null)[]): number[] {
  const given = tests.filter((test) => test !== null);
  const searched = given.find(
    ({ bounds, intervals }) =>
      bounds.sorted && intervals.kind === "numeric" && intervals.lo.length * SEARCH_COST < tree.tileCount,
  );
  const others = given.filter((test) => test !== searched);
  const tiles: number[] = [];
  const look = (from: number, to: number) => {
    for (let t = from; t < to; t++) {
      let touches = true;
      for (const { overlap } of others) touches &&= overlap(t) !== "none";
      if (touches) tiles.push(t);
    }
  };
  if (searched === undefined) look(0, tree.tileCount);
  else search(searched, tree.tileCount, look);
  return tiles;
}

/** Calls `look` with the tiles of each range, [from, to), none of them twice. */
function search(
  { intervals, bounds: { bounds } }: DimensionTest,
  count: number,
  look: (from: number, to: number) => void,
): void {
  if (intervals.kind === "text" || bounds.kind === "text") return;
  let at = 0;
  for (let i = 0; i < intervals.lo.length && at < count; i++) {
    const from = firstNotBelow(bounds.hi, intervals.lo[i]!, at, count);
    const to = firstAbove(bounds.lo, intervals.hi[i]!, from, count);
    look(from, to);
    at = to;
  }
}
