import { FormatError, LimitError } from "../../errors.js";
import type { ArraySchema, Coordinate, Dimension, NDRange } from "../../format/array-schema.js";

/**
 * How a dense fragment is cut into space tiles. Coordinates count from the domain's origin ("offsets"), as plain
 * numbers; every tile has all its cells, also those outside the domain. Tiles are numbered in tile order.
 */
export interface DenseTiling {
  /** Cells of a tile along each dimension. */
  readonly extents: readonly number[];
  readonly cellsPerTile: number;
  /** Non-empty domain as offsets, both ends inclusive. */
  readonly low: readonly number[];
  readonly high: readonly number[];
  /** First tile of the fragment along each dimension, counted from the origin. */
  readonly firstTile: readonly number[];
  /** Tiles of the fragment along each dimension. */
  readonly tiles: readonly number[];
  readonly tileCount: number;
}

/** The tiling of a fragment with that non-empty domain; no tiles where it is null. */
export function denseTiling(schema: ArraySchema, nonEmpty: NDRange | null, where: string): DenseTiling {
  const extents = schema.dimensions.map((dimension) => tileExtent(dimension, where));
  const cellsPerTile = product(extents, "cells of a tile", where);
  const low: number[] = [];
  const high: number[] = [];
  for (const [d, dimension] of schema.dimensions.entries()) {
    const range = nonEmpty?.[d];
    if (range === undefined) continue;
    low.push(domainOffset(dimension, range[0], where));
    high.push(domainOffset(dimension, range[1], where));
    const [from, to] = [low[d]!, high[d]!];
    const [first] = dimension.domain ?? [from];
    if (from > to || typeof range[0] === "string" || range[0] < first) {
      throw new FormatError(`fragment: non-empty domain of '${dimension.name}' is ${range.join(" to ")}`, {
        where,
      });
    }
  }
  const firstTile = low.map((offset, d) => Math.floor(offset / extents[d]!));
  const tiles = high.map((offset, d) => Math.floor(offset / extents[d]!) - firstTile[d]! + 1);
  const tileCount = nonEmpty === null ? 0 : product(tiles, "tiles of a fragment", where);
  return { extents, cellsPerTile, low, high, firstTile, tiles, tileCount };
}

/**
 * What offsets count from: the domain's low end, unless the domain has more than 2^53 cells and that end is beyond 2^53
 * below zero. Then it is the start of the tile that holds 0, since such a domain (all of int64, as TileDB-Py gives frames
 * made from CSV) is used near 0.
 */
export function domainOrigin(dimension: Dimension): number | bigint {
  const [low, high] = dimension.domain ?? [0, 0];
  const most = BigInt(Number.MAX_SAFE_INTEGER);
  if (typeof low === "number" || low >= -most || BigInt(high) - low < most) return low;
  const extent = BigInt(dimension.tileExtent ?? 1);
  return low + (-low / extent) * extent;
}

/** Distance of a coordinate from the domain's origin; LimitError beyond 2^53. */
export function domainOffset(dimension: Dimension, coordinate: Coordinate, where: string): number {
  const origin = domainOrigin(dimension);
  const offset =
    typeof coordinate === "bigint" || typeof origin === "bigint"
      ? Number(BigInt(coordinate) - BigInt(origin))
      : Number(coordinate) - origin;
  if (Math.abs(offset) <= Number.MAX_SAFE_INTEGER) return offset;
  throw new LimitError(
    `'${dimension.name}': coordinate ${coordinate} is beyond 2^53 cells from ${domainOrigin(dimension)}`,
    {
      where,
    },
  );
}

/** Number of each dimension's step between cells (or tiles), slowest first or last by order. */
export function strides(sizes: readonly number[], colMajor: boolean): number[] {
  const result: number[] = new Array(sizes.length);
  let step = 1;
  const order = sizes.map((_, d) => d);
  for (const d of colMajor ? order : order.toReversed()) {
    result[d] = step;
    step *= sizes[d]!;
  }
  return result;
}

export function product(sizes: readonly number[], what: string, where: string): number {
  let result = 1;
  for (const size of sizes) result *= size;
  if (result <= Number.MAX_SAFE_INTEGER) return result;
  throw new LimitError(`${what}: ${sizes.join(" x ")} is beyond 2^53`, { where });
}

function tileExtent(dimension: Dimension, where: string): number {
  const { tileExtent: extent, domain, name } = dimension;
  if (domain === null) throw new FormatError(`dimension '${name}' of a dense array has no domain`, { where });
  const cells = extent === null ? domainOffset(dimension, domain[1], where) + 1 : Number(extent);
  if (cells >= 1) return cells;
  throw new FormatError(`dimension '${name}' has a tile extent of ${extent}`, { where });
}
