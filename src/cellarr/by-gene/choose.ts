import type { TileDBArray } from "../../array/open.js";

/**
 * Which of two arrays with the same cells answers a query cheaper: by the cells of the tiles that each has to decode.
 * They are laid out alike, so that a tile costs the same in both.
 */

export interface MatrixRequest {
  /** Inclusive runs of cells asked for, ascending. */
  readonly cells: readonly (readonly [number, number])[];
  /** Inclusive runs of genes asked for, ascending. */
  readonly genes: readonly (readonly [number, number])[];
  readonly total: { readonly cells: number; readonly genes: number };
}

/** So few tiles of the matrix are read before it is worth a look at whether there is a copy. */
const FEW_TILES = 4;
/** Estimates that lie so far apart decide; closer ones are settled by the tiles' rectangles. */
const FAR_APART = 4;

/** Cells of tiles, without looking at them: an estimate for the matrix, the most there can be for the copy. */
export function estimate(array: TileDBArray, request: MatrixRequest): { matrix: number; copyAtMost: number } {
  const { capacity } = array.schema;
  const stored = array.fragments.reduce((sum, { cellCount }) => sum + cellCount, 0);
  const perCell = stored / Math.max(1, request.total.cells);
  const matrix = countOf(request.cells) * perCell + request.cells.length * capacity;
  const copy = countOf(request.genes) * request.total.cells + request.genes.length * capacity;
  return { matrix: Math.min(stored, matrix), copyAtMost: Math.min(stored, copy) };
}

function countOf(runs: MatrixRequest["cells"]): number {
  return runs.reduce((sum, [first, last]) => sum + last - first + 1, 0);
}

/** Whether the copy may be cheaper: false spares the look at whether there is one. */
export function mayNeedCopy(array: TileDBArray, request: MatrixRequest): boolean {
  if (countOf(request.genes) >= request.total.genes) return false;
  return estimate(array, request).matrix > FEW_TILES * array.schema.capacity;
}

/** True if the copy is cheaper. */
export async function isCopyCheaper(
  matrix: TileDBArray,
  copy: TileDBArray,
  request: MatrixRequest,
  signal?: AbortSignal | undefined,
): Promise<boolean> {
  const rough = estimate(matrix, request);
  if (rough.copyAtMost * FAR_APART <= rough.matrix) return true;
  const [ofMatrix, ofCopy] = await Promise.all([
    matrix.extent(queryOf(matrix, request, signal)),
    copy.extent(queryOf(copy, request, signal)),
  ]);
  return ofCopy.cells < ofMatrix.cells;
}

function queryOf({ schema }: TileDBArray, { cells, genes }: MatrixRequest, signal: AbortSignal | undefined) {
  const [cell, gene] = schema.dimensions;
  return { ranges: { [cell!.name]: cells, [gene!.name]: genes }, signal };
}
