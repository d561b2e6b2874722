import {
  ArgumentError,
  LimitError,
  OutOfDomainError,
  throwIfAborted,
  UnsupportedError,
} from "../../errors.js";
import type { ArraySchema, Coordinate, Dimension, NDRange } from "../../format/array-schema.js";
import { datatypeInfo, isBigDatatype } from "../../format/datatype.js";
import { WRITE_VERSION } from "../../format/version.js";
import type { StoreLocation } from "../../storage/types.js";
import { takeCells } from "../column-ops.js";
import type { Column } from "../columns.js";
import { attributeFields } from "../fields.js";
import { type DenseTiling, denseTiling, product, strides } from "../order/dense-tiling.js";
import { checkCells } from "./column-input.js";
import type { FieldWriter } from "./field-writer.js";
import { FragmentFiles } from "./fragment-files.js";
import { newName, writeTime } from "./new-name.js";
import { PADDING, paddedCells, tilePositions } from "./padded-tiles.js";
import { openTarget } from "./write-target.js";
import type { CellsInput, WriteOptions } from "./write-types.js";

/** Bytes of one tile of one field; larger ones don't fit the memory that a write may take. */
const MAX_TILE_BYTES = 2 ** 31;

/**
 * Writes all cells of a box of a dense array, as one fragment. The box need not be aligned to tiles: the fragment holds
 * whole tiles, its non-empty domain is the box. Nothing is written if a cell is wrong.
 *
 * @param subarray a [low, high] per dimension, both ends inclusive
 * @param cells a column per attribute, in row-major order of the box whatever the array's orders are
 * @returns the fragment's URI
 */
export async function writeDense(
  location: string | StoreLocation,
  subarray: NDRange,
  cells: CellsInput,
  options: WriteOptions = {},
): Promise<string> {
  const time = writeTime(options.timestamp);
  const target = await openTarget(location, options);
  const { schema, uri } = target;
  checkDense(schema, uri);
  const box = checkSubarray(schema, subarray, uri);
  const tiling = denseTiling(schema, box, uri);
  checkTileSize(schema, tiling, uri);
  const fields = attributeFields(schema);
  const { columns, cellCount } = checkCells(fields, cells, uri);
  const expected = boxCells(tiling, uri);
  if (cellCount !== expected) {
    throw new ArgumentError(`write: ${cellCount} cells for a box of ${expected}`, { where: uri });
  }
  const files = await FragmentFiles.open(target, newName(time, WRITE_VERSION), fields, {
    signal: options.signal,
  });
  try {
    await writeDenseTiles(schema, tiling, files.writers, columns, options.signal);
    await files.commit({
      nonEmptyDomain: box,
      rtree: null,
      lastTileCellCount: tiling.cellsPerTile,
      tileCount: tiling.tileCount,
    });
  } catch (error) {
    await files.remove();
    throw error;
  }
  return files.uri;
}

/** Writes the tiles of a box, in the array's tile order, from its row-major cells. */
export async function writeDenseTiles(
  schema: ArraySchema,
  tiling: DenseTiling,
  writers: readonly FieldWriter[],
  columns: readonly Column[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const tileStrides = strides(tiling.tiles, schema.tileOrder === "col-major");
  for (let t = 0; t < tiling.tileCount; t++) {
    throwIfAborted(signal);
    const tile = tileStrides.map((stride, d) => Math.floor(t / stride) % tiling.tiles[d]!);
    const positions = tilePositions(schema, tiling, tile);
    const inside = positions.filter((position) => position !== PADDING);
    for (const [f, writer] of writers.entries()) {
      const cells = takeCells(columns[f]!, inside);
      if (inside.length === positions.length) {
        await writer.writeTile(cells, 0, inside.length);
        continue;
      }
      // Statistics are of the cells that were written, as the official writer's are, not of the padding.
      writer.count(cells, 0, inside.length);
      await writer.writePaddedTile(paddedCells(columns[f]!, positions), 0, positions.length);
    }
  }
}

export function checkDense(schema: ArraySchema, where: string): void {
  if (schema.arrayType !== "dense") {
    throw new ArgumentError("write: the array is sparse; use writeSparse", { where });
  }
  if (schema.currentDomain !== null) {
    throw new UnsupportedError("write: arrays with a current domain are not written", { where });
  }
  for (const { name, order } of schema.attributes) {
    if (order === "unordered") continue;
    throw new UnsupportedError(`write: attribute '${name}' is declared ${order}, which is not written`, {
      where,
    });
  }
}

/** The box in the dimensions' own number types; throws if it is no box inside the domain. */
function checkSubarray(schema: ArraySchema, subarray: NDRange, where: string): NDRange {
  const { dimensions } = schema;
  if (subarray.length !== dimensions.length) {
    throw new ArgumentError(`write: ${subarray.length} ranges for ${dimensions.length} dimensions`, {
      where,
    });
  }
  return dimensions.map((dimension, d) => {
    const [low, high] = subarray[d]!.map((end) => coordinateOf(dimension, end, where)) as [bigint, bigint];
    const [first, last] = dimension.domain!;
    if (low > high) throw new ArgumentError(`write: '${dimension.name}' from ${low} to ${high}`, { where });
    if (low < first || high > last) {
      throw new OutOfDomainError(
        `write: '${dimension.name}' from ${low} to ${high} is outside the domain [${first}, ${last}]`,
        { where },
      );
    }
    return isBigDatatype(dimension.datatype) ? [low, high] : [Number(low), Number(high)];
  });
}

function coordinateOf(dimension: Dimension, value: Coordinate, where: string): bigint {
  if (typeof value === "bigint") return value;
  if (typeof value === "number" && Number.isSafeInteger(value)) return BigInt(value);
  throw new ArgumentError(`write: ${value} is no ${dimension.datatype} coordinate of '${dimension.name}'`, {
    where,
  });
}

function boxCells({ low, high }: DenseTiling, where: string): number {
  const sizes = low.map((from, d) => high[d]! - from + 1);
  return product(sizes, "cells of the box", where);
}

export function checkTileSize(
  schema: ArraySchema,
  { cellsPerTile, extents }: DenseTiling,
  where: string,
): void {
  const { attributes } = schema;
  const widest = Math.max(
    8,
    ...attributes.map(
      ({ datatype, cellValNum }) =>
        datatypeInfo(datatype).bytes * (cellValNum === 0xffffffff ? 1 : cellValNum),
    ),
  );
  if (cellsPerTile * widest <= MAX_TILE_BYTES) return;
  throw new LimitError(
    `write: tiles of ${extents.join(" x ")} cells take ${cellsPerTile * widest} bytes, at most ${MAX_TILE_BYTES}`,
    { where },
  );
}
