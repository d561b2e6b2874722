import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { writeH5ad } from "../../../src/h5ad-node.js";
import {
  buildCellArrDataset,
  CellArrDataset,
  dropSample,
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
import { collections, denseRows, type Experiment, experiment, frame } from "../samples.js";

/** A store without a sample is the store that would have been built without it. */

const at = (store: WritableStore) => ({ store, path: "store" });
const genes = ["a", "b", "c"];
const files: Experiment[] = [
  { genes, rows: [[1, 0, 2]] },
  {
    genes,
    rows: [
      [3, 4, 0],
      [0, 5, 6],
    ],
  },
  {
    genes,
    rows: [
      [7, 0, 8],
      [9, 1, 2],
    ],
  },
];

async function contentOf(place: string | { store: WritableStore; path: string }) {
  const dataset = await CellArrDataset.open(place);
  const part = await dataset.get(slice());
  const columns = await dataset.getCellSubset(slice());
  const annotation = await dataset.getGeneSubset(slice());
  const samples = await dataset.getSampleSubset(slice());
  return {
    genes: [...annotation.columns].map(([name, column]) => [name, columnValues(column)]),
    matrices: [...part.matrices],
    cells: [...columns.columns].map(([name, column]) => [name, columnValues(column)]),
    samples: [...samples.columns].map(([name, column]) => [name, columnValues(column)]),
  };
}

function build(outputPath: string | { store: WritableStore; path: string }, rows: readonly number[]) {
  return buildCellArrDataset({
    outputPath,
    files: rows.map((row) => experiment(files[row]!)),
    sampleMetadata: frame(rows.map(String), { cellarr_sample: rows.map((row) => `s${row}`) }),
    matrixOptions: [{}, { matrixName: "twice" }],
  });
}

describe("dropSample", () => {
  it.each([
    ["s0", [1, 2]],
    ["s1", [0, 2]],
    ["s2", [0, 1]],
    [["s0", "s1"], [2]],
    [["s2", "s0", "s2"], [1]],
  ] as const)("%j", async (names, left) => {
    for (const memory of [true, false]) {
      const store = memory ? new MemoryStore() : withoutRename(new MemoryStore());
      await build(at(store), [0, 1, 2]);
      const steps = new Set<string>();
      const result = await dropSample(at(store), names, { onProgress: ({ step }) => steps.add(step) });
      expect(result.cells).toBe(5 - left.reduce((sum: number, row) => sum + files[row]!.rows.length, 0));
      const expected = new MemoryStore();
      await build(at(expected), left);
      expect(await contentOf(at(store))).toEqual(await contentOf(at(expected)));
      expect([...steps]).toEqual(["cell_metadata", "matrix"]);
      const dataset = await CellArrDataset.open(at(store));
      expect((await dataset.getGeneMajorCopy("counts")).state).toBe("current");
      const byGene = await dataset.getMatrixSubset(slice(), ["c"], { source: "gene-major" });
      expect(byGene).toEqual(await dataset.getMatrixSubset(slice(), ["c"], { source: "cell-major" }));
      expect((await store.list("")).filter(({ key }) => key.includes("/.cellarr"))).toEqual([]);
    }
  });

  it("of drawn files leaves the others", async () => {
    await fc.assert(
      fc.asyncProperty(collections, fc.nat(), async (drawn: Experiment[], which) => {
        fc.pre(drawn.length > 1);
        const gone = which % drawn.length;
        const store = new MemoryStore();
        const dataset = await buildCellArrDataset({
          outputPath: at(store),
          files: drawn.map(experiment),
          matrixOptions: { dtype: "uint32" },
        });
        const rows = denseRows((await dataset.get(slice())).matrix("counts"));
        const start = drawn.slice(0, gone).reduce((sum, file) => sum + file.rows.length, 0);
        rows.splice(start, drawn[gone]!.rows.length);
        await dropSample(at(store), `sample_${gone + 1}`);
        const after = await CellArrDataset.open(at(store));
        expect(denseRows((await after.get(slice())).matrix("counts"))).toEqual(rows);
        expect(after.numberOfSamples).toBe(drawn.length - 1);
        expect(await after.getGeneAnnotationIndex()).toEqual(await dataset.getGeneAnnotationIndex());
        let cell = 0;
        for (const [at, file] of drawn.toSpliced(gone, 1).entries()) {
          const cells = await after.getCellsForSample(at);
          expect([...cells.cellIndices]).toEqual(file.rows.map(() => cell++));
        }
      }),
      { numRuns: runs(15, 400) },
    );
  });

  it("refuses what cannot be, and leaves the store", async () => {
    const store = new MemoryStore();
    await build(at(store), [0, 1]);
    const before = await contentOf(at(store));
    await expect(dropSample(at(store), ["s0", "x"])).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(dropSample(at(store), ["s0", "s1"])).rejects.toMatchObject({ code: "ARGUMENT" });
    const aborting = new AbortController();
    const { signal } = aborting;
    const aborted = dropSample(at(store), "s0", { signal, onProgress: () => aborting.abort() });
    await expect(aborted).rejects.toMatchObject({ code: "ABORTED" });
    expect(await contentOf(at(store))).toEqual(before);
  });

  it("leaves the old store or the new one wherever the storage is lost, as by a kill", async () => {
    const [old, next] = [new MemoryStore(), new MemoryStore()];
    await build(at(old), [0, 1, 2]);
    await build(at(next), [0, 2]);
    const [OLD, NEW] = [await contentOf(at(old)), await contentOf(at(next))];
    const outcomes = new Set<string>();
    for (let n = 0, finished = false; !finished; n += n < 150 ? 37 : 2) {
      const store = new MemoryStore();
      await build(at(store), [0, 1, 2]);
      finished = await dropSample(at(withFailureAfter(store, n)), "s1").then(
        () => true,
        () => false,
      );
      const found = await contentOf(at(store)).catch((error: unknown) => {
        if (isCellarrError(error, "NOT_FOUND")) return null;
        throw error;
      });
      outcomes.add(found === null ? "none" : found.samples.length > 0 ? "whole" : "");
      const isNew = found !== null && found.matrices[0]![1].shape[0] === 3;
      if (found !== null) expect(found).toEqual(isNew ? NEW : OLD);
      if (!isNew) await dropSample(at(store), "s1", { breakLock: true });
      expect(await contentOf(at(store))).toEqual(NEW);
    }
    expect([...outcomes].sort()).toEqual(["none", "whole"]);
  });
});

describe.skipIf(!hasPython)("Python", () => {
  it.each(["reference", "newest"] as const)("of the %s reads what is left", async (environment) => {
    const folder = await temporaryFolder();
    const ours = join(folder, "ours");
    await build(ours, [0, 1, 2]);
    const theirs = join(folder, "theirs");
    const paths = await Promise.all(
      files.map(async (file, n) => {
        await writeH5ad(experiment(file), join(folder, `${n}.h5ad`));
        return join(folder, `${n}.h5ad`);
      }),
    );
    const reference = await pythonPeer("reference");
    const matrices = ["counts", "twice"].map((name) => ({
      matrix_name: name,
      tiledb_store_name: name,
      dtype: "uint16",
    }));
    await reference.call("cellarr_build", { output: theirs, files: paths, matrices });
    const peer = await pythonPeer(environment);
    const assays = ["counts", "twice"];
    for (const [path, name] of [
      [ours, "s1"],
      [theirs, "sample_2"],
    ] as const) {
      await dropSample(path, name);
      expect(await peer.call("cellarr_describe", { path, assays })).toMatchObject({ shape: [3, 3], genes });
      const part = (await peer.call("cellarr_slice", { path, assays, cells: { slice: [0, 2] }, genes })) as {
        matrices: Record<string, number[][]>;
      };
      expect(part.matrices.counts).toEqual([...files[0]!.rows, ...files[2]!.rows]);
      expect(await peer.call("cellarr_sample", { path, assays, sample: 1 })).toEqual([1, 2]);
    }
  });
});
