import { compareBytes } from "../../format/text-bytes.js";
import type { TypedArray } from "../../util/typed-arrays.js";
import {
  compareEnd,
  firstAbove,
  firstNotBelow,
  type NumericIntervals,
  type TextIntervals,
} from "./intervals.js";

/** Some positions of a sequence (cells of a tile, entries of another selection), ascending: a run or a list. */
export type Selection =
  | { readonly kind: "run"; readonly from: number; readonly to: number }
  | { readonly kind: "list"; readonly cells: Uint32Array };

export function run(from: number, to: number): Selection {
  return { kind: "run", from, to };
}

export function selectionSize(selection: Selection): number {
  return selection.kind === "run" ? selection.to - selection.from : selection.cells.length;
}

/** True if the selection is all of a sequence of `count`. */
export function isAll(selection: Selection, count: number): boolean {
  return selectionSize(selection) === count;
}

/** The entries of `outer` whose positions in `outer` are `inner`. */
export function compose(outer: Selection, inner: Selection): Selection {
  if (outer.kind === "run") {
    const { from } = outer;
    if (inner.kind === "run") return run(from + inner.from, from + inner.to);
    return { kind: "list", cells: from === 0 ? inner.cells : inner.cells.map((cell) => from + cell) };
  }
  if (inner.kind === "run") return { kind: "list", cells: outer.cells.subarray(inner.from, inner.to) };
  const cells = new Uint32Array(inner.cells.length);
  for (let i = 0; i < cells.length; i++) cells[i] = outer.cells[inner.cells[i]!]!;
  return { kind: "list", cells };
}

/** The first `count` of `positions` as a selection, a run where they are one. Takes over the memory. */
export function asSelection(positions: Uint32Array, count = positions.length): Selection {
  if (count === 0) return run(0, 0);
  const first = positions[0]!;
  if (positions[count - 1]! - first === count - 1) return run(first, first + count);
  // Lists outlive their tile: what a scan reserved beyond them is given back.
  return { kind: "list", cells: count === positions.length ? positions : positions.slice(0, count) };
}

/** Positions where the mask is not 0. */
export function maskSelection(mask: Uint8Array): Selection {
  const positions = new Uint32Array(mask.length);
  let count = 0;
  for (let i = 0; i < mask.length; i++) if (mask[i] !== 0) positions[count++] = i;
  return asSelection(positions, count);
}

/**
 * Positions of ascending `values` that are in the intervals, by binary search: the fast way where a tile's cells are
 * sorted by the dimension.
 */
export function searchSorted(values: TypedArray, { lo, hi }: NumericIntervals): Selection {
  const size = values.length;
  if (size === 0) return run(0, 0);
  const runs: [number, number][] = [];
  let at = 0;
  let total = 0;
  for (let i = firstNotBelow(hi, values[0]!, 0, hi.length); i < lo.length && at < size; i++) {
    if (lo[i]! > values[size - 1]!) break;
    const start = firstNotBelow(values, lo[i]!, at, size);
    at = firstAbove(values, hi[i]!, start, size);
    if (start === at) continue;
    runs.push([start, at]);
    total += at - start;
  }
  const cells = new Uint32Array(total);
  let n = 0;
  for (const [start, end] of runs) for (let cell = start; cell < end; cell++) cells[n++] = cell;
  return asSelection(cells);
}

/** A test of values along one dimension, chosen once per query: positions of those that pass. */
export type NumericFilter = (values: TypedArray) => Selection;

/** Largest span of integer intervals for which membership is a table: 4 MB, made once per query. */
const MAX_TABLE = 1 << 22;

export function numericFilter(intervals: NumericIntervals, integer: boolean): NumericFilter {
  const { lo, hi } = intervals;
  if (lo.length === 0) return () => run(0, 0);
  if (lo.length === 1) return (values) => filterOne(values, lo[0]!, hi[0]!);
  const [low, high] = [lo[0]!, hi[hi.length - 1]!];
  if (integer && typeof low === "number" && typeof high === "number" && high - low < MAX_TABLE) {
    const table = new Uint8Array(high - low + 1);
    for (let i = 0; i < lo.length; i++) table.fill(1, Number(lo[i]) - low, Number(hi[i]) - low + 1);
    return (values) => filterTable(values, table, low);
  }
  return (values) => filterMany(values, intervals);
}

function filterOne(values: TypedArray, low: number | bigint, high: number | bigint): Selection {
  const kept = new Uint32Array(values.length);
  let n = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value >= low && value <= high) kept[n++] = i;
  }
  return asSelection(kept, n);
}

function filterTable(values: TypedArray, table: Uint8Array, low: number): Selection {
  const kept = new Uint32Array(values.length);
  let n = 0;
  for (let i = 0; i < values.length; i++) {
    if (table[(values[i] as number) - low] === 1) kept[n++] = i;
  }
  return asSelection(kept, n);
}

function filterMany(values: TypedArray, { lo, hi }: NumericIntervals): Selection {
  const kept = new Uint32Array(values.length);
  let n = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    const at = firstNotBelow(hi, value, 0, hi.length);
    if (at < lo.length && lo[at]! <= value) kept[n++] = i;
  }
  return asSelection(kept, n);
}

/** Positions of texts that are in the intervals, compared by bytes. */
export function filterText(offsets: Uint32Array, data: Uint8Array, intervals: TextIntervals): Selection {
  const size = offsets.length - 1;
  const kept = new Uint32Array(size);
  let n = 0;
  for (let i = 0; i < size; i++) {
    if (inTexts(data.subarray(offsets[i]!, offsets[i + 1]!), intervals)) kept[n++] = i;
  }
  return asSelection(kept, n);
}

function inTexts(text: Uint8Array, { lo, hi }: TextIntervals): boolean {
  let low = 0;
  let high = hi.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareEnd(hi[middle]!, text) < 0) low = middle + 1;
    else high = middle;
  }
  return low < lo.length && compareBytes(lo[low]!, text) <= 0;
}
