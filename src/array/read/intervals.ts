import { ArgumentError, OutOfDomainError } from "../../errors.js";
import type { Coordinate, Dimension } from "../../format/array-schema.js";
import { isBigDatatype, VAR_NUM } from "../../format/datatype.js";
import { bytesOfText, compareBytes, textOfBytes } from "../../format/text-bytes.js";
import type { TypedArray } from "../../util/typed-arrays.js";
import { isInteger } from "../integer-types.js";
import { comparable, comparableType } from "../order/comparable.js";
import type { DimensionSelection } from "../query.js";

/**
 * The selection along one dimension as sorted intervals that don't overlap, both ends inclusive.
 */

export interface NumericIntervals {
  readonly kind: "numeric";
  /** Of the dimension's comparable type, see comparable.ts. */
  readonly lo: TypedArray;
  readonly hi: TypedArray;
}

export interface TextIntervals {
  readonly kind: "text";
  readonly lo: readonly Uint8Array[];
  readonly hi: readonly Uint8Array[];
}

export type Intervals = NumericIntervals | TextIntervals;

/** Checks a selection against its dimension and sorts it. Throws OutOfDomainError or ArgumentError. */
export function intervalsOf(dimension: Dimension, selection: DimensionSelection): Intervals {
  checkShape(dimension, selection);
  return dimension.cellValNum === VAR_NUM
    ? textIntervals(dimension, selection)
    : numericIntervals(dimension, selection);
}

/** What the types promise, for callers without them: a mistake must not select other cells, or none. */
function checkShape({ name }: Dimension, selection: DimensionSelection): void {
  if (ArrayBuffer.isView(selection)) return;
  const expected = "a list of coordinates and [low, high] ranges";
  if (!Array.isArray(selection)) {
    throw new ArgumentError(`'${name}': a selection is ${expected}, found ${String(selection)}`);
  }
  for (const entry of selection) {
    const isRange = Array.isArray(entry) && entry.length === 2;
    if (isRange ? entry.every((end) => end === null || isCoordinate(end)) : isCoordinate(entry)) continue;
    throw new ArgumentError(`'${name}': a selection is ${expected}, found ${String(entry)} in it`);
  }
}

function isCoordinate(value: unknown): boolean {
  return typeof value === "number" || typeof value === "bigint" || typeof value === "string";
}

/** The intervals as callers write ranges. */
export function rangesOf(intervals: Intervals, dimension: Dimension): (readonly [Coordinate, Coordinate])[] {
  const big = isBigDatatype(dimension.datatype);
  const back = (value: number | bigint) => (big ? BigInt(value) : value);
  if (intervals.kind === "text") {
    return intervals.lo.map((low, i) => [textOfBytes(low), textOfBytes(intervals.hi[i]!)] as const);
  }
  const { lo, hi } = intervals;
  return Array.from({ length: lo.length }, (_, i) => [back(lo[i]!), back(hi[i]!)] as const);
}

function numericIntervals(dimension: Dimension, selection: DimensionSelection): NumericIntervals {
  const type = comparableType(dimension);
  const lo = new type(selection.length);
  const hi = new type(selection.length);
  let points = true;
  for (let i = 0; i < selection.length; i++) {
    const entry = selection[i]!;
    if (typeof entry === "object") {
      // Only texts have no domain.
      const low = entry[0] ?? dimension.domain![0];
      const high = entry[1] ?? dimension.domain![1];
      store(dimension, lo, i, low);
      store(dimension, hi, i, high);
      points = false;
      if (lo[i]! > hi[i]!) throw badRange(dimension, [low, high], "its low end is above its high end");
    } else {
      store(dimension, lo, i, entry);
      hi[i] = lo[i]!;
    }
  }
  return merged(points ? sortPoints(lo) : sortRanges(lo, hi), isInteger(dimension.datatype));
}

function store(dimension: Dimension, array: TypedArray, i: number, value: Coordinate): void {
  const { name, domain, datatype } = dimension;
  if (typeof value === "string" || Number.isNaN(value)) {
    throw new ArgumentError(`'${name}' is ${datatype}; ${JSON.stringify(value)} is no coordinate of it`);
  }
  const integer = isInteger(datatype);
  if (integer && typeof value === "number" && !Number.isInteger(value)) {
    throw new ArgumentError(`'${name}' is ${datatype}; ${value} is no whole number`);
  }
  if (!integer && typeof value === "bigint") value = Number(value);
  if (domain !== null && (value < domain[0] || value > domain[1])) {
    throw new OutOfDomainError(`'${name}': ${value} is outside the domain ${domain[0]} to ${domain[1]}`);
  }
  if (array instanceof BigInt64Array || array instanceof BigUint64Array) array[i] = BigInt(value);
  else array[i] = Number(value);
}

function badRange(dimension: Dimension, range: readonly [Coordinate, Coordinate], problem: string) {
  return new ArgumentError(`'${dimension.name}': range ${range[0]} to ${range[1]}: ${problem}`);
}

type Pair = { lo: TypedArray; hi: TypedArray };

function sortPoints(points: TypedArray): Pair {
  const lo = points.sort();
  return { lo, hi: lo };
}

function sortRanges(lo: TypedArray, hi: TypedArray): Pair {
  const order = Uint32Array.from({ length: lo.length }, (_, i) => i);
  order.sort((a, b) => (lo[a]! < lo[b]! ? -1 : lo[a]! > lo[b]! ? 1 : 0));
  const [from, to] = [lo.slice(), hi.slice()];
  for (let i = 0; i < order.length; i++) {
    from[i] = lo[order[i]!]!;
    to[i] = hi[order[i]!]!;
  }
  return { lo: from, hi: to };
}

/** Joins what overlaps; of integers also what adjoins. */
function merged(pair: Pair, integer: boolean): NumericIntervals {
  const lo = pair.lo.slice();
  const hi = pair.hi.slice();
  let count = 0;
  for (let i = 0; i < lo.length; i++) {
    const [from, to] = [pair.lo[i]!, pair.hi[i]!];
    if (count > 0 && joins(hi[count - 1]!, from, integer)) {
      if (to > hi[count - 1]!) hi[count - 1] = to;
    } else {
      lo[count] = from;
      hi[count] = to;
      count++;
    }
  }
  return { kind: "numeric", lo: lo.subarray(0, count), hi: hi.subarray(0, count) };
}

function joins(end: number | bigint, next: number | bigint, integer: boolean): boolean {
  if (next <= end) return true;
  if (!integer) return false;
  return typeof end === "bigint" ? next === end + 1n : next === end + 1;
}

const NO_TEXT = new Uint8Array(0);
/** The open end above every text, known by identity: `compareEnd` puts it above whatever bytes there are. */
const LAST_TEXT = Uint8Array.of(0xff);

/** Order of an interval's upper end and a text. */
export function compareEnd(end: Uint8Array, text: Uint8Array): number {
  if (end === LAST_TEXT) return text === LAST_TEXT ? 0 : 1;
  return text === LAST_TEXT ? -1 : compareBytes(end, text);
}

function textEnd(dimension: Dimension, value: Coordinate): Uint8Array {
  if (typeof value === "string") return bytesOfText(value);
  throw new ArgumentError(`'${dimension.name}' is ${dimension.datatype}; ${value} is no text`);
}

function textIntervals(dimension: Dimension, selection: DimensionSelection): TextIntervals {
  const ranges: [Uint8Array, Uint8Array][] = [];
  for (const entry of selection) {
    const [low, high] = typeof entry === "object" ? entry : [entry, entry];
    const from = low === null ? NO_TEXT : textEnd(dimension, low);
    const to = high === null ? LAST_TEXT : textEnd(dimension, high);
    if (compareEnd(to, from) < 0) {
      throw badRange(dimension, [low ?? "", high ?? ""], "its low end is above its high end");
    }
    ranges.push([from, to]);
  }
  ranges.sort((a, b) => compareBytes(a[0], b[0]));
  const lo: Uint8Array[] = [];
  const hi: Uint8Array[] = [];
  for (const [low, high] of ranges) {
    const last = hi.at(-1);
    if (last === undefined || compareEnd(last, low) < 0) {
      lo.push(low);
      hi.push(high);
    } else if (compareEnd(high, last) > 0) hi[hi.length - 1] = high;
  }
  return { kind: "text", lo, hi };
}

/** How a tile's range along one dimension lies to the intervals. */
export type Overlap = "none" | "partial" | "covered";

/** A classifier of ranges [lo[t], hi[t]] of tiles. `lo` and `hi` are of the dimension's own type. */
export function overlapWith(
  intervals: Intervals,
  dimension: Dimension,
  bounds:
    | { readonly kind: "fixed"; readonly lo: TypedArray; readonly hi: TypedArray }
    | { readonly kind: "text"; readonly lo: readonly string[]; readonly hi: readonly string[] },
): (t: number) => Overlap {
  if (intervals.kind === "numeric" && bounds.kind === "fixed") {
    const lo = comparable(dimension, bounds.lo);
    const hi = comparable(dimension, bounds.hi);
    return (t) => numericOverlap(intervals, lo[t]!, hi[t]!);
  }
  if (intervals.kind === "text" && bounds.kind === "text") {
    return (t) => textOverlap(intervals, bytesOfText(bounds.lo[t]!), bytesOfText(bounds.hi[t]!));
  }
  return () => "none";
}

function numericOverlap({ lo, hi }: NumericIntervals, low: number | bigint, high: number | bigint): Overlap {
  const i = firstNotBelow(hi, low, 0, hi.length);
  if (i === hi.length || lo[i]! > high) return "none";
  return lo[i]! <= low && hi[i]! >= high ? "covered" : "partial";
}

function textOverlap({ lo, hi }: TextIntervals, low: Uint8Array, high: Uint8Array): Overlap {
  let i = 0;
  let end = hi.length;
  while (i < end) {
    const middle = (i + end) >>> 1;
    if (compareEnd(hi[middle]!, low) < 0) i = middle + 1;
    else end = middle;
  }
  if (i === hi.length || compareBytes(lo[i]!, high) > 0) return "none";
  return compareBytes(lo[i]!, low) <= 0 && compareEnd(hi[i]!, high) >= 0 ? "covered" : "partial";
}

/** The first position in [from, to) of a sorted array whose value is not below `value`. */
export function firstNotBelow(values: TypedArray, value: number | bigint, from: number, to: number): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The first position in [from, to) of a sorted array whose value is above `value`. */
export function firstAbove(values: TypedArray, value: number | bigint, from: number, to: number): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle]! <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}
