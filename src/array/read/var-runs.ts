import { LimitError } from "../../errors.js";
import type { VarCells } from "../../format/tile.js";
import { allocate } from "../column-ops.js";
import type { CopyLayout, DenseTile } from "./dense-sources.js";

/** Cells of variable length that lie side by side in a tile and in the result: of a frame's tile all that are wanted. */

export interface VarRun {
  /** No more than the cells of the run. */
  readonly cells: VarCells;
  /** Place of the first in the result. */
  readonly to: number;
}

/** What is wanted of the tile, where that is one run: its first cell in the tile and in the result, and its length. */
export function onlyRun(
  tile: DenseTile,
  layout: CopyLayout,
): { from: number; to: number; length: number } | null {
  const [pieces, ...others] = tile.pieces;
  const [piece, ...more] = pieces ?? [];
  const [step] = layout.resultStrides;
  if (piece === undefined || others.length > 0 || more.length > 0 || step !== 1) return null;
  return { from: piece.inTile, to: piece.inResult, length: piece.length };
}

/** The column of `count` cells that the runs make up, with memory of its own; null where they overlap or miss cells. */
export function joinRuns(runs: readonly VarRun[], count: number, name: string): VarCells | null {
  const sorted = runs.toSorted((a, b) => a.to - b.to);
  let cells = 0;
  let size = 0;
  for (const run of sorted) {
    if (run.to !== cells) return null;
    cells += run.cells.offsets.length - 1;
    size += bytesOfRun(run);
  }
  if (cells !== count) return null;
  if (size > 0xffffffff) throw new LimitError(`${size} bytes of '${name}' in one read, at most 4 GiB`);
  const offsets = allocate(Uint32Array, count + 1, `'${name}'`);
  const data = allocate(Uint8Array, size, `'${name}'`);
  let at = 0;
  for (const run of sorted) {
    const start = run.cells.offsets[0]!;
    const own = offsets.subarray(run.to, run.to + run.cells.offsets.length);
    own.set(run.cells.offsets);
    if (at !== start) for (let i = 0; i < own.length; i++) own[i] = own[i]! - start + at;
    data.set(run.cells.data.subarray(start, start + bytesOfRun(run)), at);
    at += bytesOfRun(run);
  }
  return { offsets, data };
}

function bytesOfRun({ cells: { offsets } }: VarRun): number {
  return offsets[offsets.length - 1]! - offsets[0]!;
}
