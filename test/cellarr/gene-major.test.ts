import { cp } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import "../../src/node-platform.js";
import { openArray } from "../../src/array/open.js";
import { putMetadata } from "../../src/array/write/metadata-io.js";
import { writeSparse } from "../../src/array/write/write-sparse.js";
import { buildCellArrDataset } from "../../src/cellarr/build/build.js";
import { indexDataset, removeIndex } from "../../src/cellarr/by-gene/index-dataset.js";
import { CellArrDataset } from "../../src/cellarr/dataset.js";
import type { DatasetWarning } from "../../src/cellarr/dataset-parts.js";
import { slice } from "../../src/cellarr/selection.js";
import { AnnData } from "../../src/h5ad/anndata.js";
import { MemoryStore } from "../../src/storage/memory.js";
import type { WritableStore } from "../../src/storage/types.js";
import { withCounting, withFailureAfter, withoutRename } from "../support/stores.js";
import { temporaryFolder } from "../support/temporary.js";
import { collections, denseRows, expectedStore, experiment, frame, matrixOf } from "./samples.js";

const CELLS = 300;
const GENES = 600;
const fixture = fileURLToPath(
  new URL("../../spec-fixtures/cellarr-0.3.2/store.two-matrices/dataset", import.meta.url),
);

/** Two files of 72,000 values in all, so many tiles that a choice is there to make. Gene g is in (g % 10) / 10 of the cells. */
function files(): AnnData[] {
  return [0, 1].map((file) => {
    const rows = Array.from({ length: CELLS / 2 }, (_, cell) =>
      Array.from({ length: GENES }, (_, gene) =>
        (cell * 7 + gene * 13 + file) % 10 < gene % 10 ? ((cell + gene) % 300) + 1 : 0,
      ),
    );
    const genes = Array.from({ length: GENES }, (_, gene) => `g${gene}`);
    const layers = { counts: matrixOf(rows, GENES) };
    return new AnnData({ obs: frame(rows.map((_, cell) => `c${cell}`)), var: frame(genes), layers });
  });
}

const at = (store: WritableStore) => ({ store, path: "store" });

async function built(store: WritableStore, options: { geneMajor?: boolean; optimize?: boolean } = {}) {
  return buildCellArrDataset({ outputPath: at(store), files: files(), ...options });
}

async function copyOf(store: MemoryStore): Promise<MemoryStore> {
  const copy = new MemoryStore();
  for (const { key } of await store.list("")) await copy.put(key, (await store.get(key))!);
  return copy;
}

/** Whether a query fetched tiles of the matrix, of the copy, or of both. */
async function sourcesOf(store: ReturnType<typeof withCounting>, query: () => Promise<unknown>) {
  store.resetCounts();
  await query();
  const read = (folder: string) =>
    store.counts.fetches.some(({ key }) => key.startsWith(`store/${folder}/`) && key.endsWith("/d1.tdb"));
  return { matrix: read("assays"), copy: read("assays_by_gene") };
}

describe("a store with gene-major copies", () => {
  const store = withCounting(new MemoryStore());
  let dataset: CellArrDataset;
  beforeAll(async () => {
    dataset = await built(store);
  });

  it("has copies of the same cells, gene after gene", async () => {
    const matrix = await openArray({ store, path: "store/assays/counts" });
    const copy = await openArray({ store, path: "store/assays_by_gene/counts" });
    expect(copy.schema.cellOrder).toBe("col-major");
    expect(copy.fragments).toHaveLength(1);
    expect(await copy.read()).toEqual(await matrix.read());
    expect(await dataset.getGeneMajorCopy("counts")).toMatchObject({ state: "current" });
    expect((await store.list("store")).filter(({ key }) => key.includes(".cellarr-"))).toEqual([]);
  });

  it("reads few genes from the copy, few cells or all genes from the matrix", async () => {
    const everyCell = slice();
    expect(await sourcesOf(store, () => dataset.get(everyCell, ["g7"]))).toEqual({
      matrix: false,
      copy: true,
    });
    expect(await sourcesOf(store, () => dataset.get(slice(3, 12), ["g7"]))).toEqual({
      matrix: true,
      copy: false,
    });
    expect(await sourcesOf(store, () => dataset.get(everyCell))).toEqual({ matrix: true, copy: false });
    const cellMajor = () => dataset.get(everyCell, ["g7"], { source: "cell-major" });
    expect(await sourcesOf(store, cellMajor)).toEqual({ matrix: true, copy: false });
    const geneMajor = () => dataset.get(slice(3, 12), ["g7"], { source: "gene-major" });
    expect(await sourcesOf(store, geneMajor)).toEqual({ matrix: false, copy: true });
    // Half of both: the tiles' rectangles decide, and the cells are the sooner found.
    const names = Array.from({ length: 300 }, (_, gene) => `g${2 * gene}`);
    expect(await sourcesOf(store, () => dataset.get(slice(0, 60), names))).toEqual({
      matrix: true,
      copy: false,
    });
  });

  it("does not look for a copy where the answer is at hand in the matrix", async () => {
    const fresh = await CellArrDataset.open(at(store));
    store.resetCounts();
    await fresh.get(slice(0, 10), ["g1", "g2"]);
    expect(store.counts.fetches.filter(({ key }) => key.includes("assays_by_gene"))).toEqual([]);
  });

  it("answers the same from either array, for any cells in any order and any genes", async () => {
    const cell = fc.integer({ min: 0, max: CELLS - 1 });
    const gene = fc.integer({ min: 0, max: GENES - 1 });
    const cellSets = fc.oneof(
      fc.array(cell, { minLength: 1, maxLength: 40 }),
      fc.tuple(cell, cell).map(([a, b]) => slice(Math.min(a, b), Math.max(a, b))),
      fc.constant(slice()),
    );
    const geneSets = fc.oneof(
      fc.uniqueArray(gene, { minLength: 1, maxLength: 30 }),
      fc.tuple(gene, gene).map(([a, b]) => slice(Math.min(a, b), Math.max(a, b))),
    );
    await fc.assert(
      fc.asyncProperty(cellSets, geneSets, async (cells, genes) => {
        const read = async (source: "auto" | "cell-major" | "gene-major") =>
          (await dataset.get(cells, genes, { source })).matrix("counts");
        const slow = await read("cell-major");
        expect(await read("gene-major")).toEqual(slow);
        expect(await read("auto")).toEqual(slow);
      }),
      { numRuns: 60 },
    );
  }, 60_000);
});

it("collections of all kinds have the same in matrix and copy, optimized or not", async () => {
  await fc.assert(
    fc.asyncProperty(collections, fc.boolean(), async (parts, optimize) => {
      const store = new MemoryStore();
      const made = await buildCellArrDataset({
        outputPath: at(store),
        files: parts.map(experiment),
        optimize,
      });
      const expected = expectedStore(parts);
      const matrix = (await made.getMatrixSubset(slice(), slice(), { source: "gene-major" })).get("counts")!;
      expect(denseRows(matrix)).toEqual(expected.rows);
    }),
    { numRuns: 30 },
  );
});

describe("a copy that is out of date", () => {
  async function staleStore() {
    const store = new MemoryStore();
    await built(store);
    await writeSparse(
      { store, path: "store/assays/counts" },
      { cell_index: Uint32Array.of(5), gene_index: Uint32Array.of(7), data: Uint16Array.of(9999) },
    );
    return store;
  }

  async function valueAt(store: WritableStore, warnings: DatasetWarning[]) {
    const dataset = await CellArrDataset.open(at(store), { onWarning: (one) => warnings.push(one) });
    const { indptr, data } = (await dataset.get(slice(), 7)).matrix("counts");
    return { value: data[indptr[5]!], copy: (await dataset.getGeneMajorCopy("counts")).state };
  }

  it("is not used, and that is said once", async () => {
    const warnings: DatasetWarning[] = [];
    expect(await valueAt(await staleStore(), warnings)).toEqual({ value: 9999, copy: "stale" });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatchObject({ matrix: "counts", copy: "stale" });
  });

  it("is made anew by indexDataset", async () => {
    const store = await staleStore();
    expect(await indexDataset(at(store))).toEqual([{ matrix: "counts", outcome: "made" }]);
    expect(await indexDataset(at(store))).toEqual([{ matrix: "counts", outcome: "kept" }]);
    expect(await valueAt(store, [])).toEqual({ value: 9999, copy: "current" });
  });

  it("is refused where it is asked for", async () => {
    const dataset = await CellArrDataset.open(at(await staleStore()));
    await expect(dataset.get(slice(), 7, { source: "gene-major" })).rejects.toMatchObject({
      code: "NOT_FOUND",
    });
  });
});

describe("a copy that is damaged", () => {
  const copyPath = "store/assays_by_gene/counts";
  const damages: [string, (store: MemoryStore) => Promise<void>][] = [
    ["no origin", (store) => putMetadata({ store, path: copyPath }, { cellarr_gene_major_of: null })],
    [
      "an origin that is no JSON",
      (store) => putMetadata({ store, path: copyPath }, { cellarr_gene_major_of: "{" }),
    ],
    [
      "more cells",
      async (store) => {
        await writeSparse(
          { store, path: copyPath },
          { cell_index: Uint32Array.of(0), gene_index: Uint32Array.of(0), data: Uint16Array.of(1) },
        );
      },
    ],
    [
      "a file missing",
      async (store) => {
        const entries = await store.list(copyPath);
        await store.delete(entries.find(({ key }) => key.endsWith("/d0.tdb"))!.key);
      },
    ],
    [
      "its commit missing",
      async (store) => {
        await store.deletePrefix(`${copyPath}/__commits`);
      },
    ],
  ];
  it.each(damages)("is not used: %s", async (_, damage) => {
    const store = new MemoryStore();
    await built(store);
    await damage(store);
    const warnings: DatasetWarning[] = [];
    const dataset = await CellArrDataset.open(at(store), { onWarning: (one) => warnings.push(one) });
    const expected = (await dataset.get(slice(), 7, { source: "cell-major" })).matrix("counts");
    expect((await dataset.get(slice(), 7)).matrix("counts")).toEqual(expected);
    expect(warnings).toMatchObject([{ kind: "gene-major-copy", copy: "unusable" }]);
  });
});

describe("indexDataset", () => {
  it("makes what the build makes, with runs that do not fit in memory too", async () => {
    const [whole, indexed] = [new MemoryStore(), new MemoryStore()];
    await built(whole);
    const dataset = await built(indexed, { geneMajor: false, optimize: false });
    expect((await dataset.getGeneMajorCopy("counts")).state).toBe("none");
    const steps = new Set<string>();
    const onProgress = ({ step, done, total }: { step: string; done: number; total: number }) => {
      expect(done).toBeLessThanOrEqual(total);
      steps.add(step);
    };
    await indexDataset(at(indexed), { runCells: 5000, onProgress });
    expect([...steps]).toEqual(["read", "write"]);
    const read = async (store: WritableStore) =>
      (await openArray({ store, path: "store/assays_by_gene/counts" })).read();
    expect(await read(indexed)).toEqual(await read(whole));
    expect((await indexed.list("store")).filter(({ key }) => key.includes(".cellarr-"))).toEqual([]);
  });

  it("indexes a store of Python cellarr, and takes the copies away again", async () => {
    const path = join(await temporaryFolder(), "store");
    await cp(fixture, path, { recursive: true });
    const before = await CellArrDataset.open(path);
    const indexed = await indexDataset(path);
    expect(indexed.map(({ outcome }) => outcome)).toEqual(before.matrixNames.map(() => "made"));
    const dataset = await CellArrDataset.open(path);
    expect(dataset.matrixNames).toEqual(before.matrixNames);
    for (const name of dataset.matrixNames) {
      const one = { matrices: [name] };
      const expected = await before.getMatrixSubset(slice(), slice(), one);
      expect(await dataset.getMatrixSubset(slice(), slice(), { ...one, source: "gene-major" })).toEqual(
        expected,
      );
    }
    expect(await removeIndex(path)).toEqual(before.matrixNames);
    expect(await removeIndex(path)).toEqual([]);
    expect((await (await CellArrDataset.open(path)).getGeneMajorCopy("counts")).state).toBe("none");
  });

  it.each(["with rename", "without rename"])(
    "leaves a store that answers as before wherever it is stopped, in a store %s",
    async (kind) => {
      const original = new MemoryStore();
      const expected = (await (await built(original, { geneMajor: false })).get(slice(), 7)).matrix("counts");
      const states = new Set<string>();
      for (let n = 0; n < 400; n++) {
        const same = await copyOf(original);
        const store = kind === "with rename" ? same : withoutRename(same);
        const failure = await indexDataset(at(withFailureAfter(store, n)), { runCells: 30_000 }).catch(
          (error: unknown) => error,
        );
        const dataset = await CellArrDataset.open(at(store));
        const copy = (await dataset.getGeneMajorCopy("counts")).state;
        states.add(copy);
        expect((await dataset.get(slice(), 7)).matrix("counts")).toEqual(expected);
        if (Array.isArray(failure)) break;
        expect(failure).toMatchObject({ code: "STORAGE" });
      }
      expect(states.has("none") && states.has("current")).toBe(true);
    },
    120_000,
  );

  it("stops when asked to, and leaves nothing behind", async () => {
    const store = new MemoryStore();
    await built(store, { geneMajor: false });
    const before = (await store.list("")).map(({ key }) => key);
    const controller = new AbortController();
    const onProgress = () => controller.abort();
    const stopped = indexDataset(at(store), { onProgress, signal: controller.signal });
    await expect(stopped).rejects.toMatchObject({ code: "ABORTED" });
    expect((await store.list("")).map(({ key }) => key)).toEqual(before);
  });
});

it("a store built over another keeps no copies of matrices that are gone", async () => {
  for (const make of [() => new MemoryStore(), () => withoutRename(new MemoryStore())]) {
    const store = make();
    const one = [experiment({ genes: ["a", "b"], rows: [[1, 2]] })];
    const matrixOptions = [{}, { matrixName: "twice" }];
    await buildCellArrDataset({ outputPath: at(store), files: one, matrixOptions });
    await buildCellArrDataset({ outputPath: at(store), files: one, geneMajor: false, overwrite: true });
    expect((await store.list("store")).filter(({ key }) => key.includes("by_gene"))).toEqual([]);
  }
});
