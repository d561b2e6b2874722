import type { CellArrDataset } from "../../cellarr/dataset.js";
import type { CellValues } from "./batch.js";
import type { CellReader } from "./cell-reader.js";
import { wholeNumber } from "./options.js";
import { prefetched } from "./prefetch.js";

/** All cells of a store, in its order. */

export interface AllCellsOptions {
  /** Cells of a batch, default 1,000. */
  readonly batchSize?: number | undefined;
  /** Batches that are read ahead, default 2. */
  readonly prefetch?: number | undefined;
  /** Number of the first batch, default 0. */
  readonly from?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Batches of consecutive cells, each cell once. */
export async function* allCells(
  dataset: CellArrDataset,
  reader: CellReader,
  options: AllCellsOptions = {},
): AsyncGenerator<CellValues, void, void> {
  const size = wholeNumber("batchSize", options.batchSize ?? 1000, 1);
  const ahead = wholeNumber("prefetch", options.prefetch ?? 2, 0);
  const from = wholeNumber("from", options.from ?? 0, 0);
  const total = dataset.numberOfCells;
  reader.checkSize(Math.min(size, total));
  const fetch = (batch: number, signal: AbortSignal) => {
    const first = batch * size;
    const cells = Uint32Array.from({ length: Math.min(size, total - first) }, (_, at) => first + at);
    return reader.fetch(cells, { signal });
  };
  const batches = numbers(from, Math.ceil(total / size));
  for await (const fetched of prefetched(batches, { ahead, signal: options.signal }, fetch)) {
    yield reader.finish(fetched);
  }
}

function* numbers(from: number, to: number): Generator<number> {
  for (let number = from; number < to; number++) yield number;
}
