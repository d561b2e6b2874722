import { cp } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import "../../src/node-platform.js";
import { consolidate } from "../../src/array/consolidate/consolidate.js";
import { vacuum } from "../../src/array/consolidate/vacuum.js";
import { openArray } from "../../src/array/open.js";
import { putMetadata } from "../../src/array/write/metadata-io.js";
import { writeSparse } from "../../src/array/write/write-sparse.js";
import {
  appendToDataset,
  buildCellArrDataset,
  dropSample,
  indexDataset,
  publishStore,
  removeIndex,
  verifyStore,
} from "../../src/cellarr/build/build-late.js";
import { CellArrDataset } from "../../src/cellarr/dataset.js";
import type { DatasetWarning } from "../../src/cellarr/dataset-parts.js";
import { slice } from "../../src/cellarr/selection.js";
import { StorageError } from "../../src/errors.js";
import { clearCache } from "../../src/storage/cache/shared-cache.js";
import { INDEX_KEY } from "../../src/storage/listed/index-file.js";
import { MemoryStore } from "../../src/storage/memory.js";
import type { StoreLocation } from "../../src/storage/types.js";
import { CountingStore } from "../support/counting-store.js";
import { hasPython, runPython } from "../support/python.js";
import { temporaryFolder } from "../support/temporary.js";
import { twoExperiments } from "./samples.js";

/** Index files: made, used, never wrong. */

const KEY = `store/${INDEX_KEY}`;
const MATRIX = "store/assays/counts";

async function built(): Promise<MemoryStore> {
  const store = new MemoryStore(`mem://publish-${Math.random()}`);
  const [first, second] = twoExperiments();
  await buildCellArrDataset({
    outputPath: { store, path: "store" },
    files: [first, second],
    optimize: false,
    matrixOptions: { dtype: "float32" },
  });
  return store;
}

let original: MemoryStore;
beforeAll(async () => {
  original = await built();
});
beforeEach(clearCache);

async function copyOf(store: MemoryStore): Promise<MemoryStore> {
  const copy = new MemoryStore(`mem://copy-${Math.random()}`);
  for (const { key } of await store.list("")) await copy.put(key, (await store.get(key))!);
  return copy;
}

async function published(): Promise<MemoryStore> {
  const store = await copyOf(original);
  await publishStore({ store, path: "store" });
  return store;
}

const at = (store: StoreLocation["store"]): StoreLocation => ({ store, path: "store" });
const contentOf = async (dataset: CellArrDataset) => {
  const all = await dataset.getSlice(slice(), slice());
  return { shape: dataset.shape, all, samples: await dataset.getSampleMetadataIndex() };
};

/** A matrix alone, with these bytes as its index file. */
async function withIndex(bytes: Uint8Array): Promise<MemoryStore> {
  const array = new MemoryStore(`mem://array-${Math.random()}`);
  for (const { key } of await original.list(MATRIX)) {
    await array.put(key.replace(MATRIX, "store"), (await original.get(key))!);
  }
  await array.put(KEY, bytes);
  return array;
}

describe("an index file", () => {
  it("answers as the store does, whether its keys can be listed or not", async () => {
    const store = await published();
    const expected = await contentOf(await CellArrDataset.open(at(original)));
    for (const lists of [true, false]) {
      for (const index of ["check", "trust", undefined] as const) {
        clearCache();
        const counting = new CountingStore(store, { lists });
        const dataset = await CellArrDataset.open(at(counting), { storage: { index, cacheBytes: 0 } });
        expect(counting.waves).toBe(1);
        expect(counting.count("list")).toBe(lists && index !== "trust" ? 1 : 0);
        expect(await contentOf(dataset)).toEqual(expected);
      }
    }
    const ignored = new CountingStore(store);
    await CellArrDataset.open(at(ignored), { storage: { index: "ignore" } });
    expect(ignored.requests.some(({ key }) => key === KEY)).toBe(false);
  });

  it("is asked for where nothing can be listed, and its absence said", async () => {
    const hidden = new CountingStore(original, { lists: false });
    await expect(CellArrDataset.open(at(hidden))).rejects.toThrow(/cannot be listed.*cellarr publish/);
    await expect(openArray({ store: hidden, path: MATRIX })).rejects.toMatchObject({ code: "UNSUPPORTED" });
  });

  it("keeps to its limit, the most useful first", async () => {
    const store = await copyOf(original);
    const none = await publishStore(at(store), { maxBytes: 0 });
    expect(none).toMatchObject({ heldBytes: 0, heldFiles: 0 });
    expect(none.files).toBe((await original.list("store")).length);
    const some = await publishStore(at(store), { maxBytes: 28_000 });
    expect(some.heldBytes).toBeGreaterThan(5000);
    expect(some.heldBytes).toBeLessThanOrEqual(28_000);
    const counting = new CountingStore(store);
    await CellArrDataset.open(at(counting));
    expect(counting.requests.slice(2)).toEqual([]);
    const all = await publishStore(at(store));
    expect(all.heldBytes).toBeGreaterThan(some.heldBytes);
    expect((await store.get(KEY))!.byteLength).toBe(all.bytes);
  });

  it("that is damaged is not used, and said to be", async () => {
    const store = await published();
    const whole = (await store.get(KEY))!.slice();
    const expected = (await CellArrDataset.open(at(original))).shape;
    for (const bytes of [
      whole.subarray(0, 100),
      new Uint8Array(0),
      whole.map((byte, i) => (i === 300 ? byte ^ 1 : byte)),
      whole.map((byte, i) => (i === 8 ? 9 : byte)),
    ]) {
      await store.put(KEY, bytes);
      const warnings: DatasetWarning[] = [];
      const onWarning = (warning: DatasetWarning) => warnings.push(warning);
      const dataset = await CellArrDataset.open(at(new CountingStore(store)), { onWarning });
      expect(dataset.shape).toEqual(expected);
      expect(warnings).toMatchObject([{ kind: "index-file", where: `${store.uri}/${KEY}` }]);
      warnings.length = 0;
      const array = await openArray(at(new CountingStore(await withIndex(bytes))), { onWarning });
      expect(array.schema.dimensions.length).toBe(2);
      expect(warnings).toMatchObject([{ kind: "index-file" }]);
      const hidden = new CountingStore(store, { lists: false });
      await expect(CellArrDataset.open(at(hidden))).rejects.toMatchObject({ code: "UNSUPPORTED" });
    }
  });
});

describe("an index that is out of date", () => {
  /** The store after a change that kept the index, as by another library. */
  async function changed(change: (store: MemoryStore) => Promise<unknown>): Promise<MemoryStore> {
    const store = await published();
    const index = (await store.get(KEY))!;
    await change(store);
    await store.put(KEY, index);
    return store;
  }

  const write = (store: MemoryStore) =>
    writeSparse(
      { store, path: MATRIX },
      { cell_index: Uint32Array.of(0), gene_index: Uint32Array.of(0), data: Float32Array.of(4000) },
    );

  it("counts for nothing where files can be listed", async () => {
    const store = await changed(write);
    const dataset = await CellArrDataset.open(at(new CountingStore(store)));
    expect(await contentOf(dataset)).toEqual(await contentOf(await CellArrDataset.open(at(store))));
    expect((await dataset.getSlice([0], [0])).matrix("counts").data[0]).toBe(4000);
  });

  it("gives the store as it was, where they cannot", async () => {
    const store = await changed(write);
    const dataset = await CellArrDataset.open(at(new CountingStore(store, { lists: false })));
    expect(await contentOf(dataset)).toEqual(await contentOf(await CellArrDataset.open(at(original))));
  });

  it("is an error where what it names is gone, and not after it was made again", async () => {
    const store = await changed(async (one) => {
      await consolidate({ store: one, path: MATRIX });
      await vacuum({ store: one, path: MATRIX });
    });
    const hidden = () => at(new CountingStore(store, { lists: false }));
    const dataset = await CellArrDataset.open(hidden(), { storage: { cacheBytes: 0 } });
    await expect(dataset.getMatrixSubset(slice())).rejects.toMatchObject({ code: "STORAGE" });
    await expect(dataset.getMatrixSubset(slice())).rejects.toThrow("open it again");
    const listed = await CellArrDataset.open(at(new CountingStore(store)), { storage: { cacheBytes: 0 } });
    expect(await contentOf(listed)).toEqual(await contentOf(await CellArrDataset.open(at(original))));

    await publishStore(at(store));
    const expected = await (await CellArrDataset.open(at(original))).getMatrixSubset(slice());
    expect(await dataset.getMatrixSubset(slice())).toEqual(expected);
    expect(await (await CellArrDataset.open(hidden())).getMatrixSubset(slice())).toEqual(expected);
  });

  it("does not hold what has other content under the same name and size, unless the name comes only once", async () => {
    const store = await published();
    const entries = await store.list("store");
    const group = entries.find(({ key }) => key.endsWith("__tiledb_group.tdb"));
    expect(group?.size).toBe(0);
    const counting = new CountingStore(store);
    await store.put("store/extra", new Uint8Array(10));
    const dataset = await CellArrDataset.open(at(counting));
    expect(dataset.shape).toEqual((await CellArrDataset.open(at(original))).shape);
    expect(counting.waves).toBe(1);
  });
});

describe("whatever changes a store of ours", () => {
  const changes: [string, (store: MemoryStore) => Promise<unknown>][] = [
    [
      "writes of cells",
      (store) =>
        writeSparse(
          { store, path: MATRIX },
          { cell_index: Uint32Array.of(1), gene_index: Uint32Array.of(1), data: Float32Array.of(1) },
        ),
    ],
    ["metadata", (store) => putMetadata({ store, path: "store/cell_metadata" }, { note: "x" })],
    ["consolidation", (store) => consolidate({ store, path: MATRIX })],
    ["vacuum", (store) => vacuum({ store, path: MATRIX })],
    ["copies by genes", (store) => indexDataset(at(store), { force: true })],
    ["removing them", (store) => removeIndex(at(store))],
    ["append", (store) => appendToDataset(at(store), { files: [twoExperiments()[0]] })],
    [
      "drop",
      async (store) =>
        dropSample(at(store), (await (await CellArrDataset.open(at(store))).getSampleMetadataIndex())[0]!),
    ],
    [
      "a build in its place",
      (store) =>
        buildCellArrDataset({
          outputPath: at(store) as never,
          files: [twoExperiments()[0]],
          overwrite: true,
          matrixOptions: { dtype: "float32" },
        }),
    ],
  ];
  it.each(changes)("%s: removes the index first", async (_, change) => {
    const store = await published();
    expect(await store.get(KEY)).toBeDefined();
    await change(store);
    expect(await store.get(KEY)).toBeUndefined();
  });

  it("is refused where the index cannot be removed, and not where there is none", async () => {
    const forbidding = (store: MemoryStore): MemoryStore => {
      const forbidden = async () => {
        throw new StorageError("403: you may not delete");
      };
      return Object.assign(Object.create(store) as MemoryStore, {
        get: store.get.bind(store),
        getRange: store.getRange.bind(store),
        list: store.list.bind(store),
        put: store.put.bind(store),
        writer: store.writer.bind(store),
        delete: forbidden,
      });
    };
    const note = (store: MemoryStore, path: string) =>
      putMetadata({ store: forbidding(store), path }, { note: "x" });
    const store = await copyOf(original);
    await note(store, MATRIX);
    await publishStore({ store, path: MATRIX });
    await expect(note(store, MATRIX)).rejects.toThrow("you may not delete");
    expect((await (await openArray({ store, path: MATRIX })).metadata()).get("note")).toBe("x");
  });

  it("removes it from a path as well, above the array's own store", async () => {
    const folder = await temporaryFolder();
    await cp(
      fileURLToPath(new URL("../../spec-fixtures/cellarr-0.3.2/store.plain/dataset", import.meta.url)),
      join(folder, "store"),
      { recursive: true },
    );
    const place = join(folder, "store");
    const { uri } = await publishStore(place);
    expect(uri).toBe(join(place, INDEX_KEY));
    const { defects } = await verifyStore(place);
    expect(defects.filter(({ where }) => where.includes("__cellarr"))).toEqual([]);
    await putMetadata(join(place, "assays", "counts"), { note: "x" });
    expect((await verifyStore(place)).ok).toBe(true);
    const { existsSync } = await import("node:fs");
    expect(existsSync(uri)).toBe(false);
  });
});

describe.skipIf(!hasPython)("the official libraries", () => {
  it("take no notice of index files in datasets and arrays", async () => {
    const folder = await temporaryFolder();
    const store = join(folder, "store");
    const [first, second] = twoExperiments();
    await buildCellArrDataset({
      outputPath: store,
      files: [first, second],
      optimize: false,
      matrixOptions: { dtype: "float32" },
    });
    const matrix = join(store, "assays", "counts");
    await publishStore(matrix);
    await publishStore(store);
    const answer = await runPython(
      `
import json, sys, tiledb, cellarr, os
args = json.load(sys.stdin)
matrix = args["matrix"]
with tiledb.open(matrix) as array:
    before = float(array[:]["data"].sum())
    fragments = len(tiledb.array_fragments(matrix))
tiledb.consolidate(matrix)
tiledb.vacuum(matrix)
with tiledb.open(matrix) as array:
    after = float(array[:]["data"].sum())
dataset = cellarr.CellArrDataset(dataset_path=args["store"], assay_uri="counts")
part = dataset[0:5, ["gene_1", "gene_3"]]
print(json.dumps({
    "same": before == after,
    "fragments": [fragments, len(tiledb.array_fragments(matrix))],
    "type": [tiledb.object_type(args["store"] + "/assays"), tiledb.object_type(matrix)],
    "kept": [os.path.exists(os.path.join(place, "__cellarr", "index.bin")) for place in (matrix, args["store"])],
    "shape": list(part.matrix["counts"].shape),
}))
`,
      { store, matrix },
    );
    expect(answer).toEqual({
      same: true,
      fragments: [2, 1],
      type: ["group", "array"],
      kept: [true, true],
      shape: [6, 2],
    });
    // What Python changed shows.
    const array = await openArray(matrix);
    expect(array.fragments.length).toBe(1);
  });
});
