import type { FragmentReader } from "../directory/fragment-reader.js";
import { type DenseTiling, denseTiling, strides } from "../order/dense-tiling.js";
import { type Axis, type AxisPiece, axisPieces } from "./dense-axes.js";

/** Which tiles of which fragments a dense read needs, and the runs of cells to copy from them. */

export interface DenseTile {
  /** Number in the fragment. */
  readonly tile: number;
  /** Per dimension, what to take of the tile. */
  readonly pieces: readonly (readonly AxisPiece[])[];
}

export interface DenseSource {
  readonly fragment: FragmentReader;
  /** Of sparse fragments, the tiles of the array that they lie in. */
  readonly tiling: DenseTiling;
  /** Ascending by number. None of sparse fragments, whose tiles their R-tree tells (see dense-overlay.ts). */
  readonly tiles: readonly DenseTile[];
  /** Fragments of one wave don't overlap; a later wave overwrites earlier ones. */
  readonly wave: number;
}

/**
 * Sources of a dense read. A tile is left out where a newer fragment covers all that is asked of it.
 */
export function denseSources(fragments: readonly FragmentReader[], axes: readonly Axis[]): DenseSource[] {
  const tilings = fragments.map((fragment) => fragment.tiling);
  const sources: DenseSource[] = [];
  for (const [index, fragment] of fragments.entries()) {
    const { schema, footer, uri } = fragment;
    const tiling = fragment.tiling ?? denseTiling(schema, footer.nonEmptyDomain, uri);
    if (tiling.tileCount === 0) continue;
    // A sparse fragment hides nothing: it need not have every cell of its box.
    const newer = tilings
      .slice(index + 1)
      .filter((one) => one !== null && one.tileCount > 0) as DenseTiling[];
    const tiles = footer.dense ? tilesOf(fragment, tiling, axes, newer) : [];
    if (footer.dense && tiles.length === 0) continue;
    const older = sources.filter((source) => overlaps(source.tiling, tiling));
    const wave = older.reduce((last, source) => Math.max(last, source.wave + 1), 0);
    sources.push({ fragment, tiling, tiles, wave });
  }
  return sources;
}

function tilesOf(
  fragment: FragmentReader,
  tiling: DenseTiling,
  axes: readonly Axis[],
  newer: readonly DenseTiling[],
): DenseTile[] {
  const perAxis = axes.map((axis, d) => axisPieces(axis, tiling, d));
  if (perAxis.some((pieces) => pieces.size === 0)) return [];
  const tileStrides = strides(tiling.tiles, fragment.schema.tileOrder === "col-major");
  const tiles: DenseTile[] = [];
  const visit = (d: number, tile: number, pieces: (readonly AxisPiece[])[], at: number[]): void => {
    if (d === perAxis.length) {
      if (!newer.some((one) => hides(one, tiling, pieces, at))) tiles.push({ tile, pieces });
      return;
    }
    for (const [index, list] of perAxis[d]!) {
      const step = (index - tiling.firstTile[d]!) * tileStrides[d]!;
      visit(d + 1, tile + step, [...pieces, list], [...at, index]);
    }
  };
  visit(0, 0, [], []);
  return tiles.sort((a, b) => a.tile - b.tile);
}

/** True if the newer fragment has every cell that is asked of the tile at those tile coordinates. */
function hides(
  newer: DenseTiling,
  tiling: DenseTiling,
  pieces: readonly (readonly AxisPiece[])[],
  at: readonly number[],
): boolean {
  return pieces.every((list, d) => {
    const start = at[d]! * tiling.extents[d]!;
    const last = list.at(-1)!;
    return (
      start + list[0]!.inTile >= newer.low[d]! && start + last.inTile + last.length - 1 <= newer.high[d]!
    );
  });
}

function overlaps(a: DenseTiling, b: DenseTiling): boolean {
  return a.low.every((low, d) => low <= b.high[d]! && b.low[d]! <= a.high[d]!);
}

/** Where cells lie: in the tile and in the result. */
export interface CopyLayout {
  /** Cells between neighbours along each dimension. */
  readonly tileStrides: readonly number[];
  readonly resultStrides: readonly number[];
  /** Whether cells in the tile are column-major. */
  readonly colMajor: boolean;
}

/**
 * Calls `each` for every run of cells along the tile's fastest dimension: `length` cells from position `from` in the
 * tile, next to one another, to position `to` in the result, `step` apart.
 */
export function forEachRun(
  pieces: readonly (readonly AxisPiece[])[],
  { tileStrides, resultStrides, colMajor }: CopyLayout,
  each: (from: number, to: number, length: number, step: number) => void,
): void {
  const fastest = colMajor ? 0 : tileStrides.length - 1;
  const outer = pieces.map((_, d) => d).filter((d) => d !== fastest);
  const visit = (level: number, from: number, to: number): void => {
    if (level === outer.length) {
      for (const { inTile, inResult, length } of pieces[fastest]!) {
        each(from + inTile, to + inResult * resultStrides[fastest]!, length, resultStrides[fastest]!);
      }
      return;
    }
    const d = outer[level]!;
    for (const { inTile, inResult, length } of pieces[d]!) {
      for (let i = 0; i < length; i++) {
        visit(level + 1, from + (inTile + i) * tileStrides[d]!, to + (inResult + i) * resultStrides[d]!);
      }
    }
  };
  visit(0, 0, 0);
}
