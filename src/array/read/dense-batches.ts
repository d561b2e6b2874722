import type { ArraySchema, Coordinate, Dimension } from "../../format/array-schema.js";
import { datatypeInfo, isBigDatatype, VAR_NUM } from "../../format/datatype.js";
import { conditionFields } from "../condition/condition-fields.js";
import type { OpenedArray } from "../opened-array.js";
import { denseTiling, domainOrigin } from "../order/dense-tiling.js";
import type { ReadOrder } from "../query.js";
import type { Axis } from "./dense-axes.js";
import { type Span, slowestFirst, tileSpans } from "./dense-order.js";
import { type Intervals, intervalsOf } from "./intervals.js";
import { selectDense } from "./read-dense.js";
import type { ResolvedQuery } from "./resolve-query.js";

/**
 * A dense read cut into boxes that follow one another in its order: along the slowest dimension first, and where one
 * step along it is too much along the next one too. In global order the steps are tiles, and cells within one tile.
 */

/** A step of the order: along a dimension by whole tiles, or by cells. */
interface Level {
  readonly d: number;
  readonly byTile: boolean;
}

/** Positions along each axis that are still to be read: [from, to). */
type Box = readonly Span[];

/** Queries whose results, one after the other, are those of the query; each of a cell or what the budget holds. */
export function* denseParts(
  array: OpenedArray,
  query: ResolvedQuery,
  budget: number,
): Generator<ResolvedQuery> {
  const { schema, uri } = array;
  const { axes, cellCount } = selectDense(array, query);
  if (cellCount === 0) {
    yield query;
    return;
  }
  const { extents } = denseTiling(schema, null, uri);
  const tiles = axes.map((axis, d) => tileSpans(axis, extents[d]!));
  const cells = Math.max(1, Math.floor(budget / denseCellBytes(array, query)));
  const whole = axes.map(({ size }): Span => [0, size]);
  for (const box of cut(whole, levelsOf(schema, query.order), tiles, cells)) {
    yield { ...query, intervals: box.map((span, d) => spanIntervals(schema.dimensions[d]!, axes[d]!, span)) };
  }
}

function levelsOf(schema: ArraySchema, order: ReadOrder): Level[] {
  const count = schema.dimensions.length;
  const along = (colMajor: boolean, byTile: boolean) =>
    slowestFirst(count, colMajor).map((d): Level => ({ d, byTile }));
  if (order !== "global") return along(order === "col-major", false);
  return [
    ...along(schema.tileOrder === "col-major", true),
    ...along(schema.cellOrder === "col-major", false),
  ];
}

/** Boxes of at most so many cells, or of one. */
function* cut(
  box: Box,
  levels: readonly Level[],
  tiles: readonly (readonly Span[])[],
  most: number,
): Generator<Box> {
  const [level, ...rest] = levels;
  const cells = box.reduce((product, [from, to]) => product * (to - from), 1);
  if (cells <= most || level === undefined) {
    yield box;
    return;
  }
  const { d, byTile } = level;
  const [from, to] = box[d]!;
  const steps = Math.floor(most / (cells / (to - from)));
  for (const span of pieces(box[d]!, tiles[d]!, steps, byTile)) {
    const part = box.map((one, k) => (k === d ? span : one));
    yield* cut(part, rest, tiles, most);
  }
}

/**
 * Runs of at most `steps` positions, but whole tiles (or, by cells, one position) at least. They end at tiles' edges
 * where there is one within the steps: a tile that lies across two pieces is read twice.
 */
function* pieces(
  [start, end]: Span,
  tiles: readonly Span[],
  steps: number,
  byTile: boolean,
): Generator<Span> {
  let from = start;
  let edge = start;
  for (const [low, high] of tiles) {
    const to = Math.min(high, end);
    if (to <= start || low >= end) continue;
    if (to - from > steps && edge > from) {
      yield [from, edge];
      from = edge;
    }
    while (!byTile && to - from > steps) {
      const next = Math.min(to, from + Math.max(1, steps));
      yield [from, next];
      from = next;
      if (from === to) break;
    }
    edge = to;
  }
  if (from < edge) yield [from, edge];
}

/** The coordinates at those positions of an axis. */
function spanIntervals(dimension: Dimension, { runs }: Axis, [from, to]: Span): Intervals {
  const offsets: Span[] = [];
  for (const { start, length, position } of runs) {
    const first = Math.max(from, position);
    const end = Math.min(to, position + length);
    if (first < end) offsets.push([start + first - position, start + end - position]);
  }
  return offsetIntervals(dimension, offsets);
}

/** The coordinates at those distances from the domain's origin, ends exclusive. */
export function offsetIntervals(dimension: Dimension, offsets: readonly Span[]): Intervals {
  const origin = domainOrigin(dimension);
  const big = isBigDatatype(dimension.datatype);
  const coordinate = (offset: number): Coordinate =>
    big ? BigInt(origin) + BigInt(offset) : Number(origin) + offset;
  return intervalsOf(
    dimension,
    offsets.map(([from, to]) => [coordinate(from), coordinate(to - 1)] as const),
  );
}

/** Bytes of a cell, decoded and in the result; of variable-length cells what the fragments' files hold on average. */
function denseCellBytes({ schema, fragments }: OpenedArray, query: ResolvedQuery): number {
  const cells = fragments.reduce((sum, fragment) => sum + fragment.cellCount, 0);
  const stored = fragments.reduce(
    (sum, { footer }) => sum + footer.fileVarSizes.reduce((a, b) => a + b, 0),
    0,
  );
  const decides = query.condition === null ? [] : conditionFields(query.condition);
  let bytes = 0;
  for (const { name, datatype, cellValNum } of [...schema.attributes, ...schema.dimensions]) {
    if (![...query.attributes, ...query.dimensions, ...decides].includes(name)) continue;
    bytes +=
      cellValNum === VAR_NUM
        ? 12 + (4 * stored) / Math.max(1, cells)
        : datatypeInfo(datatype).bytes * cellValNum;
  }
  return 2 * Math.max(1, bytes);
}
