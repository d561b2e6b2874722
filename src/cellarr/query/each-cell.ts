import { throwIfAborted } from "../../errors.js";
import type { CellArrDataset } from "../dataset.js";
import { takeFrameRows } from "../frames/frame-parts.js";
import { takeMatrixRows } from "../matrix-views.js";
import { slice } from "../selection.js";
import { CellArrDatasetSlice } from "../slice.js";
import type { QueryOptions } from "./query-options.js";

/** All cells, one after another. A tile holds thousands of cells, so they are read a block at a time. */

const BLOCK_CELLS = 256;
/** Most values that a block can hold, were none of them 0. */
const BLOCK_VALUES = 2 ** 22;

export async function* eachCell(
  dataset: CellArrDataset,
  options: QueryOptions,
): AsyncGenerator<[index: number, cell: CellArrDatasetSlice]> {
  const [cells, genes] = dataset.shape;
  const step = Math.max(1, Math.min(BLOCK_CELLS, Math.floor(BLOCK_VALUES / Math.max(1, genes))));
  for (let first = 0; first < cells; first += step) {
    const last = Math.min(first + step, cells) - 1;
    const block = await dataset.getSlice(slice(first, last), slice(), options);
    for (let at = 0; at < block.length; at++) {
      throwIfAborted(options.signal);
      yield [first + at, cellOf(block, at)];
    }
  }
}

function cellOf(block: CellArrDatasetSlice, at: number): CellArrDatasetSlice {
  const row = Uint32Array.of(at);
  const matrices = [...block.matrices].map(([name, matrix]) => [name, takeMatrixRows(matrix, row)] as const);
  return new CellArrDatasetSlice({
    cellMetadata: takeFrameRows(block.cellMetadata, row),
    geneAnnotation: block.geneAnnotation,
    matrices: new Map(matrices),
    cellIndices: block.cellIndices.slice(at, at + 1),
    geneIndices: block.geneIndices,
  });
}
