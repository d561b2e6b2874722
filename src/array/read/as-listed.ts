import { ArgumentError } from "../../errors.js";
import type { Dimension } from "../../format/array-schema.js";
import { takeCells } from "../column-ops.js";
import type { OpenedArray } from "../opened-array.js";
import { domainOffset, product, strides } from "../order/dense-tiling.js";
import type { DimensionSelection, ReadQuery, ReadResult } from "../query.js";
import type { Axis } from "./dense-axes.js";
import { selectDense } from "./read-dense.js";
import type { ResolvedQuery } from "./resolve-query.js";

/** Dense reads with the coordinates along each dimension in the order in which they are listed, and as often. */

/** Throws ArgumentError where ranges cannot be taken as lists. */
export function checkListed({ schema, uri }: OpenedArray, { order }: ResolvedQuery): void {
  if (schema.arrayType === "dense" && (order === "row-major" || order === "col-major")) return;
  throw new ArgumentError(
    `asListed is for dense arrays in row-major or col-major order; this one is ${schema.arrayType}, order ${order}`,
    { where: uri },
  );
}

/** The cells that a query gives as a set, as its ranges list them. */
export function listCells(
  array: OpenedArray,
  query: ResolvedQuery,
  ranges: ReadQuery["ranges"],
  result: ReadResult,
): ReadResult {
  const { dimensions } = array.schema;
  const { axes, shape } = selectDense(array, query);
  const listed = dimensions.map((dimension, d) =>
    positionsAlong(dimension, axes[d]!, ranges?.[dimension.name], array.uri),
  );
  const sizes = listed.map((positions) => positions.length);
  const colMajor = query.order === "col-major";
  const cells = new Uint32Array(product(sizes, "cells selected", array.uri));
  const [from, to] = [strides(shape, colMajor), strides(sizes, colMajor)];
  for (const [d, positions] of listed.entries()) addAlong(cells, positions, from[d]!, to[d]!);
  const columns = Object.entries(result.columns).map(([name, column]) => [name, takeCells(column, cells)]);
  return { cellCount: cells.length, columns: Object.fromEntries(columns), shape: sizes };
}

/** Positions along the axis of what a selection lists; all of them where there is none. */
function positionsAlong(
  dimension: Dimension,
  { runs, size }: Axis,
  selection: DimensionSelection | undefined,
  where: string,
): number[] {
  if (selection === undefined) return Array.from({ length: size }, (_, i) => i);
  const positions: number[] = [];
  for (const entry of selection) {
    const [low, high] = typeof entry === "object" ? entry : [entry, entry];
    const first = domainOffset(dimension, low ?? dimension.domain![0], where);
    const last = domainOffset(dimension, high ?? dimension.domain![1], where);
    // Ranges that overlap or adjoin were joined, so one run holds the whole entry.
    const { start, position } = runs.findLast((one) => one.start <= first)!;
    for (let at = first; at <= last; at++) positions.push(position + at - start);
  }
  return positions;
}

/** Adds to each cell's place what one dimension contributes. */
function addAlong(cells: Uint32Array, positions: readonly number[], from: number, to: number): void {
  const period = positions.length * to;
  for (let cell = 0; cell < cells.length; cell++) {
    cells[cell]! += positions[Math.floor((cell % period) / to)]! * from;
  }
}
