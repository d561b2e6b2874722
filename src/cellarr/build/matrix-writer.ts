import {
  type FragmentWriter,
  type FragmentWriterOptions,
  openFragmentWriter,
} from "../../array/write/fragment-writer.js";
import { ValueError } from "../../errors.js";
import type { AnnDataSource, CsrBlock } from "../../h5ad/source.js";
import type { StoreLocation, WritableStore } from "../../storage/types.js";
import { textValues } from "../../util/frame.js";
import { ReusedArrays } from "../../util/reused-arrays.js";
import type { TypedArray } from "../../util/typed-arrays.js";
import type { GeneSorter } from "../by-gene/gene-sorter.js";
import { CELL_DIMENSION, GENE_DIMENSION, type IndexType } from "../layout.js";
import type { FileSummary } from "../summary/matrix-summary.js";
import { combinerOf } from "./combine.js";
import { coordinatesOf } from "./coordinates.js";
import { fitValues } from "./fit-values.js";
import type { GeneSet } from "./gene-set.js";
import type { ResolvedMatrix } from "./options.js";
import { columnMap, type RemappedBlock, remapBlock } from "./remap.js";

/**
 * Second step of a build: the cells of one matrix of one file, block by block. They are in the array's global order, and
 * files follow each other in it too: one fragment can take one file or all.
 */

/** Stored values of a block: some 20 MB of cells while they are remapped. */
const BLOCK_CELLS = 1_000_000;
/** Most of a dense block's cells are zero and dropped. Larger blocks split fewer chunks, which are read once for each. */
const DENSE_BLOCK_CELLS = 2 * BLOCK_CELLS;

/** A fragment that is made when the first cells come; without cells there is none. */
export class LazyFragment {
  readonly #location: StoreLocation<WritableStore>;
  readonly #options: FragmentWriterOptions;
  #writer: FragmentWriter | null = null;

  constructor(location: StoreLocation<WritableStore>, options: FragmentWriterOptions) {
    this.#location = location;
    this.#options = options;
  }

  /** Appends cells that follow the ones before in row-major order. */
  async append(cells: Readonly<Record<string, TypedArray>>): Promise<void> {
    this.#writer ??= await openFragmentWriter(this.#location, this.#options);
    await this.#writer.append(cells);
  }

  /** Makes the fragment visible. */
  async finish(): Promise<void> {
    await this.#writer?.finish();
  }

  async abort(): Promise<void> {
    await this.#writer?.abort();
  }
}

export interface MatrixTask {
  readonly source: AnnDataSource;
  /** For messages. */
  readonly fileName: string;
  readonly matrix: ResolvedMatrix;
  /** Position in the store of each column's gene, -1 where it has none. */
  readonly positions: Int32Array;
  readonly genes: GeneSet;
  /** Cell of the store that the file's first cell is. */
  readonly cellOffset: number;
  readonly fragment: LazyFragment;
  /** Gets the same cells; null where there is no gene-major copy to make of them. */
  readonly byGene: Pick<GeneSorter, "append"> | null;
  /** Adds up the same cells; null where that is not wanted. */
  readonly summary: Pick<FileSummary, "add"> | null;
  readonly cellType: IndexType;
  readonly geneType: IndexType;
  readonly signal: AbortSignal | undefined;
  /** Cells of the file that are written so far. */
  readonly onCells: (count: number) => void;
}

/**
 * Memory is that of a block and of the fragment's open tiles. Throws ValueError naming file, cell and gene of a value
 * that does not fit; the fragment is the caller's to finish or abort.
 */
export async function writeMatrix(task: MatrixTask): Promise<void> {
  const { matrix, source } = task;
  const from = source.matrix(matrix.matrixName);
  checkShape(task, from.shape);
  const map = columnMap(task.positions, task.genes.size);
  const combine = combinerOf(matrix.consolidateDuplicateGeneFunc);
  // Dense sources have no stored zeros to keep.
  const dense = from.storage === "dense";
  // Each block is written before the next is read.
  const memory = new ReusedArrays();
  const options = { cellOffset: task.cellOffset, dropZeros: dense, memory };
  const maxCells = dense ? DENSE_BLOCK_CELLS : BLOCK_CELLS;
  for await (const block of from.blocks({ maxCells, signal: task.signal, memory })) {
    const remapped = remapBlock(block, map, combine, options);
    if (remapped.cells.length > 0) await writeBlock(task, remapped, memory);
    task.onCells(lastRow(block));
  }
}

function lastRow(block: CsrBlock): number {
  return block.firstRow + block.rowCount;
}

function checkShape(task: MatrixTask, shape: readonly [number, number]): void {
  const expected = [task.source.obsCount, task.positions.length] as const;
  if (shape[0] === expected[0] && shape[1] === expected[1]) return;
  throw new ValueError(
    `matrix '${task.matrix.matrixName}' is ${shape[0]} x ${shape[1]}, expected ${expected[0]} cells x ${expected[1]} genes`,
    { where: task.fileName },
  );
}

async function writeBlock(task: MatrixTask, block: RemappedBlock, memory: ReusedArrays): Promise<void> {
  const { matrix } = task;
  const { values, misfit } = fitValues(block.values, matrix.dtype, matrix.onMisfit, memory);
  if (misfit >= 0) throw await misfitError(task, block, misfit);
  await task.fragment.append({
    [CELL_DIMENSION]: coordinatesOf(block.cells, task.cellType),
    [GENE_DIMENSION]: coordinatesOf(block.genes, task.geneType),
    [matrix.matrixAttrName]: values,
  });
  task.summary?.add(block.cells, block.genes, values);
  await task.byGene?.append(block.cells, block.genes, values);
}

async function misfitError(task: MatrixTask, block: RemappedBlock, at: number): Promise<ValueError> {
  const { matrix } = task;
  const cell = block.cells[at]! - task.cellOffset;
  const gene = task.genes.names[block.genes[at]!];
  const name = await obsName(task.source, cell);
  return new ValueError(
    `matrix '${matrix.matrixName}': ${block.values[at]} in cell ${cell} ('${name}') of gene '${gene}' does not fit ` +
      `${matrix.dtype}; choose another dtype, or have such values rounded or clipped (onMisfit; ` +
      "on the command line --misfit)",
    { where: task.fileName },
  );
}

async function obsName(source: AnnDataSource, cell: number): Promise<string> {
  return textValues((await source.obs([])).index)[cell] ?? "";
}
