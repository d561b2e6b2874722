import { ArgumentError } from "../../../errors.js";
import type { ArraySchema } from "../../../format/array-schema.js";
import { isInteger } from "../../integer-types.js";
import type { OpenedArray } from "../../opened-array.js";
import { hasOneTile } from "../../order/sort-keys.js";
import type { DimensionSelection } from "../../query.js";
import { Block } from "../block.js";
import { disjointAlong } from "../merge-fragments.js";
import { isPartlyInside, sparseSources } from "../read-sparse.js";
import { type ResolvedQuery, resolveQuery } from "../resolve-query.js";
import type { SparseSource } from "../sparse-source.js";
import { type CompressedCells, readPlan } from "./compressed-read.js";
import { type MatrixTile, matrixTile } from "./matrix-tile.js";
import { wantedColumns } from "./pick-cells.js";

export type { CompressedCells } from "./compressed-read.js";

/**
 * Cells of a matrix straight from its tiles to compressed rows, without a coordinate of a row per cell and without
 * sorting. Only for arrays whose tiles are what the result needs in their order; others are read the general way.
 */

export interface CompressedQuery {
  /**
   * Wanted coordinates along the dimension by which the cells are sorted (the first of a row-major array, the last of a
   * col-major one), strictly ascending.
   */
  readonly rows: Uint32Array;
  /** Wanted coordinates along the other dimension, strictly ascending and all below `columnCount`; null for all. */
  readonly columns: Uint32Array | null;
  /** No cell may be at this coordinate or above. */
  readonly columnCount: number;
  readonly attribute: string;
  readonly signal?: AbortSignal | undefined;
  /** Threads that decode tiles of large reads, this one included; 1 by default, and where there are no threads. */
  readonly threads?: number | undefined;
}

/**
 * The cells as compressed rows; null where the array is none of which this way of reading is sure: sparse, of two
 * dimensions of integers without space tiles, one value a cell that is not nullable, no cell written twice, no delete.
 */
export async function readCompressed(
  array: OpenedArray,
  query: CompressedQuery,
): Promise<CompressedCells | null> {
  const { schema, uri } = array;
  const dimensions = matrixDimensions(schema);
  if (dimensions === null || !isPlain(array, query.attribute)) return null;
  const [rowField, columnField] = dimensions.map((d) => schema.dimensions[d]!.name) as [string, string];
  const resolved = await resolveQuery(
    schema,
    {
      ranges: {
        [rowField]: selectionOf(query.rows),
        ...(query.columns !== null && { [columnField]: selectionOf(query.columns) }),
      },
      attributes: [query.attribute],
      signal: query.signal,
    },
    uri,
  );
  const tiles = await tilesInOrder(array, resolved, dimensions);
  if (tiles === null) return null;
  const last = query.columns?.at(-1);
  if (last !== undefined && last >= query.columnCount) {
    throw new ArgumentError(`column ${last}, expected below ${query.columnCount}`, { where: uri });
  }
  const plan = {
    tiles,
    rowField,
    columnField,
    valueField: query.attribute,
    rows: query.rows,
    columns: query.columns === null ? null : wantedColumns(query.columns, query.columnCount),
    columnCount: query.columnCount,
    values: schema.attributes.find(({ name }) => name === query.attribute)!,
    allowsDuplicates: schema.allowsDuplicates,
  };
  return readPlan(plan, { signal: query.signal, threads: query.threads });
}

/** Numbers of the dimensions of rows and of columns. */
function matrixDimensions(schema: ArraySchema): readonly [number, number] | null {
  const { arrayType, dimensions, cellOrder } = schema;
  if (arrayType !== "sparse" || dimensions.length !== 2) return null;
  if (!dimensions.every((one) => isInteger(one.datatype) && one.cellValNum === 1 && hasOneTile(one)))
    return null;
  if (cellOrder === "row-major") return [0, 1];
  return cellOrder === "col-major" ? [1, 0] : null;
}

/** Whether cells are as they were written: all of them seen, all with a value of the attribute. */
function isPlain({ schema, fragments, deletes, window }: OpenedArray, name: string): boolean {
  const attribute = schema.attributes.find((one) => one.name === name);
  if (attribute === undefined || attribute.cellValNum !== 1 || attribute.nullable || deletes.length > 0)
    return false;
  return fragments.every((fragment) => {
    const written = fragment.schema.attributes.find((one) => one.name === name);
    if (written?.datatype !== attribute.datatype || written.cellValNum !== 1 || written.nullable)
      return false;
    return !isPartlyInside(fragment, window);
  });
}

/** One range where the numbers follow one another. */
function selectionOf(numbers: Uint32Array): DimensionSelection {
  const [first, last] = [numbers[0], numbers.at(-1)];
  if (first === undefined || last === undefined) return [];
  return last - first === numbers.length - 1 ? [[first, last]] : numbers;
}

async function tilesInOrder(
  array: OpenedArray,
  query: ResolvedQuery,
  dimensions: readonly [number, number],
): Promise<MatrixTile[] | null> {
  const sources = await sparseSources(array, query);
  const tiles: MatrixTile[] = [];
  for (const [source, tile] of sequence(sources, dimensions[0]) ?? []) {
    const found = matrixTile(source, tile, dimensions, query.intervals[dimensions[1]] === null);
    if (found === null) return null;
    tiles.push(found);
  }
  return tiles.length === 0 && sources.length > 0 ? null : tiles;
}

/** All tiles by their place along the dimension of rows, null where those of two fragments overlap. */
function sequence(sources: readonly SparseSource[], d: number): (readonly [SparseSource, number])[] | null {
  const tiles = sources.flatMap((source) => source.tiles.map((tile) => new Block(source, tile)));
  const sorted = sources.length <= 1 ? tiles : disjointAlong(tiles, d);
  return sorted?.map(({ source, tile }) => [source, tile] as const) ?? null;
}
