// Run in a folder where the packed package was installed: builds a store, queries it, goes through H5AD and back.
import assert from "node:assert/strict";
import {
  AnnData,
  buildCellArrDataset,
  CellArrDataset,
  Frame,
  isCellarrError,
  slice,
  textColumn,
} from "cellarr";
import { readH5ad } from "cellarr/h5ad";
import { openArray } from "cellarr/tiledb";

const genes = ["gene_1", "gene_2", "gene_3"];
const counts = {
  format: "csr",
  shape: [3, 3],
  indptr: Int32Array.of(0, 2, 2, 3),
  indices: Int32Array.of(0, 2, 1),
  data: Float32Array.of(5, 7, 9),
};
const adata = new AnnData({
  obs: new Frame(textColumn(["a", "b", "c"]), new Map([["tissue", textColumn(["lung", "heart", "lung"])]])),
  var: new Frame(textColumn(genes), new Map()),
  layers: { counts },
});
await adata.write("first.h5ad");

await buildCellArrDataset({
  outputPath: "store",
  files: ["first.h5ad", adata],
  matrixOptions: { matrixName: "counts", dtype: "uint16" },
  cellMetadataOptions: { columnTypes: { tissue: "ascii" } },
});
const dataset = await CellArrDataset.open("store");
assert.deepEqual(dataset.shape, [6, 3]);
const part = await dataset.get(slice(2, 3), ["gene_3", "gene_1", "gene_2"]);
const matrix = part.matrix("counts");
assert.deepEqual([...matrix.indptr], [0, 1, 3]);
assert.deepEqual([...matrix.indices], [1, 0, 2]);
assert.deepEqual([...matrix.data], [9, 5, 7]);

await part.toAnnData().write("part.h5ad");
assert.deepEqual((await readH5ad("part.h5ad")).shape, [2, 3]);
const array = await openArray("store/assays/counts");
assert.equal((await array.read()).cellCount, 6);
await assert.rejects(openArray("nowhere"), (error) => isCellarrError(error, "NOT_FOUND"));

// The optional package is not here: models are made, saved and loaded without it, not trained or asked.
const { AutoEncoder } = await import("cellarr/ml/autoencoder");
await new AutoEncoder({ genes, latentDim: 2, hiddenDim: [4] }).saveAll("model");
const model = await AutoEncoder.load("model", { genes });
await assert.rejects(model.encode(part), (error) => {
  return isCellarrError(error, "UNSUPPORTED") && error.message.includes("npm install @jax-js/jax");
});
console.log("works");
