import { NotFoundError, throwIfAborted } from "../errors.js";
import { Frame, type FrameColumn } from "../util/frame.js";
import type { TypedArray } from "../util/typed-arrays.js";
import type { AnnData } from "./anndata.js";
import { layerKey } from "./file-source.js";
import {
  type DenseMatrix,
  dtypeOf,
  type Matrix,
  type MatrixDtype,
  type MatrixShape,
  type SparseMatrix,
} from "./matrix.js";
import { blockEnd, denseBlock, maxCellsOf, readCscBlocks, relativeIndptr } from "./row-blocks.js";
import type { AnnDataSource, BlockOptions, CsrBlock, MatrixSource } from "./source.js";

/** The same interface over an AnnData in memory. */
export function sourceOf(data: AnnData): AnnDataSource {
  return new MemorySource(data);
}

class MemorySource implements AnnDataSource {
  readonly name: string;
  readonly matrixNames: readonly string[];
  private readonly data: AnnData;
  private readonly matrices: ReadonlyMap<string, Matrix>;

  constructor(data: AnnData) {
    this.data = data;
    this.name = data.name;
    const matrices = new Map<string, Matrix>();
    if (data.X !== null) matrices.set("X", data.X);
    if (data.raw !== null) matrices.set("raw/X", data.raw.X);
    for (const [name, layer] of data.layers) matrices.set(layerKey(name), layer);
    this.matrices = matrices;
    this.matrixNames = [...matrices.keys()];
  }

  get obsCount(): number {
    return this.data.obs.rowCount;
  }

  get varCount(): number {
    return this.data.var.rowCount;
  }

  async obs(columns?: readonly string[]): Promise<Frame> {
    return selectColumns(this.data.obs, columns, "obs", this.name);
  }

  async var(columns?: readonly string[]): Promise<Frame> {
    return selectColumns(this.data.var, columns, "var", this.name);
  }

  async rawVar(columns?: readonly string[]): Promise<Frame> {
    if (this.data.raw === null) throw new NotFoundError("no raw/var", { where: this.name });
    return selectColumns(this.data.raw.var, columns, "raw/var", this.name);
  }

  matrix(name: string): MatrixSource {
    const matrix = this.matrices.get(name) ?? this.matrices.get(name.replace(/^layers\//, ""));
    if (matrix !== undefined) return new MemoryMatrixSource(name, matrix);
    const list = this.matrixNames.length === 0 ? "none" : this.matrixNames.join(", ");
    throw new NotFoundError(`no matrix or layer '${name}'; there are: ${list}`, { where: this.name });
  }

  async close(): Promise<void> {}
}

function selectColumns(
  frame: Frame,
  columns: readonly string[] | undefined,
  part: string,
  where: string,
): Frame {
  if (columns === undefined) return frame;
  const selected = new Map<string, FrameColumn>();
  for (const name of columns) {
    const column = frame.columns.get(name);
    if (column === undefined) {
      const list = frame.columnNames.length === 0 ? "none" : frame.columnNames.join(", ");
      throw new NotFoundError(`no column '${name}' in ${part}; there are: ${list}`, { where });
    }
    selected.set(name, column);
  }
  return new Frame(frame.index, selected, frame.indexName);
}

class MemoryMatrixSource implements MatrixSource {
  readonly name: string;
  readonly shape: MatrixShape;
  readonly storage: "csr" | "csc" | "dense";
  readonly dtype: MatrixDtype;
  readonly nonZeroCount: number | null;
  private readonly matrix: Matrix;

  constructor(name: string, matrix: Matrix) {
    this.name = name;
    this.matrix = matrix;
    this.shape = matrix.shape;
    this.storage = matrix.format;
    this.dtype = dtypeOf(matrix.format === "dense" ? matrix.values : matrix.data);
    this.nonZeroCount = matrix.format === "dense" ? null : matrix.data.length;
  }

  blocks(options: BlockOptions = {}): AsyncIterable<CsrBlock> {
    if (this.matrix.format === "dense") return denseBlocks(this.matrix, options);
    return this.matrix.format === "csr" ? csrBlocks(this.matrix, options) : cscBlocks(this.matrix, options);
  }
}

async function* csrBlocks(matrix: SparseMatrix, options: BlockOptions): AsyncGenerator<CsrBlock> {
  const maxCells = maxCellsOf(options);
  const { indptr } = matrix;
  for (let first = 0; first < matrix.shape[0]; ) {
    throwIfAborted(options.signal);
    const end = blockEnd(indptr, first, maxCells);
    const [from, to] = [indptr[first]!, indptr[end]!];
    yield {
      firstRow: first,
      rowCount: end - first,
      indptr: relativeIndptr(indptr, first, end),
      indices: signed(matrix.indices.subarray(from, to)),
      values: matrix.data.subarray(from, to),
    };
    first = end;
  }
}

function signed(indices: Int32Array | Uint32Array): Int32Array {
  return indices instanceof Int32Array
    ? indices
    : new Int32Array(indices.buffer, indices.byteOffset, indices.length);
}

async function* cscBlocks(matrix: SparseMatrix, options: BlockOptions): AsyncGenerator<CsrBlock> {
  const rows = signed(matrix.indices);
  const scan = (
    withValues: boolean,
    work: (start: number, rows: Int32Array, values: TypedArray | null) => void,
  ): void => work(0, rows, withValues ? matrix.data : null);
  const source = { rows: matrix.shape[0], indptr: matrix.indptr, dtype: dtypeOf(matrix.data), scan };
  yield* readCscBlocks(source, options);
}

async function* denseBlocks(matrix: DenseMatrix, options: BlockOptions): AsyncGenerator<CsrBlock> {
  const maxCells = maxCellsOf(options);
  const [rows, columns] = matrix.shape;
  const step = Math.max(1, Math.floor(maxCells / Math.max(1, columns)));
  for (let first = 0; first < rows; first += step) {
    throwIfAborted(options.signal);
    const count = Math.min(step, rows - first);
    yield denseBlock(matrix.values, first * columns, first, count, columns);
  }
}
