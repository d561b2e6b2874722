import { describe, expect, it } from "vitest";
import { type Batch, type CsrBatch, DataModule, type DataModuleOptions } from "../../src/ml.js";
import { collect, columns, countOf, drawLabels, type SampleInput, storeOf } from "./stores.js";

/** Which cells come in which batch, and what of them. */

const small: readonly SampleInput[] = [
  { study: "s1", sample: "a", labels: ["T", "B", "nan", "T", "rare"] },
  { study: "s1", sample: "b", labels: ["B", "B", "T"] },
  { study: "s2", sample: "a", labels: ["T", null, "B", "T", "B", "T"] },
  { study: "s3", sample: "z", labels: ["T", "other", "B"] },
];

/** All labelled cells of a store in batches of two samples. */
async function open(samples = small, options: DataModuleOptions = {}) {
  const dataset = await storeOf(samples);
  return DataModule.open(dataset, { ...columns, batchSize: 2, sampleSize: 50, lognorm: false, ...options });
}

function cellsOf(batches: readonly Batch[]): number[] {
  return batches.flatMap(({ cellIndices }) => [...cellIndices]).sort((a, b) => a - b);
}

/** Dense rows of a batch, whatever its form. */
function rowsOf({ values, cellCount, geneCount }: Batch): number[][] {
  if (values instanceof Float32Array) {
    return Array.from({ length: cellCount }, (_, cell) => [
      ...values.subarray(cell * geneCount, (cell + 1) * geneCount),
    ]);
  }
  return Array.from({ length: cellCount }, (_, cell) => {
    const row = new Array<number>(geneCount).fill(0);
    for (let at = values.indptr[cell]!; at < values.indptr[cell + 1]!; at++)
      row[values.indices[at]!] = values.values[at]!;
    return row;
  });
}

describe("an epoch", () => {
  it("has every labelled cell once, with the codes of its metadata and its values", async () => {
    const module = await open();
    const batches = await collect(module.train());
    expect(batches.map(({ step }) => step)).toEqual([0, 1]);
    expect(module.batchesPerEpoch).toBe(2);
    expect(cellsOf(batches)).toEqual([0, 1, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 16]);
    expect(module.trainCells).toBe(15);
    expect(module.labelNames).toEqual(["B", "T", "other", "rare"]);
    expect(module.studyNames).toEqual(["s1", "s2", "s3"]);
    expect(module.sampleNames).toEqual(["a", "b", "a", "z"]);
    const cells = small.flatMap(({ study, sample, labels }) =>
      labels.map((label) => ({ study, sample, label })),
    );
    for (const batch of batches) {
      for (const [row, cell] of batch.cellIndices.entries()) {
        expect({
          study: module.studyNames[batch.studies[row]!],
          sample: module.sampleNames[batch.samples[row]!],
          label: module.labelNames[batch.labels[row]!],
        }).toEqual(cells[cell]);
      }
      expect(rowsOf(batch)).toEqual(
        Array.from(batch.cellIndices, (cell) =>
          Array.from({ length: 12 }, (_, gene) => countOf(cell, geneNumber(module, gene))),
        ),
      );
    }
  });

  it("has other batches than the next", async () => {
    const module = await open([{ study: "s", sample: "a", labels: drawLabels(200, ["x", "y"], 1) }], {
      sampleSize: 100,
    });
    const [one, two] = [await collect(module.train()), await collect(module.train({ epoch: 1 }))];
    expect(one[0]!.cellIndices).not.toEqual(two[0]!.cellIndices);
    expect(two[0]!.epoch).toBe(1);
  });

  it("takes some cells of large samples, none twice, and small samples whole", async () => {
    const module = await open(
      [
        { study: "s", sample: "a", labels: drawLabels(100, ["x", "y"], 1) },
        { study: "s", sample: "b", labels: ["x", "y", "x"] },
      ],
      { sampleSize: 10 },
    );
    const [batch] = await collect(module.train());
    expect(batch!.cellCount).toBe(13);
    expect(new Set(batch!.cellIndices).size).toBe(13);
    expect([...batch!.cellIndices].filter((cell) => cell >= 100).sort()).toEqual([100, 101, 102]);
  });

  it("ends with a smaller batch, or without it", async () => {
    const samples = Array.from({ length: 5 }, (_, at) => ({
      study: "s",
      sample: `${at}`,
      labels: ["x", "y"],
    }));
    expect((await collect((await open(samples)).train())).map(({ cellCount }) => cellCount)).toEqual([
      4, 4, 2,
    ]);
    const module = await open(samples, { dropLast: true });
    expect((await collect(module.train())).map(({ cellCount }) => cellCount)).toEqual([4, 4]);
    expect(module.batchesPerEpoch).toBe(2);
  });
});

function geneNumber(module: DataModule, column: number): number {
  return Number(module.genes[column]!.slice("gene_".length)) - 1;
}

describe("cells", () => {
  it("without a label, whatever text means that, are left out", async () => {
    const module = await open(small, { nanString: "T" });
    expect(module.labelNames).toEqual(["B", "nan", "other", "rare"]);
    expect(module.trainCells).toBe(9);
  });

  it("of samples that are too small are left out, by study and sample together", async () => {
    const module = await open(small, { minSampleSize: 4 });
    // Sample "a" of both studies is large enough, "b" and "z" are not.
    expect(cellsOf(await collect(module.train()))).toEqual([0, 1, 3, 4, 8, 10, 11, 12, 13]);
    // Study s1 has a sample of 5 cells and study s2 one named "b" of 3: neither makes s1's "b" large enough.
    const apart = await open(
      [
        { study: "s1", sample: "a", labels: ["x", "x", "x"] },
        { study: "s1", sample: "b", labels: ["x"] },
        { study: "s2", sample: "b", labels: ["x", "x", "x"] },
      ],
      { minSampleSize: 3 },
    );
    expect(cellsOf(await collect(apart.train()))).toEqual([0, 1, 2, 4, 5, 6]);
  });

  it("whose class is in one sample only are left out where asked", async () => {
    const module = await open(small, { removeSingletonClasses: true });
    expect(module.labelNames).toEqual(["B", "T"]);
    expect(module.trainCells).toBe(13);
  });

  it("of validation studies are kept apart, with labels of training only", async () => {
    const module = await open(small, { valStudies: ["s3"] });
    expect([...module.valCellIndices]).toEqual([14, 16]);
    expect(module.labelNames).toEqual(["B", "T", "rare"]);
    expect(cellsOf(await collect(module.val()))).toEqual([14, 16]);
    expect(cellsOf(await collect(module.train()))).not.toContain(14);
    expect(module.valBatches).toBe(1);
  });

  it("of validation come in the same batches every time", async () => {
    const samples = Array.from({ length: 5 }, (_, at) => ({
      study: at < 4 ? "v" : "t",
      sample: `${at}`,
      labels: drawLabels(30, ["x", "y"], at),
    }));
    for (const sampling of ["sample", "class", "uniform"] as const) {
      const options = { valStudies: ["v"], sampleSize: 5, sampling };
      const module = await open(samples, options);
      const first = await collect(module.val());
      await collect(module.train({ epoch: 3 }));
      expect(await collect(module.val())).toEqual(first);
      expect(await collect((await open(samples, { ...options, prefetch: 0 })).val())).toEqual(first);
    }
  });

  it("may have numbers and categories as labels", async () => {
    const { buildCellArrDataset, MemoryStore } = await import("../../src/node.js");
    const { experiment, frame, numbers } = await import("../cellarr/samples.js");
    const dataset = await buildCellArrDataset({
      outputPath: { store: new MemoryStore(), path: "store" },
      files: [experiment({ genes: ["a"], rows: [[1], [2], [3], [4]] })],
      matrixOptions: { dtype: "float32" },
      cellMetadata: frame(["0", "1", "2", "3"], {
        label: numbers(10, 9, Number.NaN, 10),
        study: ["s", "s", "s", "s"],
        sample: {
          kind: "categorical",
          codes: Int32Array.of(1, 0, 0, -1),
          categories: frame(["u", "v"]).index,
          ordered: false,
        },
      }),
    });
    const module = await DataModule.open(dataset, columns);
    expect(module.labelNames).toEqual(["10", "9"]);
    expect(module.sampleNames).toEqual(["u", "v"]);
    expect([...module.trainCellIndices]).toEqual([0, 1]);
  });
});

describe("genes", () => {
  it("come in the order asked, dense and sparse", async () => {
    const geneOrder = ["gene_7", "gene_2", "gene_11", "gene_1"];
    for (const sparse of [false, true]) {
      const module = await open(small, { geneOrder, sparse });
      expect(module.genes).toEqual(geneOrder);
      for (const batch of await collect(module.train())) {
        expect(batch.values instanceof Float32Array).toBe(!sparse);
        expect(rowsOf(batch)).toEqual(
          Array.from(batch.cellIndices, (cell) => [6, 1, 10, 0].map((gene) => countOf(cell, gene))),
        );
        if (!(batch.values instanceof Float32Array)) expect(ascends(batch.values)).toBe(true);
      }
    }
  });

  it("that are missing are an error, or left out", async () => {
    const geneOrder = ["gene_3", "gene_99", "gene_1"];
    await expect(open(small, { geneOrder })).rejects.toThrow("no gene of that name: 'gene_99'");
    const module = await open(small, { geneOrder, missingGenes: "drop" });
    expect(module.genes).toEqual(["gene_3", "gene_1"]);
    const [batch] = await collect(module.train());
    expect(rowsOf(batch!)[0]).toEqual([2, 0].map((gene) => countOf(batch!.cellIndices[0]!, gene)));
    await expect(open(small, { geneOrder: ["x"], missingGenes: "drop" })).rejects.toThrow(
      "no gene of the store",
    );
    await expect(open(small, { geneOrder: ["gene_1", "gene_1"] })).rejects.toThrow("'gene_1' twice");
  });
});

function ascends({ indptr, indices }: CsrBatch): boolean {
  for (let cell = 0; cell + 1 < indptr.length; cell++) {
    for (let at = indptr[cell]! + 1; at < indptr[cell + 1]!; at++)
      if (indices[at]! <= indices[at - 1]!) return false;
  }
  return true;
}

describe("a seed", () => {
  const samples = Array.from({ length: 7 }, (_, at) => ({
    study: `s${at % 3}`,
    sample: `${at}`,
    labels: drawLabels(40, ["x", "y", "z"], at),
  }));

  it.each(["sample", "class", "uniform"] as const)(
    "says every batch, whatever is read ahead and wherever it begins (%s)",
    async (sampling) => {
      const options = { sampling, sampleSize: 8, seed: 42 };
      const all = await collect((await open(samples, { ...options, prefetch: 0 })).train({ epoch: 5 }));
      expect(all.length).toBeGreaterThan(3);
      for (const prefetch of [1, 2, 9]) {
        const module = await open(samples, { ...options, prefetch });
        // Batches of another epoch in between have no effect.
        await module.train({ epoch: 6 }).next();
        expect(await collect(module.train({ epoch: 5 }))).toEqual(all);
        expect(await collect(module.train({ epoch: 5, from: 2 }))).toEqual(all.slice(2));
      }
      const other = await open(samples, { ...options, seed: 43 });
      expect(cellsOf(await collect(other.train({ epoch: 5 })))).not.toEqual(cellsOf(all));
    },
  );
});

describe("what is asked wrongly", () => {
  it("is refused", async () => {
    await expect(open(small, { batchSize: 0 })).rejects.toThrow(
      "batchSize is 0, expected a whole number from 1 on",
    );
    await expect(open(small, { seed: 2 ** 32 })).rejects.toThrow("seed is 4294967296");
    await expect(open(small, { sampling: "x" as "class" })).rejects.toThrow("sampling is 'x'");
    await expect(open(small, { targetSum: 0 })).rejects.toThrow("targetSum is 0");
    await expect(open(small, { missingGenes: "x" as "drop" })).rejects.toThrow("missingGenes is 'x'");
    await expect(open(small, { valStudies: ["s9"] })).rejects.toThrow(
      "no study of that name for validation: 's9'",
    );
    await expect(open(small, { valStudies: ["s1", "s2", "s3"] })).rejects.toThrow(
      "no cell is left to train with",
    );
    await expect(open(small, { labelColumnName: "x" })).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(open(small, { matrix: "x" })).rejects.toThrow("no matrix 'x'");
    const module = await open();
    await expect(module.train({ epoch: -1 }).next()).rejects.toThrow("epoch is -1");
    await expect(module.train({ from: 0.5 }).next()).rejects.toThrow("from is 0.5");
    expect(await collect(module.train({ from: 2 }))).toEqual([]);
  });

  it("is too large a batch", async () => {
    const options = { batchSize: 2, sampleSize: 2 ** 31, lognorm: false };
    await expect(open(small, options)).rejects.toMatchObject({ code: "LIMIT" });
    expect((await open(small, { ...options, sparse: true })).batchesPerEpoch).toBe(2);
  });
});

describe("new DataModule", () => {
  it("reads the metadata at the first batch, or when it is told to", async () => {
    const dataset = await storeOf(small);
    const module = new DataModule(dataset, columns);
    expect(() => module.labelNames).toThrow("not prepared");
    expect(String(module)).toMatch(/^DataModule\(not prepared; at /);
    await module.train().next();
    expect(module.labelNames).toHaveLength(4);
    expect(String(module)).toContain("15 cells to train with, 0 for validation, 12 genes, 4 labels");
    expect((await new DataModule(dataset, columns).prepare()).trainCells).toBe(15);
    expect(() => new DataModule(dataset, { prefetch: -1 })).toThrow("prefetch is -1");
  });
});
