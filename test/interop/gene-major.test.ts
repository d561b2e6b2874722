import { join } from "node:path";
import "../../src/node-platform.js";
import { beforeAll, describe, expect, it } from "vitest";
import { openArray } from "../../src/array/open.js";
import { buildCellArrDataset } from "../../src/cellarr/build/build.js";
import { indexDataset } from "../../src/cellarr/by-gene/index-dataset.js";
import { CellArrDataset } from "../../src/cellarr/dataset.js";
import { slice } from "../../src/cellarr/selection.js";
import { Simulator } from "../../src/cli/simulate.js";
import { writeH5ad } from "../../src/h5ad/write-anndata.js";
import { denseRows } from "../cellarr/samples.js";
import { hasPython, type PythonEnvironment, pythonPeer, runPython } from "../support/python.js";
import { keptFolder, temporaryFolder } from "../support/temporary.js";

/** The compact layout and the gene-major copy, against the official libraries and in size against Python's stores. */

const CELLS = 150;

/** Bytes of the fragments of an array. */
async function bytesOf(path: string): Promise<number> {
  return (await openArray(path)).fragments.reduce((sum, { bytes }) => sum + bytes, 0);
}

describe.skipIf(!hasPython)("compact matrices and gene-major copies", () => {
  let folder = "";
  const files: string[] = [];
  const ours = () => join(folder, "ours");
  const python = () => join(folder, "python");

  beforeAll(async () => {
    const kept = await keptFolder();
    folder = kept.path;
    const simulator = new Simulator({ cells: CELLS, genes: 15_000, seed: 3 });
    for (const at of [0, 1]) {
      files.push(join(folder, `sample_${at}.h5ad`));
      await writeH5ad(simulator.sample(at), files[at]!);
    }
    await buildCellArrDataset({ outputPath: ours(), files });
    await (await pythonPeer()).call("cellarr_build", {
      output: python(),
      files,
      matrices: [{ matrix_name: "counts", dtype: "uint16" }],
    });
    return kept.remove;
  }, 60_000);

  it("take a third and 0.6 of what Python's matrix takes", async () => {
    const theirs = await bytesOf(join(python(), "assays/counts"));
    const matrix = await bytesOf(join(ours(), "assays/counts"));
    const copy = await bytesOf(join(ours(), "assays_by_gene/counts"));
    // At this size metadata weigh more than in a large store, where it is 0.29 and 0.54.
    expect(matrix / theirs).toBeLessThan(0.36);
    expect((matrix + copy) / theirs).toBeLessThan(0.65);
  });

  it.each(["reference", "newest"] satisfies PythonEnvironment[])(
    "hold the same cells for the core of the %s environment as Python's own matrix",
    async (environment) => {
      const script = `
import json, sys, numpy as np, tiledb
found = []
for uri in json.load(sys.stdin):
    with tiledb.open(uri) as array:
        cells = array[:]
        order = np.lexsort((cells["gene_index"], cells["cell_index"]))
        gene = array.multi_index[:, 1234]
        found.append({
            "cells": {name: str(part.dtype) for name, part in cells.items()},
            "rows": cells["cell_index"][order].tolist(),
            "genes": cells["gene_index"][order].tolist(),
            "data": cells["data"][order].tolist(),
            "gene": sorted(zip(gene["cell_index"].tolist(), gene["data"].tolist())),
            "order": array.schema.cell_order,
            "domain": [[int(end) for end in array.dim(d).domain] for d in range(2)],
        })
print(json.dumps(found))
`;
      const uris = [
        join(python(), "assays/counts"),
        join(ours(), "assays/counts"),
        join(ours(), "assays_by_gene/counts"),
      ];
      const [theirs, matrix, copy] = (await runPython(script, uris, environment)) as Record<
        string,
        unknown
      >[];
      expect((theirs!.data as number[]).length).toBeGreaterThan(100_000);
      expect(matrix).toEqual(theirs);
      expect(copy).toEqual({ ...theirs, order: "col-major" });
    },
    60_000,
  );

  it.each(["reference", "newest"] satisfies PythonEnvironment[])(
    "don't keep Python cellarr of the %s environment from its slices",
    async (environment) => {
      const peer = await pythonPeer(environment);
      const names = ["gene_10", "gene_1000", "gene_2999"];
      const asked = { assays: ["counts"], cells: { slice: [100, 279] }, genes: names };
      const part = await (await CellArrDataset.open(ours())).get(slice(100, 279), names);
      const answers = [];
      for (const path of [ours(), python()])
        answers.push(await peer.call("cellarr_slice", { ...asked, path }));
      const [fromOurs, fromTheirs] = answers as { genes: string[]; matrices: { counts: number[][] } }[];
      expect(fromOurs!.matrices).toEqual(fromTheirs!.matrices);
      expect(fromOurs!.genes).toEqual(fromTheirs!.genes);
      expect(fromOurs!.matrices.counts.flat().some((value) => value > 0)).toBe(true);
      expect(part.shape).toEqual([180, names.length]);
    },
    60_000,
  );

  it("are made for a store of Python, and change no answer", async () => {
    const names = ["gene_5", "gene_77", "gene_1500"];
    const dataset = await CellArrDataset.open(python());
    const before = denseRows((await dataset.get(slice(), names)).matrix("counts"));
    await indexDataset(python());
    const indexed = await CellArrDataset.open(python());
    const after = await indexed.get(slice(), names, { source: "gene-major" });
    expect(denseRows(after.matrix("counts"))).toEqual(before);
    const shape = (await (
      await pythonPeer()
    ).call("cellarr_describe", { path: python(), assays: ["counts"] })) as {
      shape: number[];
    };
    expect(shape.shape).toEqual(indexed.shape);
  });

  it("python's layout is Python's very schema", async () => {
    const path = join(await temporaryFolder(), "store");
    await buildCellArrDataset({ outputPath: path, files, layout: "python" });
    const peer = await pythonPeer();
    const schema = (store: string) => peer.call("matrix_schema", { uri: join(store, "assays/counts") });
    expect(await schema(path)).toEqual(await schema(python()));
  });
});
