// In a page: the program with the package as plain modules, and a slice shown as a table.
import * as cellarr from "cellarr";
import * as h5ad from "cellarr/h5ad";
import * as tiledb from "cellarr/tiledb";
import { runBucket, runProgram } from "./run.mjs";

globalThis.runTask = (task) => runProgram({ cellarr, tiledb, h5ad }, task);

globalThis.runBucketTask = (task) => runBucket({ cellarr, tiledb, h5ad }, task);

globalThis.showSlice = async (url) => {
  const dataset = await cellarr.CellArrDataset.open(`${url}/built`);
  const part = await dataset.get(cellarr.slice(0, 3), ["gene_0", "gene_1", "gene_4"]);
  const { values, shape } = part.dense("counts");
  const table = document.createElement("table");
  const head = table.createTHead().insertRow();
  for (const gene of ["", ...cellarr.textValues(part.geneAnnotation.index)]) {
    head.insertCell().textContent = gene;
  }
  for (let row = 0; row < shape[0]; row++) {
    const line = table.insertRow();
    line.insertCell().textContent = `cell ${part.cellIndices[row]}`;
    for (let column = 0; column < shape[1]; column++) {
      line.insertCell().textContent = String(values[row * shape[1] + column]);
    }
  }
  document.body.replaceChildren(table);
};
