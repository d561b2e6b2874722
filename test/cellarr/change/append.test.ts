import { cp } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openArray } from "../../../src/array/open.js";
import { writeH5ad } from "../../../src/h5ad-node.js";
import {
  type AppendOptions,
  appendToDataset,
  buildCellArrDataset,
  CellArrDataset,
  isCellarrError,
  MemoryStore,
  slice,
} from "../../../src/node.js";
import type { WritableStore } from "../../../src/storage/types.js";
import { columnValues } from "../../../src/util/frame.js";
import { runs } from "../../support/property.js";
import { hasPython, pythonPeer } from "../../support/python.js";
import { withFailureAfter, withoutRename } from "../../support/stores.js";
import { temporaryFolder } from "../../support/temporary.js";
import { collections, denseRows, type Experiment, experiment, frame, numbers } from "../samples.js";

/** Files behind those that a store has, against a store that has them from the start. */

const at = (store: WritableStore) => ({ store, path: "store" });
const first = [
  experiment({
    genes: ["b", "d"],
    rows: [
      [1, 2],
      [0, 3],
    ],
  }),
];
const second = [
  experiment({ genes: ["d", "c", "a"], rows: [[4, 5, 6]] }),
  experiment({ genes: ["b"], rows: [[7], [8]] }),
];
const OLD = {
  genes: ["b", "d"],
  samples: ["sample_1"],
  rows: [
    [1, 2],
    [0, 3],
  ],
};
const NEW = {
  genes: ["b", "d", "a", "c"],
  samples: ["sample_1", "sample_2", "sample_3"],
  rows: [
    [1, 2, 0, 0],
    [0, 3, 0, 0],
    [0, 4, 6, 5],
    [7, 0, 0, 0],
    [8, 0, 0, 0],
  ],
};

async function contentOf(place: string | { store: WritableStore; path: string }) {
  const dataset = await CellArrDataset.open(place);
  const rows = denseRows((await dataset.get(slice())).matrix("counts"));
  return {
    genes: await dataset.getGeneAnnotationIndex(),
    samples: await dataset.getSampleMetadataIndex(),
    rows,
  };
}

async function cells(dataset: CellArrDataset) {
  const names = dataset.getCellMetadataColumns();
  const columns = await Promise.all(names.map((name) => dataset.getCellMetadataColumn(name)));
  return Object.fromEntries(names.map((name, n) => [name, columnValues(columns[n]!)]));
}

/** What the genes of two stores add up to, in those of one of which the sums were gone on with. */
async function expectSameSummaries(dataset: CellArrDataset, all: CellArrDataset) {
  const names = all.getGeneAnnotationColumns().filter((name) => /total|mean|variance|detected/.test(name));
  expect(names).toHaveLength(8);
  for (const name of names) {
    const ours = columnValues(await dataset.getGeneAnnotationColumn(name)) as number[];
    const theirs = columnValues(await all.getGeneAnnotationColumn(name)) as number[];
    for (const [gene, value] of theirs.entries()) {
      if (Number.isNaN(value)) expect(ours[gene], `${name} of ${gene}`).toBeNaN();
      else expect(Math.abs(ours[gene]! - value), name).toBeLessThanOrEqual(1e-9 * (1 + Math.abs(value)));
    }
  }
}

async function keysOf(store: WritableStore) {
  return (await store.list("")).map(({ key }) => key);
}

describe("appendToDataset", () => {
  it.each(["a store in memory", "a store without rename", "a folder"])("to %s", async (kind) => {
    const memory = new MemoryStore();
    const store = kind.endsWith("rename") ? withoutRename(memory) : memory;
    const place = kind === "a folder" ? join(await temporaryFolder(), "store") : at(store);
    await buildCellArrDataset({ outputPath: place, files: first });
    const steps = new Set<string>();
    const result = await appendToDataset(place, {
      files: second,
      onProgress: ({ step }) => steps.add(step),
    });
    expect(result).toEqual({ samples: ["sample_2", "sample_3"], newCells: 3, newGenes: 2 });
    expect(await contentOf(place)).toEqual(NEW);
    const dataset = await CellArrDataset.open(place);
    expect(await cells(dataset)).toEqual({
      cellarr_sample: ["sample_1", "sample_1", "sample_2", "sample_3", "sample_3"],
      cellarr_cell_index_in_sample: ["0", "1", "0", "0", "1"],
      cellarr_counts_total: [3, 3, 15, 7, 8],
      cellarr_counts_detected: [2, 1, 3, 1, 1],
    });
    const samples = await dataset.getSampleSubset(slice());
    expect(columnValues(samples.columns.get("cellarr_sample_start_index")!)).toEqual(["0", "2", "3"]);
    expect(columnValues(samples.columns.get("cellarr_sample_end_index")!)).toEqual(["1", "2", "4"]);
    expect(columnValues(samples.columns.get("cellarr_original_gene_set")!)).toEqual(["b,d", "d,c,a", "b"]);
    expect((await dataset.getCellsForSample("sample_3")).cellIndices).toEqual(Uint32Array.of(3, 4));
    expect([...steps].sort()).toEqual(["cell_metadata", "gene_major", "matrix", "scan"]);
    if (kind !== "a folder")
      expect((await keysOf(memory)).filter((key) => /\/\.cellarr/.test(key))).toEqual([]);
  });

  it("keeps gene-major copies up to date, and makes stale ones anew", async () => {
    const store = new MemoryStore();
    await buildCellArrDataset({ outputPath: at(store), files: first });
    for (const optimize of [false, true]) {
      await appendToDataset(at(store), { files: second, optimize });
      const dataset = await CellArrDataset.open(at(store));
      expect((await dataset.getGeneMajorCopy("counts")).state).toBe("current");
      for (const genes of [["a"], ["d", "b"], ["c", "a", "b"]]) {
        const options = { source: "gene-major" } as const;
        const byGene = await dataset.getMatrixSubset(slice(), genes, options);
        const byCell = await dataset.getMatrixSubset(slice(), genes, { source: "cell-major" });
        expect(byGene.get("counts")).toEqual(byCell.get("counts"));
      }
      const matrix = await openArray({ store, path: "store/assays/counts" });
      expect(matrix.fragments.length).toBe(optimize ? 1 : 2);
    }
    expect((await contentOf(at(store))).rows).toEqual([...NEW.rows, ...NEW.rows.slice(2)]);
  });

  it("of drawn files equals a store with all of them", async () => {
    const split = fc.tuple(collections, collections);
    await fc.assert(
      fc.asyncProperty(split, async ([before, after]: [Experiment[], Experiment[]]) => {
        const store = new MemoryStore();
        const matrixOptions = [
          { dtype: "uint32" as const },
          { matrixName: "twice", dtype: "uint32" as const },
        ];
        await buildCellArrDataset({ outputPath: at(store), files: before.map(experiment), matrixOptions });
        await appendToDataset(at(store), { files: after.map(experiment) });
        const whole = new MemoryStore();
        const genes = await (await CellArrDataset.open(at(store))).getGeneAnnotationIndex();
        const all = await buildCellArrDataset({
          outputPath: at(whole),
          files: [...before, ...after].map(experiment),
          geneAnnotation: frame(genes),
          matrixOptions,
        });
        const dataset = await CellArrDataset.open(at(store));
        expect(dataset.shape).toEqual(all.shape);
        const part = await dataset.get(slice());
        const expected = await all.get(slice());
        for (const name of ["counts", "twice"]) expect(part.matrix(name)).toEqual(expected.matrix(name));
        expect(await cells(dataset)).toEqual(await cells(all));
        const samples = (one: CellArrDataset) => one.getSampleSubset(slice());
        expect(await samples(dataset)).toEqual(await samples(all));
        await expectSameSummaries(dataset, all);
        const known = new Set(before.flatMap((file) => file.genes));
        expect(genes.slice(0, known.size)).toEqual([...known].sort());
      }),
      { numRuns: runs(20, 500) },
    );
  });

  it("fills columns that the store or the files do not have", async () => {
    const store = new MemoryStore();
    const old = experiment({
      genes: ["a"],
      rows: [[1], [2]],
      obs: { tissue: ["lung", "skin"], age: numbers(3, 4) },
    });
    await buildCellArrDataset({
      outputPath: at(store),
      files: [old],
      geneAnnotation: frame(["a"], { symbol: ["A"] }),
      sampleMetadata: frame(["0"], { cellarr_sample: ["first"], donor: ["x"] }),
      cellMetadataOptions: { columnTypes: { tissue: "ascii", age: "float64" } },
    });
    const next = experiment({ genes: ["b"], rows: [[1]], obs: { tissue: ["gut"], batch: ["one"] } });
    const options: AppendOptions = {
      files: [next],
      geneAnnotation: frame(["b", "z"], { symbol: ["B", "Z"], kind: ["x", "y"] }),
      sampleMetadata: frame(["0"], { cellarr_sample: ["second"], site: ["y"] }),
      cellMetadataOptions: { columnTypes: { batch: "ascii" } },
    };
    await appendToDataset(at(store), options);
    const dataset = await CellArrDataset.open(at(store));
    expect(await cells(dataset)).toMatchObject({
      cellarr_sample: ["first", "first", "second"],
      tissue: ["lung", "skin", "gut"],
      age: [3, 4, null],
      batch: ["NA", "NA", "one"],
    });
    const samples = await dataset.getSampleSubset(slice());
    expect(columnValues(samples.columns.get("donor")!)).toEqual(["x", "NA"]);
    expect(columnValues(samples.columns.get("site")!)).toEqual(["NA", "y"]);
    const genes = await dataset.getGeneSubset(slice());
    expect(columnValues(genes.columns.get("symbol")!)).toEqual(["A", "B"]);
    expect(columnValues(genes.columns.get("kind")!)).toEqual(["NA", "x"]);
    await expect(appendToDataset(at(store), options)).rejects.toThrow("'second' is in the store already");
    const cellMetadata = frame(["0"], { tissue: ["eye"], age: numbers(9), batch: ["two"] });
    await appendToDataset(at(store), { files: [next], cellMetadata, sampleMetadata: frame(["0"], {}) });
    expect((await cells(await CellArrDataset.open(at(store)))).age).toEqual([3, 4, null, 9]);
  });

  it("gives columns room for gaps and for any text, and leaves matrices that get no values of zeros", async () => {
    const store = new MemoryStore();
    const matrixOptions = [{ dtype: "uint16" }, { matrixName: "twice", dtype: "float32" }] as const;
    const obs = {
      n: numbers(1, 2),
      id: ["a", "b"],
      flag: { kind: "boolean", values: Uint8Array.of(1, 0) } as const,
    };
    await buildCellArrDataset({
      outputPath: at(store),
      files: [
        experiment({
          genes: ["a", "b"],
          rows: [
            [1, 2],
            [0, 4],
          ],
          obs,
        }),
      ],
      matrixOptions,
      sampleMetadata: frame(["0"], { size: numbers(2), donor: ["x"] }),
      geneAnnotation: frame(["a", "b"], { length: { kind: "numeric", values: Int32Array.of(5, 6) } }),
      cellMetadataOptions: { columnTypes: { n: "int32", id: "ascii", flag: "bool" } },
    });
    const gaps = Uint8Array.of(0, 1);
    await appendToDataset(at(store), {
      files: [
        experiment({
          genes: ["b", "γ"],
          rows: [
            [3, 1],
            [5, 0],
          ],
          obs: { n: { kind: "numeric", values: Int32Array.of(0, 7), validity: gaps }, id: ["é", "😀"] },
        }),
      ],
      matrixOptions: { matrixName: "twice", skip: true },
      sampleMetadata: frame(["0"], { cellarr_sample: ["Zürich"], donor: ["ö"] }),
      cellMetadataOptions: { columnTypes: { id: "ascii", score: "int8" } },
    });
    const dataset = await CellArrDataset.open(at(store));
    expect(await dataset.getGeneAnnotationIndex()).toEqual(["a", "b", "γ"]);
    expect(await cells(dataset)).toMatchObject({
      cellarr_sample: ["sample_1", "sample_1", "Zürich", "Zürich"],
      n: [1, 2, null, 7],
      id: ["a", "b", "é", "😀"],
      flag: [true, false, null, null],
      score: [null, null, null, null],
      cellarr_counts_total: [3, 4, 4, 5],
      cellarr_twice_total: [6, 8, 0, 0],
      cellarr_twice_detected: [2, 1, 0, 0],
    });
    expect([...(await dataset.get("n > 1 or flag == True")).cellIndices]).toEqual([0, 1, 3]);
    const samples = await dataset.getSampleSubset(slice());
    expect(columnValues(samples.columns.get("size")!)).toEqual([2, null]);
    expect(columnValues(samples.columns.get("donor")!)).toEqual(["x", "ö"]);
    const genes = await dataset.getGeneSubset(slice());
    const values = (name: string) => columnValues(genes.columns.get(name)!);
    expect(values("length")).toEqual([5, 6, null]);
    expect(values("cellarr_counts_mean")).toEqual([0.25, 3.5, 0.25]);
    expect(values("cellarr_twice_total")).toEqual([2, 12, 0]);
    expect(values("cellarr_twice_mean")).toEqual([0.5, 3, 0]);
    expect((values("cellarr_twice_variance") as number[])[1]).toBeCloseTo(44 / 3, 10);
    expect(values("cellarr_twice_detected")).toEqual([1, 2, 0]);
  });

  it("refuses what is no rule for new genes", async () => {
    const store = new MemoryStore();
    await buildCellArrDataset({ outputPath: at(store), files: first });
    const options = { files: second, newGenes: "drop" } as unknown as AppendOptions;
    await expect(appendToDataset(at(store), options)).rejects.toMatchObject({
      code: "ARGUMENT",
      message: expect.stringContaining("newGenes is 'drop', expected add, ignore, error"),
    });
    expect(await contentOf(at(store))).toEqual(OLD);
  });

  it("refuses, or leaves out, new genes where that is asked for", async () => {
    const store = new MemoryStore();
    await buildCellArrDataset({ outputPath: at(store), files: first });
    const refused = appendToDataset(at(store), { files: second, newGenes: "error" });
    await expect(refused).rejects.toMatchObject({ code: "VALUE" });
    await appendToDataset(at(store), { files: second, newGenes: "ignore" });
    const { genes, rows } = await contentOf(at(store));
    expect({ genes, rows }).toEqual({ genes: OLD.genes, rows: NEW.rows.map((row) => row.slice(0, 2)) });
  });

  it("leaves the store as it was when a value does not fit, a matrix is missing, or the caller aborts", async () => {
    for (const store of [new MemoryStore(), withoutRename(new MemoryStore())]) {
      await buildCellArrDataset({ outputPath: at(store), files: first });
      const keys = await keysOf(store);
      const wrong = experiment({ genes: ["a"], rows: [[70000]] });
      const tooLarge = appendToDataset(at(store), { files: [...second, wrong] });
      await expect(tooLarge).rejects.toMatchObject({ code: "VALUE" });
      const genesOfOurs = { newGenes: "ignore", onMisfit: "clip" } as const;
      const clipped = new MemoryStore();
      await buildCellArrDataset({ outputPath: at(clipped), files: first });
      const large = experiment({ genes: ["b"], rows: [[70000]] });
      await appendToDataset(at(clipped), { files: [large], ...genesOfOurs });
      expect((await contentOf(at(clipped))).rows.at(-1)).toEqual([65535, 0]);
      const matrixOptions = { matrixName: "spliced", tiledbStoreName: "counts" };
      const missing = appendToDataset(at(store), { files: second, matrixOptions });
      await expect(missing).rejects.toMatchObject({ code: "NOT_FOUND" });
      const aborting = new AbortController();
      const onProgress = ({ step }: { step: string }) => step === "matrix" && aborting.abort();
      const aborted = appendToDataset(at(store), { files: second, onProgress, signal: aborting.signal });
      await expect(aborted).rejects.toMatchObject({ code: "ABORTED" });
      expect(await contentOf(at(store))).toEqual(OLD);
      expect(await keysOf(store)).toEqual(keys);
    }
  });

  it("leaves the old store or the new one wherever the storage is lost, as by a kill", async () => {
    const outcomes: string[] = [];
    for (let n = 0, finished = false; !finished; n += n < 60 ? 13 : 2) {
      const store = new MemoryStore();
      await buildCellArrDataset({ outputPath: at(store), files: first });
      finished = await appendToDataset(at(withFailureAfter(store, n)), { files: second }).then(
        () => true,
        () => false,
      );
      const found = await contentOf(at(store)).catch((error: unknown) => {
        if (isCellarrError(error, "NOT_FOUND")) return null;
        throw error;
      });
      outcomes.push(found === null ? "none" : found.rows.length === 2 ? "old" : "new");
      if (found !== null) expect(found).toEqual(found.rows.length === 2 ? OLD : NEW);
      // The next append finds the lock, breaks it, takes back what is half there, and works.
      await appendToDataset(at(store), { files: second, breakLock: true });
      const after = await contentOf(at(store));
      expect(after.rows.length).toBe(found !== null && found.rows.length > 2 ? 8 : 5);
      expect(after.rows.slice(0, 5)).toEqual(NEW.rows);
      const dataset = await CellArrDataset.open(at(store));
      expect((await dataset.getGeneMajorCopy("counts")).state).toBe("current");
    }
    expect([...new Set(outcomes)]).toEqual(["old", "none", "new"]);
  });

  it("works alone: a second one at the same time is refused", async () => {
    for (const place of [at(new MemoryStore()), join(await temporaryFolder(), "store")]) {
      await buildCellArrDataset({ outputPath: place, files: first });
      const outcomes = await Promise.allSettled(
        [1, 2, 3].map(() => appendToDataset(place, { files: second })),
      );
      const done = outcomes.filter(({ status }) => status === "fulfilled");
      expect(done.length).toBe(1);
      for (const one of outcomes) {
        if (one.status === "rejected") expect(one.reason).toMatchObject({ code: "EXISTS" });
      }
      expect(await contentOf(place)).toEqual(NEW);
    }
  });
});

const fixtures = fileURLToPath(new URL("../../../spec-fixtures/cellarr-0.3.2", import.meta.url));

describe.skipIf(!hasPython)("Python", () => {
  it.each(["reference", "newest"] as const)("of the %s reads what was appended", async (environment) => {
    const folder = await temporaryFolder();
    const store = join(folder, "store");
    await buildCellArrDataset({
      outputPath: store,
      files: first,
      matrixOptions: [{}, { matrixName: "twice" }],
    });
    await appendToDataset(store, { files: second });
    const peer = await pythonPeer(environment);
    const path = store;
    const assays = ["counts", "twice"];
    expect(await peer.call("cellarr_describe", { path, assays })).toEqual({
      shape: [5, 4],
      cells: (await CellArrDataset.open(store)).getCellMetadataColumns(),
      genes: NEW.genes,
      samples: NEW.samples,
    });
    const cells = { slice: [0, 4] };
    const part = (await peer.call("cellarr_slice", { path, assays, cells, genes: NEW.genes })) as {
      matrices: Record<string, number[][]>;
    };
    expect(part.matrices.counts).toEqual(NEW.rows);
    expect(part.matrices.twice).toEqual(NEW.rows.map((row) => row.map((value) => value * 2)));
    expect(await peer.call("cellarr_sample", { path, assays, sample: 1 })).toEqual([2]);
    expect(await peer.call("matrix_fragments", { uri: join(store, "assays/counts") })).toBe(2);
  });

  it("wrote stores that are appended to", async () => {
    const folder = await temporaryFolder();
    const files = await Promise.all(
      [...first, ...second].map(async (data, n) => {
        const path = join(folder, `${n}.h5ad`);
        await writeH5ad(data, path);
        return path;
      }),
    );
    const store = join(folder, "store");
    const peer = await pythonPeer();
    const matrices = [{ matrix_name: "counts", dtype: "uint32" }];
    await peer.call("cellarr_build", { output: store, files: files.slice(0, 1), matrices });
    const schema = await peer.call("matrix_schema", { uri: join(store, "assays/counts") });
    await appendToDataset(store, { files: files.slice(1) });
    expect(await contentOf(store)).toEqual(NEW);
    expect(await peer.call("matrix_schema", { uri: join(store, "assays/counts") })).toEqual(schema);
    const part = (await peer.call("cellarr_slice", {
      path: store,
      assays: ["counts"],
      cells: [0, 1, 2, 3],
      genes: NEW.genes,
    })) as { matrices: Record<string, number[][]> };
    expect(part.matrices.counts).toEqual(NEW.rows.slice(0, 4));
  });
});

it("fixtures of Python get a further sample", async () => {
  const folder = await temporaryFolder();
  const { readdirSync } = await import("node:fs");
  for (const name of readdirSync(fixtures)) {
    const store = join(folder, name);
    await cp(join(fixtures, name, "dataset"), store, { recursive: true });
    const before = await CellArrDataset.open(store);
    const was = denseRows((await before.get(slice())).matrix(before.matrixNames[0]!));
    const next = experiment({ genes: ["new gene", "newer"], rows: [[5, 6]], obs: { n: numbers(1) } });
    const matrixOptions = before.matrixNames.map((tiledbStoreName) => ({
      matrixName: "counts",
      tiledbStoreName,
    }));
    const sampleMetadata = frame(["0"], { age: numbers(30) });
    await appendToDataset(store, { files: [next], matrixOptions, sampleMetadata });
    const dataset = await CellArrDataset.open(store);
    const rows = denseRows((await dataset.get(slice())).matrix(before.matrixNames[0]!));
    expect(rows.length).toBe(was.length + 1);
    expect(rows.slice(0, -1).map((row) => row.slice(0, -2))).toEqual(was);
    expect(rows.at(-1)!.slice(-2)).toEqual([5, 6]);
  }
});
