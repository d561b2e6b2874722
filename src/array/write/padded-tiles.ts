import type { ArraySchema } from "../../format/array-schema.js";
import { datatypeInfo } from "../../format/datatype.js";
import { allocate } from "../column-ops.js";
import type { Column, FixedColumn, VarColumn } from "../columns.js";
import { type DenseTiling, strides } from "../order/dense-tiling.js";
import { copyInto } from "./tile-buffer.js";

/** Cutting a box of row-major cells into whole space tiles. */

/** Position of a tile's cell that is outside the box. */
export const PADDING = 0xffffffff;

/**
 * For each cell of a tile, in the array's cell order, its position in the row-major box, or PADDING. `tile`: number of
 * the tile along each dimension, counted from the box's first.
 */
export function tilePositions(
  schema: ArraySchema,
  tiling: DenseTiling,
  tile: readonly number[],
): Uint32Array {
  const { extents, low, high, firstTile, cellsPerTile } = tiling;
  const start = tile.map((t, d) => (t + firstTile[d]!) * extents[d]!);
  const from = start.map((offset, d) => Math.max(offset, low[d]!));
  const to = start.map((offset, d) => Math.min(offset + extents[d]! - 1, high[d]!));
  const tileSteps = strides(extents, schema.cellOrder === "col-major");
  const boxSteps = strides(
    low.map((offset, d) => high[d]! - offset + 1),
    false,
  );
  const positions = new Uint32Array(cellsPerTile).fill(PADDING);
  const last = extents.length - 1;
  const at = [...from];
  while (at[0]! <= to[0]!) {
    let inTile = 0;
    let inBox = 0;
    for (let d = 0; d <= last; d++) {
      inTile += (at[d]! - start[d]!) * tileSteps[d]!;
      inBox += (at[d]! - low[d]!) * boxSteps[d]!;
    }
    const run = to[last]! - from[last]! + 1;
    for (let k = 0; k < run; k++) positions[inTile + k * tileSteps[last]!] = inBox + k;
    advance(at, from, to);
  }
  return positions;
}

/** To the next run: all dimensions but the last count up; past the end the first dimension is beyond `to`. */
function advance(at: number[], from: readonly number[], to: readonly number[]): void {
  for (let d = at.length - 2; d >= 0; d--) {
    at[d] = at[d]! + 1;
    if (at[d]! <= to[d]! || d === 0) return;
    at[d] = from[d]!;
  }
  at[0] = to[0]! + 1;
}

/**
 * The cells at the given positions; padding is what the official writer puts there: zeros, of variable-length fields
 * one value of zero, null in nullable ones. No reader returns it, since it is outside the non-empty domain.
 */
export function paddedCells(column: Column, positions: Uint32Array): Column {
  const cells = column.kind === "var" ? paddedVar(column, positions) : paddedFixed(column, positions);
  if (column.validity === undefined) return cells;
  const validity = new Uint8Array(positions.length);
  for (let i = 0; i < positions.length; i++) {
    if (positions[i] !== PADDING) validity[i] = column.validity[positions[i]!]!;
  }
  return { ...cells, validity };
}

function paddedFixed({ values, cellValNum, datatype }: FixedColumn, positions: Uint32Array): FixedColumn {
  const padded = allocate(datatypeInfo(datatype).array, positions.length * cellValNum, "a tile");
  for (let i = 0; i < positions.length; i++) {
    const position = positions[i]!;
    if (position === PADDING) continue;
    if (cellValNum === 1) padded[i] = values[position]!;
    else {
      const cell = values.subarray(position * cellValNum, (position + 1) * cellValNum);
      copyInto(padded, cell, i * cellValNum);
    }
  }
  return { kind: "fixed", datatype, cellValNum, values: padded };
}

function paddedVar({ offsets, data, datatype }: VarColumn, positions: Uint32Array): VarColumn {
  const { bytes: empty } = datatypeInfo(datatype);
  const ends = new Uint32Array(positions.length + 1);
  for (let i = 0; i < positions.length; i++) {
    const position = positions[i]!;
    const size = position === PADDING ? empty : offsets[position + 1]! - offsets[position]!;
    ends[i + 1] = ends[i]! + size;
  }
  const padded = allocate(Uint8Array, ends[positions.length]!, "a tile");
  for (let i = 0; i < positions.length; i++) {
    const position = positions[i]!;
    if (position === PADDING) continue;
    padded.set(data.subarray(offsets[position], offsets[position + 1]), ends[i]!);
  }
  return { kind: "var", datatype, offsets: ends, data: padded };
}
