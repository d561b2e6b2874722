import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readH5ad } from "../../src/h5ad-node.js";
import { LogNormaliser } from "../../src/ml/loader/normalise.js";
import { allCells, CellReader, type CsrBatch, DataModule } from "../../src/ml.js";
import { buildCellArrDataset, CellArrDataset, MemoryStore } from "../../src/node.js";
import { hasPython, runPython } from "../support/python.js";
import { collect, storeOf } from "./stores.js";

/** Values as a network takes them. */

/** Scaled to the sum, log(1 + x), as the formula says. */
function normalised(values: readonly number[], targetSum: number): number[] {
  const sum = values.reduce((all, value) => all + value, 0);
  return values.map((value) => Math.fround(Math.log1p((value * targetSum) / (sum === 0 ? 1 : sum))));
}

describe("log-normalisation", () => {
  it("is the formula, cell after cell, whatever the counts are", () => {
    const count = fc.oneof(fc.integer({ min: 0, max: 300 }), fc.float({ min: 0, max: 1e6, noNaN: true }));
    fc.assert(
      fc.property(
        fc.array(fc.array(count, { maxLength: 6 }), { maxLength: 6 }),
        fc.double({ min: 0.5, max: 1e6, noNaN: true }),
        (cells, target) => {
          const normaliser = new LogNormaliser(target);
          for (const cell of cells) {
            const out = new Float32Array(cell.length + 2).fill(7);
            normaliser.cell(Float64Array.from(cell), 0, cell.length, out, 1, null);
            const expected = normalised(cell, target);
            expect([out[0], out.at(-1)]).toEqual([7, 7]);
            for (const [at, value] of expected.entries()) {
              expect(Math.abs(out[at + 1]! - value)).toBeLessThanOrEqual(2e-7 * Math.abs(value));
            }
          }
        },
      ),
    );
  });

  it("leaves a cell without counts empty, and takes sums over the genes that are read", async () => {
    const dataset = await storeOf([{ study: "s", sample: "a", labels: ["x", "x"] }]);
    const reader = await CellReader.open(dataset, { geneOrder: ["gene_3", "gene_1"], targetSum: 10 });
    const { values } = await reader.read(Uint32Array.of(1, 0, 1));
    expect(values).toHaveLength(6);
    const plain = await (
      await CellReader.open(dataset, { geneOrder: ["gene_3", "gene_1"], lognorm: false })
    ).read(Uint32Array.of(1, 0, 1));
    const counts = [...(plain.values as Float32Array)];
    expect([...(values as Float32Array)]).toEqual(
      [0, 1, 2].flatMap((row) => normalised(counts.slice(row * 2, row * 2 + 2), 10)),
    );
  });
});

describe("reuseValues", () => {
  it("gives the same batches in one piece of memory", async () => {
    const dataset = await storeOf(
      Array.from({ length: 4 }, (_, at) => ({
        study: "s",
        sample: `${at}`,
        labels: new Array(5 - at).fill("x"),
      })),
    );
    const options = { labelColumnName: "label", sampleColumnName: "sample", batchSize: 1 };
    const expected = await collect((await DataModule.open(dataset, options)).train());
    const module = await DataModule.open(dataset, { ...options, reuseValues: true });
    const buffers = new Set<unknown>();
    for await (const { values, step } of module.train()) {
      expect(values).toEqual(expected[step]!.values);
      buffers.add((values as Float32Array).buffer);
    }
    expect(buffers.size).toBeLessThan(4);
  });
});

const shared = fileURLToPath(new URL("../../../shared/h5ad/10x_pbmc68k_reduced.h5ad", import.meta.url));

describe("real cells", () => {
  it("come as scanpy's pipeline makes them, labelled, split and in order", async (context) => {
    context.skip(
      !existsSync(shared),
      "optional data: the folder shared/h5ad beside the project is not there",
    );
    const adata = await readH5ad(shared);
    const where = { store: new MemoryStore(), path: "store" };
    await buildCellArrDataset({
      outputPath: where,
      files: [adata],
      matrixOptions: { matrixName: "raw/X", dtype: "float32" },
      cellMetadataOptions: { columnTypes: { bulk_labels: null, phase: null } },
    });
    const dataset = await CellArrDataset.open(where);
    const module = await DataModule.open(dataset, {
      labelColumnName: "bulk_labels",
      studyColumnName: "phase",
      valStudies: ["S"],
      batchSize: 5,
      sampleSize: 64,
      sampling: "uniform",
    });
    expect(module.labelNames).toHaveLength(10);
    expect(module.labelNames).toEqual([...module.labelNames].sort());
    expect(module.trainCells + module.valCells).toBe(700);
    const sparse = await CellReader.open(dataset, { lognorm: false, sparse: true });
    const [raw] = await collect(allCells(dataset, sparse, { batchSize: 700 }));
    const counts = raw!.values as CsrBatch;
    const seen = new Set<string>();
    for await (const batch of module.train()) {
      for (const [row, cell] of batch.cellIndices.entries()) {
        const [from, to] = [counts.indptr[cell]!, counts.indptr[cell + 1]!];
        const expected = new Float32Array(batch.geneCount);
        const values = normalised([...counts.values.subarray(from, to)], 1e4);
        for (const [at, value] of values.entries()) expected[counts.indices[from + at]!] = value;
        const got = (batch.values as Float32Array).subarray(
          row * batch.geneCount,
          (row + 1) * batch.geneCount,
        );
        for (const [gene, value] of got.entries()) {
          if (Math.abs(value - expected[gene]!) > 2e-7 * Math.abs(expected[gene]!)) {
            throw new Error(`cell ${cell}, gene ${gene}: ${value}, expected ${expected[gene]}`);
          }
        }
        seen.add(module.labelNames[batch.labels[row]!]!);
        expect(module.studyNames[batch.studies[row]!]).not.toBe("S");
      }
    }
    expect(seen.size).toBe(10);
  });
});

describe.skipIf(!hasPython)("NumPy", () => {
  it("computes the same", async () => {
    const cells = [
      [1, 0, 5, 255, 256],
      [0, 0, 0, 0, 0],
      [0.5, 1e5, 3, 3, 7],
    ];
    const expected = (await runPython(
      `
import json
import numpy as np
x = np.array(${JSON.stringify(cells)})
s = x.sum(axis=1, keepdims=True)
s[s == 0] = 1
print(json.dumps(np.log1p(x / s * 1e4).astype(np.float32).astype(float).tolist()))
`,
    )) as number[][];
    const normaliser = new LogNormaliser(1e4);
    for (const [at, cell] of cells.entries()) {
      const out = new Float32Array(cell.length);
      normaliser.cell(Float32Array.from(cell), 0, cell.length, out, 0, null);
      for (const [gene, value] of out.entries()) {
        expect(Math.abs(value - expected[at]![gene]!)).toBeLessThanOrEqual(2e-7 * value);
      }
    }
  });
});
