import { throwIfAborted } from "../errors.js";
import type { TypedArray } from "../util/typed-arrays.js";
import type { H5Dataset } from "./h5-dataset.js";
import {
  type DenseLocation,
  indexError,
  type MatrixLocation,
  readIndptr,
  type SparseLocation,
  toIndices,
} from "./h5-matrix.js";
import { firstIndexOutside, type Matrix, type MatrixDtype, type MatrixShape } from "./matrix.js";
import {
  blockEnd,
  type ColumnScan,
  denseBlock,
  maxCellsOf,
  readCscBlocks,
  relativeIndptr,
} from "./row-blocks.js";
import { SequentialReader } from "./sequential-reader.js";
import type { BlockOptions, CsrBlock, MatrixSource } from "./source.js";

/** A matrix of a file, read by blocks of rows or whole. */

export class H5MatrixSource implements MatrixSource {
  readonly name: string;
  readonly shape: MatrixShape;
  readonly storage: "csr" | "csc" | "dense";
  readonly dtype: MatrixDtype;
  readonly nonZeroCount: number | null;
  private readonly location: MatrixLocation;

  constructor(location: MatrixLocation) {
    this.name = location.label;
    this.shape = location.shape;
    this.storage = location.storage;
    this.dtype = location.type.dtype;
    this.nonZeroCount = location.storage === "dense" ? null : location.data.rows;
    this.location = location;
  }

  blocks(options: BlockOptions = {}): AsyncIterable<CsrBlock> {
    const { location } = this;
    if (location.storage === "dense") return denseBlocks(location, options);
    return location.storage === "csr" ? csrBlocks(location, options) : cscBlocks(location, options);
  }
}

async function* csrBlocks(location: SparseLocation, options: BlockOptions): AsyncGenerator<CsrBlock> {
  const maxCells = maxCellsOf(options);
  const { memory } = options;
  const indptr = readIndptr(location);
  const rows = location.shape[0];
  const columnReader = new SequentialReader(location.indices, toIndices);
  const valueReader = new SequentialReader(location.data, asIs);
  for (let first = 0; first < rows; ) {
    throwIfAborted(options.signal);
    const end = blockEnd(indptr, first, maxCells);
    const [from, to] = [indptr[first]!, indptr[end]!];
    const indices = columnReader.read(from, to, memory, "stored columns");
    const bad = firstIndexOutside(indices, location.shape[1]);
    if (bad >= 0) throw indexError(location, indptr, from + bad);
    yield {
      firstRow: first,
      rowCount: end - first,
      indptr: relativeIndptr(indptr, first, end),
      indices,
      values: valueReader.read(from, to, memory, "stored values"),
    };
    first = end;
  }
}

function asIs(values: TypedArray): TypedArray {
  return values;
}

async function* cscBlocks(location: SparseLocation, options: BlockOptions): AsyncGenerator<CsrBlock> {
  yield* readCscBlocks(columnScan(location, readIndptr(location)), options);
}

/** Positions that one step of a scan takes. */
const SCAN_STEP = 1 << 20;

function columnScan(location: SparseLocation, indptr: Float64Array): ColumnScan {
  const [rows] = location.shape;
  const stored = location.data.rows;
  return {
    rows,
    indptr,
    dtype: location.type.dtype,
    scan(withValues, work) {
      const rowReader = new SequentialReader(location.indices, toIndices);
      const valueReader = new SequentialReader(location.data, asIs);
      for (let at = 0; at < stored; at += SCAN_STEP) {
        const end = Math.min(stored, at + SCAN_STEP);
        const piece = rowReader.read(at, end);
        const bad = firstIndexOutside(piece, rows);
        if (bad >= 0) throw indexError(location, indptr, at + bad);
        work(at, piece, withValues ? valueReader.read(at, end) : null);
      }
    },
  };
}

/**
 * Blocks are whole bands of chunks where these fit into `maxCells`; where they do not (chunks of very many rows),
 * a chunk is decompressed once for each block that it touches.
 */
async function* denseBlocks(location: DenseLocation, options: BlockOptions): AsyncGenerator<CsrBlock> {
  const maxCells = maxCellsOf(options);
  const [rows, columns] = location.shape;
  const step = denseStep(location.values, columns, maxCells);
  for (let first = 0; first < rows; first += step) {
    throwIfAborted(options.signal);
    const count = Math.min(step, rows - first);
    yield denseBlock(readDense(location, first, first + count), 0, first, count, columns);
  }
}

function denseStep(values: H5Dataset, columns: number, maxCells: number): number {
  const most = Math.max(1, Math.floor(maxCells / Math.max(1, columns)));
  const band = values.chunkRows ?? 1;
  return band <= most ? most - (most % band) : most;
}

/** Values of rows [first, end); a matrix stored as one dimension counts in cells. */
function readDense(location: DenseLocation, first: number, end: number): TypedArray {
  const { values, shape } = location;
  if (values.shape?.length === 2) return values.numbers(first, end);
  return values.numbers(first * shape[1], end * shape[1]);
}

/** The matrix whole, as it is stored. */
export function readMatrix(location: MatrixLocation): Matrix {
  if (location.storage === "dense") {
    return { format: "dense", shape: location.shape, values: readDense(location, 0, location.shape[0]) };
  }
  const { storage, shape, indices, data } = location;
  const indptr = readIndptr(location);
  const checked = toIndices(indices.numbers());
  const bad = firstIndexOutside(checked, shape[storage === "csr" ? 1 : 0]);
  if (bad >= 0) throw indexError(location, indptr, bad);
  return { format: storage, shape, indptr, indices: checked, data: data.numbers() };
}
