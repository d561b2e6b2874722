import { datatypeInfo, isBigDatatype } from "../../../format/datatype.js";
import { isLittleEndian, viewAs } from "../../../util/typed-arrays.js";
import type { StoredField } from "../../directory/stored-field.js";
import type { SparseSource } from "../sparse-source.js";

/** One tile of a matrix: cells of the rows and columns of its rectangle, sorted by row, then column. */
export interface MatrixTile {
  readonly source: SparseSource;
  /** Number in its fragment. */
  readonly tile: number;
  readonly cells: number;
  readonly firstRow: number;
  readonly lastRow: number;
  /** True if every cell is wanted, and columns keep their numbers. */
  readonly whole: boolean;
  /** Columns of the first and the last cell, for finding duplicates. */
  firstColumn: number;
  lastColumn: number;
}

/** Coordinates are 32-bit numbers here. */
const MOST = 0xffffffff;

/**
 * The tile with its rectangle, null where that has coordinates beyond 32 bits.
 *
 * @param dimensions numbers of the dimensions of rows and of columns
 * @param allColumns false where some are wanted only
 */
export function matrixTile(
  source: SparseSource,
  tile: number,
  dimensions: readonly [number, number],
  allColumns: boolean,
): MatrixTile | null {
  const ends: number[] = [];
  for (const d of dimensions) {
    const bounds = source.tree.bounds[d]!;
    if (bounds.kind !== "fixed") return null;
    ends.push(Number(bounds.lo[tile]), Number(bounds.hi[tile]));
  }
  if (ends.some((end) => end < 0 || end > MOST)) return null;
  const whole = allColumns && source.overlap(tile, dimensions[0]) === "covered";
  const cells = source.fragment.cellsOf(tile);
  const [firstRow, lastRow] = [ends[0]!, ends[1]!];
  return { source, tile, cells, firstRow, lastRow, whole, firstColumn: 0, lastColumn: 0 };
}

/**
 * Decodes a tile's coordinates along one dimension, which are all known to be 32-bit numbers from 0 on: of 64-bit ones
 * the lower halves.
 *
 * @param target a number per cell
 * @param fromThread the tile as another thread has decoded it
 */
export function decodeCoordinates(
  field: StoredField,
  tile: number,
  stored: readonly Uint8Array[],
  target: Uint32Array,
  fromThread?: Uint8Array,
): void {
  const { datatype } = field.field;
  const { bytes } = datatypeInfo(datatype);
  if (bytes === 4) {
    const bytes = new Uint8Array(target.buffer, target.byteOffset, target.byteLength);
    field.decodeFixed(tile, stored, bytes, fromThread);
    return;
  }
  const decoded = field.decodeFixed(tile, stored, undefined, fromThread);
  if (isBigDatatype(datatype)) lowerHalves(viewAs(decoded, Uint32Array), target);
  else target.set(bytes === 1 ? decoded : viewAs(decoded, Uint16Array));
}

function lowerHalves(words: Uint32Array, target: Uint32Array): void {
  const low = isLittleEndian ? 0 : 1;
  for (let i = 0; i < target.length; i++) target[i] = words[2 * i + low]!;
}
