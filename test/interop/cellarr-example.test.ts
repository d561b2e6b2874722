import { mkdir } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeH5ad } from "../../src/h5ad-node.js";
import { AnnData, type BuildProgress, buildCellArrDataset, CellArrDataset, slice } from "../../src/node.js";
import { denseRows, frame, matrixOf, valuesOf } from "../cellarr/samples.js";
import { hasPython, runPython } from "../support/python.js";
import { keptFolder } from "../support/temporary.js";

/** The main job as a user writes it, file by file in a folder of their own, judged by anndata and Python cellarr. */

const before = process.cwd();
let remove: () => Promise<void>;

beforeEach(async () => {
  const folder = await keptFolder();
  remove = folder.remove;
  process.chdir(folder.path);
});

afterEach(async () => {
  process.chdir(before);
  await remove();
});

/** Genes `gene_<first>` and on; counts are 0, 1 or 2, and log-norm is half of that. */
function sample(cells: number, first: number, genes: number, obs: Record<string, string[]>): AnnData {
  const rows = Array.from({ length: cells }, (_, cell) =>
    Array.from({ length: genes }, (_, gene) => (cell + first + gene) % 3),
  );
  const halves = rows.map((row) => row.map((value) => value / 2));
  const layers = { counts: matrixOf(rows, genes), "log-norm": matrixOf(halves, genes, "dense") };
  const names = Array.from({ length: genes }, (_, gene) => `gene_${first + gene}`);
  return new AnnData({
    obs: frame(
      rows.map((_, cell) => `c${cell}`),
      obs,
    ),
    var: frame(names),
    layers,
  });
}

describe("the example", () => {
  it.skipIf(!hasPython)(
    "builds from a file and from memory, queries, and writes what Python reads",
    async () => {
      await writeH5ad(sample(8, 1, 60, { tissue: Array(8).fill("lung") }), "a.h5ad");
      const anndataInMemory = sample(5, 50, 50, { cellids: ["v", "w", "x", "y", "z"] });
      const events: BuildProgress[] = [];
      const onProgress = (event: BuildProgress) => events.push(event);

      const dataset = await buildCellArrDataset({
        outputPath: "store",
        files: ["a.h5ad", anndataInMemory],
        matrixOptions: [
          { matrixName: "counts", dtype: "uint16" },
          { matrixName: "log-norm", dtype: "float32" },
        ],
        cellMetadataOptions: { columnTypes: { cellids: "ascii", tissue: "ascii" } },
        numThreads: 2,
        onProgress,
      });
      const opened = await CellArrDataset.open("store");
      const part = await opened.get(slice(0, 10), ["gene_1", "gene_95", "gene_50"]);
      await part.toAnnData().write("part.h5ad");

      expect(dataset.shape).toEqual([13, 99]);
      expect(events.length).toBeGreaterThan(5);
      const counts = Array.from({ length: 11 }, (_, cell) =>
        [1, 50, 95].map((gene) => {
          const [row, genes] = cell < 8 ? [cell, [1, 60]] : [cell - 8, [50, 99]];
          return gene >= genes[0]! && gene <= genes[1]! ? (row + gene) % 3 : 0;
        }),
      );
      const matrix = part.matrix("counts");
      expect(matrix.shape).toEqual([11, 3]);
      expect(matrix.data).toBeInstanceOf(Uint16Array);
      expect(denseRows(matrix)).toEqual(counts);
      const genes = ["gene_1", "gene_50", "gene_95"];
      expect(valuesOf(part.geneAnnotation, "cellarr_gene_index")).toEqual(genes);
      const tissue = Array.from({ length: 11 }, (_, cell) => (cell < 8 ? "lung" : "NA"));
      const cellids = [...Array(8).fill("NA"), "v", "w", "x"];
      expect(valuesOf(part.cellMetadata, "tissue")).toEqual(tissue);
      // What a killed build may leave hinders nobody.
      await mkdir("store/.cellarr-building-0123/new/gene_annotation/__schema", { recursive: true });
      expect(await runPython(READ_PART, { folder: process.cwd() })).toEqual({
        counts,
        halves: counts.map((row) => row.map((value) => value / 2)),
        genes,
        tissue,
        cellids,
        dtypes: ["uint16", "float32"],
        shape: [13, 99],
      });
    },
  );
});

const READ_PART = `
import json, os, sys
import anndata
from cellarr import CellArrDataset

os.chdir(json.load(sys.stdin)["folder"])
part = anndata.read_h5ad("part.h5ad")
counts, halves = part.layers["counts"], part.layers["log-norm"]
with CellArrDataset("store", assay_uri=["counts", "log-norm"]) as store:
    shape = list(store.shape)
print(json.dumps({
    "counts": counts.toarray().tolist(), "halves": halves.toarray().tolist(), "shape": shape,
    "genes": part.var_names.tolist(), "tissue": part.obs["tissue"].astype(str).tolist(),
    "cellids": part.obs["cellids"].astype(str).tolist(), "dtypes": [str(counts.dtype), str(halves.dtype)],
}))
`;
