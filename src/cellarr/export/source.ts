import { ArgumentError, NotFoundError, throwIfAborted } from "../../errors.js";
import type { SparseMatrix } from "../../h5ad/matrix.js";
import type { Frame, FrameColumn, TextColumn } from "../../util/frame.js";
import type { CellArrDataset, QueryOptions } from "../dataset.js";
import { numberedIndex, takeFrameRows } from "../frames/frame-parts.js";
import { takeMatrixRows } from "../matrix-views.js";
import { slice } from "../selection.js";
import { CellArrDatasetSlice } from "../slice.js";
import type { ExportOptions } from "./options.js";

/** What is exported, by pieces: blocks of cells, or one column of metadata at a time. */

export interface ExportSource {
  readonly cellCount: number;
  readonly geneCount: number;
  /** Names of the cells: their numbers in the store. */
  readonly cellNames: TextColumn;
  /** The same as numbers. */
  readonly cells: Uint32Array;
  readonly genes: Frame;
  readonly cellColumns: readonly string[];
  readonly matrixNames: readonly string[];
  /** Cell metadata of the cells from `first` to `end`, exclusive. */
  cellRows(first: number, end: number): Promise<Frame>;
  /** One column of the cell metadata for all cells. */
  cellColumn(name: string): Promise<FrameColumn>;
  /** Values of a matrix, cell by cell in CSR blocks; at least one, which has no rows if there are no cells. */
  values(matrix: string, first: number, end: number): Promise<SparseMatrix>;
}

export interface CellBlock {
  /** First cell, counted within what is exported. */
  readonly first: number;
  readonly matrix: SparseMatrix;
}

export async function sourceOf(
  from: CellArrDataset | CellArrDatasetSlice,
  options: ExportOptions,
): Promise<ExportSource> {
  if (!(from instanceof CellArrDatasetSlice)) return datasetSource(from, options);
  if (options.cells !== undefined || options.genes !== undefined) {
    throw new ArgumentError("a slice is exported whole: cells and genes are for datasets");
  }
  return sliceSource(from, options);
}

async function datasetSource(dataset: CellArrDataset, options: ExportOptions): Promise<ExportSource> {
  const { matrices, order, source, signal } = options;
  const query: QueryOptions = { order, source, signal };
  const { cellIndices, geneIndices } = await dataset.getSliceRows(
    options.cells ?? slice(),
    options.genes ?? slice(),
    query,
  );
  const asked: QueryOptions = { order: "asked", source, signal };
  return {
    cellCount: cellIndices.length,
    geneCount: geneIndices.length,
    cellNames: numberedIndex(cellIndices),
    cells: cellIndices,
    genes: await dataset.getGeneSubset(geneIndices, undefined, asked),
    cellColumns: dataset.getCellMetadataColumns(),
    matrixNames: checkedNames(matrices, dataset.matrixNames),
    cellRows: (first, end) => dataset.getCellSubset(cellIndices.subarray(first, end), undefined, asked),
    cellColumn: async (name) => {
      const frame = await dataset.getCellSubset(cellIndices, name, asked);
      return frame.columns.get(name)!;
    },
    values: async (matrix, first, end) => {
      const part = cellIndices.subarray(first, end);
      const read = await dataset.getMatrixSubset(part, geneIndices, { ...asked, matrices: [matrix] });
      return read.get(matrix)!;
    },
  };
}

function sliceSource(part: CellArrDatasetSlice, { matrices }: ExportOptions): ExportSource {
  const [cellCount, geneCount] = part.shape;
  const { cellMetadata } = part;
  return {
    cellCount,
    geneCount,
    cellNames: cellMetadata.index,
    cells: part.cellIndices,
    genes: part.geneAnnotation,
    cellColumns: cellMetadata.columnNames,
    matrixNames: checkedNames(matrices, part.matrixNames),
    cellRows: async (first, end) => takeFrameRows(cellMetadata, rowRange(first, end)),
    cellColumn: async (name) => cellMetadata.columns.get(name)!,
    values: async (matrix, first, end) => {
      const whole = part.matrix(matrix);
      return end - first === cellCount ? whole : takeMatrixRows(whole, rowRange(first, end));
    },
  };
}

function checkedNames(wanted: readonly string[] | undefined, present: readonly string[]): readonly string[] {
  const names = [...new Set(wanted ?? present)];
  const unknown = names.find((name) => !present.includes(name));
  if (unknown === undefined) return names;
  throw new NotFoundError(`no matrix '${unknown}'; there are: ${present.join(", ")}`);
}

/** The numbers from `first` to `end`, exclusive. */
export function rowRange(first: number, end: number): Uint32Array {
  return Uint32Array.from({ length: end - first }, (_, at) => first + at);
}

/** Most values that a block can hold, were none of them 0. */
const BLOCK_VALUES = 2 ** 24;
const BLOCK_CELLS = 2 ** 16;

/** Cells of a block. Throws ArgumentError for an option that is no count. */
export function blockCells({ geneCount }: ExportSource, { blockCells: asked }: ExportOptions): number {
  const cells =
    asked ?? Math.min(BLOCK_CELLS, Math.max(1, Math.floor(BLOCK_VALUES / Math.max(1, geneCount))));
  if (Number.isInteger(cells) && cells > 0) return cells;
  throw new ArgumentError(`blockCells ${cells}, expected a whole number from 1 on`);
}

/** First and end of each block of cells; one of none where there are no cells. */
export function* blockRanges(source: ExportSource, options: ExportOptions): Generator<[number, number]> {
  const step = blockCells(source, options);
  let first = 0;
  do {
    throwIfAborted(options.signal);
    yield [first, Math.min(first + step, source.cellCount)];
    first += step;
  } while (first < source.cellCount);
}

/** The values of a matrix block by block; progress is told when the caller has done with a block. */
export async function* matrixBlocks(
  source: ExportSource,
  matrix: string,
  options: ExportOptions,
): AsyncGenerator<CellBlock> {
  const totalCells = source.cellCount;
  for (const [first, end] of blockRanges(source, options)) {
    yield { first, matrix: await source.values(matrix, first, end) };
    options.onProgress?.({ matrix, cells: end, totalCells });
  }
}
