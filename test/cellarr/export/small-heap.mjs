// Run with a small heap: exports a matrix of few values, whose zeros alone are more text than the heap holds.
import {
  AnnData,
  buildCellArrDataset,
  exportDataset,
  Frame,
  MemoryStore,
  textColumn,
} from "../../../dist/node.js";

const cells = 4000;
const genes = 8000;
const names = (count, prefix) => textColumn(Array.from({ length: count }, (_, at) => `${prefix}${at}`));
const counts = {
  format: "csr",
  shape: [cells, genes],
  indptr: Uint32Array.from({ length: cells + 1 }, (_, cell) => cell),
  indices: Int32Array.from({ length: cells }, (_, cell) => (cell * 7) % genes),
  data: Float32Array.from({ length: cells }, (_, cell) => cell % 100),
};
const file = new AnnData({
  obs: new Frame(names(cells, "cell_"), new Map()),
  var: new Frame(names(genes, "gene_"), new Map()),
  layers: { counts },
});
const dataset = await buildCellArrDataset({
  files: [file],
  outputPath: { store: new MemoryStore(), path: "store" },
});
await exportDataset(dataset, process.argv[2], { format: "csv" });
