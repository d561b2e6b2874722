// This package's loader: batches of training for some seconds. Compiled code only, as users have it.
import { CellArrDataset } from "cellarr";
import { DataModule } from "cellarr/ml";
import { measured, serve } from "./common.mjs";

async function load({ store, threads, seconds, options }) {
  const dataset = await CellArrDataset.open(store, { threads });
  const module = await DataModule.open(dataset, options);
  const run = (least, from) => readEpochs(module, least, from);
  // The first batches teach the compiler and the file system.
  await run(Math.min(2, seconds), 0);
  const [read, figures] = await measured(() => run(seconds, 1_000_000));
  return { ...figures, ...read, genes: module.genes.length };
}

/** Epochs without a pause between them, for so many seconds. */
async function readEpochs(module, seconds, epoch) {
  const end = performance.now() + seconds * 1000;
  let [cells, batches, largest] = [0, 0, 0];
  for await (const { cellCount, values } of module.train({ epoch, epochs: 1_000_000 })) {
    cells += cellCount;
    batches++;
    const { byteLength } = values instanceof Float32Array ? values : values.values;
    largest = Math.max(largest, byteLength);
    if (performance.now() >= end) break;
  }
  return { cells, batches, largest };
}

/** Log-normalised values of cells, as hashes of what the reference gives can be compared: sums and places. */
async function answer({ store, options, cells }) {
  const module = await DataModule.open(await CellArrDataset.open(store), options);
  const { values, geneCount } = await module.reader.read(Uint32Array.from(cells));
  const rows = cells.map((_, row) => values.subarray(row * geneCount, (row + 1) * geneCount));
  return { sums: rows.map((row) => row.reduce((sum, value, gene) => sum + value * ((gene % 101) + 1), 0)) };
}

await serve({ load, answer });
