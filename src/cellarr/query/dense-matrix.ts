import type { TileDBArray } from "../../array/open.js";
import { FormatError } from "../../errors.js";
import { datatypeInfo } from "../../format/datatype.js";
import type { SparseMatrix } from "../../h5ad/matrix.js";
import type { TypedArray } from "../../util/typed-arrays.js";
import { lowerBound, runsOf } from "../selection.js";

/**
 * Matrices in dense arrays (Python cellarr 0.5.3 and newer query them): read in blocks of rows, and given as CSR
 * without the zeros, so that slices are the same whatever the storage. Cells and genes beyond what was written are
 * without values, as the last ones of a sparse matrix may be.
 */

/** Values of a block: 32 MiB of float64. */
const BLOCK_VALUES = 4 * 2 ** 20;

export interface DenseFields {
  readonly cells: string;
  readonly genes: string;
  readonly attribute: string;
}

/** `rows` and `genes` are strictly ascending. */
export async function readDenseMatrix(
  array: TileDBArray,
  fields: DenseFields,
  rows: Uint32Array,
  genes: Uint32Array,
  signal: AbortSignal | undefined,
): Promise<SparseMatrix> {
  const indptr = new Uint32Array(rows.length + 1);
  const parts: SparseRows[] = [];
  const domain = array.nonEmptyDomain();
  const inside = domain && { rows: within(rows, domain[0]!), genes: within(genes, domain[1]!) };
  if (inside !== null && inside.rows.count > 0 && inside.genes.count > 0) {
    const columns = genes.subarray(inside.genes.first, inside.genes.first + inside.genes.count);
    const step = Math.max(1, Math.floor(BLOCK_VALUES / columns.length));
    const last = inside.rows.first + inside.rows.count;
    for (let first = inside.rows.first; first < last; first += step) {
      const block = rows.subarray(first, Math.min(first + step, last));
      const values = await readBlock(array, fields, block, columns, signal);
      parts.push(compress(values, block.length, columns.length, inside.genes.first, indptr, first));
    }
  }
  for (let row = 0; row < rows.length; row++) indptr[row + 1]! += indptr[row]!;
  const indices = new Int32Array(indptr[rows.length]!);
  const data = emptyValues(array, parts, indices.length);
  let at = 0;
  for (const part of parts) {
    indices.set(part.indices, at);
    data.set(part.values as never, at);
    at += part.indices.length;
  }
  return { format: "csr", shape: [rows.length, genes.length], indptr, indices, data };
}

interface SparseRows {
  readonly indices: Int32Array;
  readonly values: TypedArray;
}

async function readBlock(
  array: TileDBArray,
  { cells, genes, attribute }: DenseFields,
  rows: Uint32Array,
  columns: Uint32Array,
  signal: AbortSignal | undefined,
): Promise<TypedArray> {
  const read = await array.read({
    ranges: { [cells]: runsOf(rows), [genes]: runsOf(columns) },
    attributes: [attribute],
    dimensions: [],
    order: "row-major",
    signal,
  });
  const column = read.columns[attribute];
  if (column !== undefined && "values" in column && !("offsets" in column))
    return column.values as TypedArray;
  throw new FormatError("matrix values are not of a fixed size", { where: array.uri });
}

/** The values that are not zero; counts of the rows go to `counts` behind `firstRow`. */
function compress(
  values: TypedArray,
  rows: number,
  columns: number,
  firstColumn: number,
  counts: Uint32Array,
  firstRow: number,
): SparseRows {
  let total = 0;
  for (let at = 0; at < values.length; at++) if (Number(values[at]) !== 0) total++;
  const indices = new Int32Array(total);
  const kept = new (values.constructor as new (length: number) => TypedArray)(total);
  let to = 0;
  for (let row = 0, at = 0; row < rows; row++) {
    const before = to;
    for (let column = 0; column < columns; column++, at++) {
      const value = values[at]!;
      if (Number(value) === 0) continue;
      indices[to] = firstColumn + column;
      kept[to++] = value;
    }
    counts[firstRow + row + 1] = to - before;
  }
  return { indices, values: kept };
}

function emptyValues(array: TileDBArray, parts: readonly SparseRows[], length: number): TypedArray {
  const Values = parts[0]?.values.constructor ?? arrayTypeOf(array);
  return new (Values as new (length: number) => TypedArray)(length);
}

/** Which of the ascending numbers lie in the range, both ends inclusive. */
function within(
  numbers: Uint32Array,
  [from, to]: readonly [unknown, unknown],
): { first: number; count: number } {
  const first = lowerBound(numbers, Number(from));
  return { first, count: lowerBound(numbers, Number(to) + 1) - first };
}

function arrayTypeOf(array: TileDBArray): new (length: number) => TypedArray {
  return datatypeInfo(array.schema.attributes[0]!.datatype).array;
}
