import type { TileDBArray } from "../array/open.js";
import type { DimensionSelection } from "../array/query.js";
import { NotFoundError } from "../errors.js";
import type { Coordinate, Dimension, NDRange } from "../format/array-schema.js";
import { parseCoordinate, parseRange, type TypedRange } from "./parse.js";
import { UsageError } from "./usage.js";

/**
 * The --range options of `array read` as selections: ends that were left out come from the non-empty domain, ranges
 * of one dimension are joined.
 */

export type CoordinateRange = readonly [Coordinate, Coordinate];

export interface ResolvedRanges {
  /** By dimension; those without --range are not in it. */
  readonly ranges: Readonly<Record<string, DimensionSelection>>;
  /** Of the first dimension, sorted and without overlap unless it is one of strings; empty: one read serves. */
  readonly rows: readonly CoordinateRange[];
}

export function resolveRanges(array: TileDBArray, texts: readonly string[]): ResolvedRanges {
  const { dimensions } = array.schema;
  const nonEmpty = array.nonEmptyDomain();
  const byDimension = new Map<string, CoordinateRange[]>();
  for (const typed of texts.map(parseRange)) {
    const index = dimensions.findIndex((dimension) => dimension.name === typed.dimension);
    const dimension = dimensions[index];
    if (dimension === undefined) throw unknownDimension(array, typed.dimension);
    const ranges = byDimension.get(dimension.name) ?? [];
    byDimension.set(dimension.name, ranges);
    const range = resolveRange(typed, dimension, nonEmpty?.[index]);
    if (range !== undefined) ranges.push(range);
  }
  const ranges: Record<string, DimensionSelection> = {};
  for (const [name, all] of byDimension) ranges[name] = joinRanges(all);
  const first = dimensions[0]!.name;
  const rows = byDimension.has(first) ? joinRanges(byDimension.get(first)!) : allRows(array, nonEmpty);
  return { ranges, rows };
}

/**
 * Rows of all cells. Of sparse arrays those of the whole domain, since old cores (seen from formats 3 and 8) wrote
 * non-empty domains that leave cells out; none of a dimension of strings, which makes one batch anyway.
 */
function allRows({ schema }: TileDBArray, nonEmpty: NDRange | null): CoordinateRange[] {
  if (nonEmpty === null) return [];
  if (schema.arrayType === "dense") return [nonEmpty[0]!];
  const { domain } = schema.dimensions[0]!;
  return domain === null ? [] : [domain];
}

function unknownDimension(array: TileDBArray, name: string): NotFoundError {
  const names = array.schema.dimensions.map((dimension) => dimension.name).join(", ");
  return new NotFoundError(`no dimension '${name}', expected one of: ${names}`, { where: array.uri });
}

/** Undefined where an open end leaves nothing. */
function resolveRange(
  typed: TypedRange,
  dimension: Dimension,
  nonEmpty: CoordinateRange | undefined,
): CoordinateRange | undefined {
  const low = typed.low === undefined ? nonEmpty?.[0] : parseCoordinate(typed.low, dimension);
  const high = typed.high === undefined ? nonEmpty?.[1] : parseCoordinate(typed.high, dimension);
  if (low === undefined || high === undefined) return undefined;
  if (low <= high) return [low, high];
  if (typed.low === undefined || typed.high === undefined) return undefined;
  throw new UsageError(`--range ${dimension.name}=${typed.low}:${typed.high} ends before it starts`);
}

/** Sorted and merged where they overlap. Strings stay as they are: their order is the array layer's business. */
function joinRanges(ranges: readonly CoordinateRange[]): CoordinateRange[] {
  if (ranges.some(([low]) => typeof low === "string")) return [...ranges];
  const sorted = [...ranges].sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
  const joined: CoordinateRange[] = [];
  for (const range of sorted) {
    const last = joined.at(-1);
    if (last === undefined || range[0] > last[1]) joined.push(range);
    else if (range[1] > last[1]) joined[joined.length - 1] = [last[0], range[1]];
  }
  return joined;
}
