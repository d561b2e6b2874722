// This package: simulate, build and query. Compiled code only, as users have it.
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { buildCellArrDataset, CellArrDataset, slice } from "cellarr";
import { openArray } from "cellarr/tiledb";
import { columnValues, textValues } from "../../dist/util/frame.js";
import { describeMatrix, folderBytes, hashTexts, measured, repeated, serve } from "./common.mjs";
import { CountingStore } from "./counting-store.mjs";

async function simulate({ folder, files, cells, genes, seed }) {
  const { Simulator } = await import("../../dist/cli/simulate.js");
  const { writeH5ad } = await import("cellarr/h5ad");
  const simulator = new Simulator({ cells, genes, seed });
  mkdirSync(folder, { recursive: true });
  const paths = [];
  const filled = new Map();
  let nonZeros = 0;
  for (let index = 0; index < files; index++) {
    const sample = simulator.sample(index);
    const { indices } = sample.layers.get("counts");
    const names = textValues(sample.var.index);
    for (const name of names) filled.set(name, filled.get(name) ?? 0);
    for (const gene of indices) filled.set(names[gene], filled.get(names[gene]) + 1);
    nonZeros += indices.length;
    paths.push(join(folder, `${sample.name}.h5ad`));
    await writeH5ad(sample, paths.at(-1));
  }
  const common = [...filled].reduce((best, entry) => (entry[1] > best[1] ? entry : best))[0];
  return { paths, nonZeros, genes: [...filled.keys()].sort(), common, cellTypes: ["B cell"] };
}

async function build({ store, files, cellColumns, threads, geneMajor = true }) {
  rmSync(store, { recursive: true, force: true });
  const columnTypes = Object.fromEntries(cellColumns.map((name) => [name, "ascii"]));
  const [, figures] = await measured(() =>
    buildCellArrDataset({
      outputPath: store,
      files,
      matrixOptions: { matrixName: "counts", dtype: "uint16" },
      cellMetadataOptions: { columnTypes },
      geneMajor,
      // Python cellarr has none: equal stores are compared.
      summaries: false,
      numThreads: threads,
    }),
  );
  const bytes = folderBytes(store);
  // What is neither frame is matrix, in one orientation or both.
  const frames = ["cell_metadata", "gene_annotation", "sample_metadata"].map((name) =>
    folderBytes(join(store, name)),
  );
  return { ...figures, bytes, matrixBytes: frames.reduce((left, frame) => left - frame, bytes) };
}

async function query({ store, query: asked, repeats, threads }) {
  const [dataset, figures] = await measured(() => CellArrDataset.open(store, { threads }));
  const runs = await repeated(() => ask(dataset, asked), repeats);
  return { open: figures, ...runs, answer: describe(await ask(dataset, asked), asked) };
}

const orientations = { "cell-major": "assays/counts", "gene-major": "assays_by_gene/counts" };

/**
 * Time, bytes, requests and tiles of a question about the matrix; the store is opened anew each time, so that nothing
 * is cached.
 */
async function counted({ store, query: asked, repeats }) {
  const times = [];
  const counting = new CountingStore(store);
  const location = { store: counting, path: "" };
  let stored;
  for (let i = 0; i < repeats; i++) {
    const dataset = await CellArrDataset.open(location);
    counting.reset();
    const [matrix, { seconds }] = await measured(() => ask(dataset, { ...asked, matrixOnly: true }));
    stored = matrix.data.length;
    times.push(seconds);
  }
  times.sort((a, b) => a - b);
  const [read] = Object.entries(orientations).sort(
    ([, a], [, b]) => counting.bytesBelow(b) - counting.bytesBelow(a),
  );
  const counts = counting.counts();
  return {
    seconds: times[times.length >> 1],
    stored,
    orientation: read[0],
    ...counts,
    tiles: await tilesOf(store, read[1], asked),
  };
}

async function tilesOf(store, path, asked) {
  const array = await openArray(join(store, path));
  const ranges = {};
  if (asked.genes !== undefined) {
    const names = await (await CellArrDataset.open(store)).getGeneAnnotationIndex();
    ranges.gene_index = asked.genes.map((name) => names.indexOf(name)).sort((a, b) => a - b);
  }
  const [first, last] = asked.cells ?? [0, undefined];
  if ("list" in asked) ranges.cell_index = asked.list;
  else if ("sample" in asked) ranges.cell_index = [[cellsOfSample(asked).start, cellsOfSample(asked).stop]];
  else if (last !== undefined) ranges.cell_index = [[first, last]];
  return (await array.extent({ ranges })).tiles;
}

async function ask(dataset, asked) {
  if ("metadata" in asked) return dataset.getCellSubset(asked.metadata, ["cellids", "tissue"]);
  const cells =
    "sample" in asked ? cellsOfSample(asked) : (asked.where ?? asked.list ?? slice(...(asked.cells ?? [])));
  const genes = asked.genes ?? slice();
  if (asked.matrixOnly) return (await dataset.getMatrixSubset(cells, genes)).get("counts");
  return "sample" in asked ? dataset.getCellsForSample(asked.sample) : dataset.get(cells, genes);
}

/** All files have the same number of cells. */
const cellsOfSample = ({ sample, cellsOfSample: count }) => slice(sample * count, (sample + 1) * count - 1);

function describe(part, asked) {
  if ("metadata" in asked) {
    const [ids, tissue] = ["cellids", "tissue"].map((name) =>
      hashTexts(columnValues(part.columns.get(name))),
    );
    return { metadata: ids, text: tissue };
  }
  if (asked.matrixOnly) return describeMatrix(part);
  return {
    ...describeMatrix(part.matrix("counts")),
    metadata: hashTexts(columnValues(part.cellMetadata.columns.get(asked.column))),
    genes: hashTexts(textValues(part.geneAnnotation.index)),
  };
}

await serve({ simulate, build, query, counted });
