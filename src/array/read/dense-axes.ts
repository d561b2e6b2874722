import { LimitError } from "../../errors.js";
import type { ArraySchema, Dimension, NDRange } from "../../format/array-schema.js";
import { datatypeInfo } from "../../format/datatype.js";
import { setScalar } from "../../format/scalar.js";
import type { TypedArray } from "../../util/typed-arrays.js";
import { allocate } from "../column-ops.js";
import { type DenseTiling, domainOffset, domainOrigin } from "../order/dense-tiling.js";
import { type Intervals, rangesOf } from "./intervals.js";

/**
 * The coordinates that a dense read selects, dimension by dimension. Offsets count cells from the domain's origin.
 */
export interface Axis {
  /** Sorted runs of coordinates that don't overlap. */
  readonly runs: readonly AxisRun[];
  /** Selected coordinates in all: the result's size along this dimension. */
  readonly size: number;
}

export interface AxisRun {
  /** Offset of the first coordinate. */
  readonly start: number;
  readonly length: number;
  /** Position of the first coordinate along the result's dimension. */
  readonly position: number;
}

/** The part of a run that lies in one tile. */
export interface AxisPiece {
  /** First cell inside the tile along the dimension. */
  readonly inTile: number;
  readonly inResult: number;
  readonly length: number;
}

/** One axis per dimension: the intervals, or the whole non-empty domain where there are none. */
export function denseAxes(
  schema: ArraySchema,
  intervals: readonly (Intervals | null)[],
  nonEmpty: NDRange | null,
  where: string,
): Axis[] {
  return schema.dimensions.map((dimension, d) => {
    const given = intervals[d] ?? null;
    const ranges = given === null ? (nonEmpty === null ? [] : [nonEmpty[d]!]) : rangesOf(given, dimension);
    const runs: AxisRun[] = [];
    let size = 0;
    for (const [low, high] of ranges) {
      const start = domainOffset(dimension, low, where);
      const length = domainOffset(dimension, high, where) - start + 1;
      runs.push({ start, length, position: size });
      size += length;
    }
    if (size > Number.MAX_SAFE_INTEGER) {
      throw new LimitError(`${size} coordinates selected along '${dimension.name}'`, { where });
    }
    return { runs, size };
  });
}

/** What of an axis lies in each of a fragment's tiles along that dimension, by tile (counted from the origin). */
export function axisPieces(axis: Axis, tiling: DenseTiling, d: number): Map<number, AxisPiece[]> {
  const pieces = new Map<number, AxisPiece[]>();
  const extent = tiling.extents[d]!;
  for (const { start, length, position } of axis.runs) {
    const from = Math.max(start, tiling.low[d]!);
    const to = Math.min(start + length - 1, tiling.high[d]!);
    for (let at = from; at <= to; ) {
      const tile = Math.floor(at / extent);
      const end = Math.min(to + 1, (tile + 1) * extent);
      const piece = { inTile: at - tile * extent, inResult: position + at - start, length: end - at };
      const list = pieces.get(tile);
      if (list === undefined) pieces.set(tile, [piece]);
      else list.push(piece);
      at = end;
    }
  }
  return pieces;
}

/** The coordinates of an axis in the dimension's own type. */
export function axisCoordinates(axis: Axis, dimension: Dimension): TypedArray {
  const values = allocate(datatypeInfo(dimension.datatype).array, axis.size, `'${dimension.name}'`);
  const origin = domainOrigin(dimension);
  for (const { start, length, position } of axis.runs) {
    for (let i = 0; i < length; i++) {
      const offset = start + i;
      setScalar(values, position + i, typeof origin === "bigint" ? origin + BigInt(offset) : origin + offset);
    }
  }
  return values;
}
