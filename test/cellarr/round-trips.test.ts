import { beforeAll, describe, expect, it } from "vitest";
import { openArray } from "../../src/array/open.js";
import { publishStore } from "../../src/cellarr/build/build-late.js";
import { CellArrDataset } from "../../src/cellarr/dataset.js";
import { clearCache } from "../../src/storage/cache/shared-cache.js";
import { MemoryStore } from "../../src/storage/memory.js";
import { CountingStore } from "../support/counting-store.js";
import { GENES, geneNames, largeStore, valueAt } from "./round-trip-store.js";

/** What opening and reading ask of a store that is far away: requests and bytes are the same on every machine. */

const genes = Array.from({ length: 20 }, (_, at) => geneNames[at * 90 + 7]!);
const columns = genes.map((name) => geneNames.indexOf(name));

/** Ten cells and twenty genes of a matrix opened by itself. */
async function sliceOfMatrix(store: CountingStore, firstCell = 1234) {
  clearCache();
  store.reset();
  const array = await openArray({ store, path: "store/assays/counts" });
  const opening = { requests: store.requests.length, waves: store.waves };
  const read = await array.readCompressed({
    rows: Uint32Array.from({ length: 10 }, (_, at) => firstCell + at),
    columns: Uint32Array.from(columns),
    columnCount: GENES,
    attribute: "data",
  });
  return { opening, read: read!, requests: store.requests.length, bytes: store.bytes, waves: store.waves };
}

async function sliceOfDataset(store: CountingStore, firstCell = 1234) {
  clearCache();
  store.reset();
  const dataset = await CellArrDataset.open({ store, path: "store" });
  const part = await dataset.getSlice(
    Array.from({ length: 10 }, (_, at) => firstCell + at),
    genes,
  );
  return { dataset, part, requests: store.requests.length, bytes: store.bytes, waves: store.waves };
}

const BYTES = 100 * 1024;

describe.each([
  { count: 1, matrix: 6, dataset: 18 },
  { count: 4, matrix: 9, dataset: 21 },
])("$count fragments as Python cellarr writes them, listed", ({ count, matrix, dataset: expected }) => {
  let memory: MemoryStore;
  beforeAll(async () => {
    memory = await largeStore(count, { layout: "python" });
  }, 60_000);

  it("opens a matrix in two round trips and slices it in a third", async () => {
    const { opening, requests, bytes, waves, read } = await sliceOfMatrix(new CountingStore(memory));
    // The listing and the index that is not there; the schema and each fragment's metadata.
    expect(opening).toEqual({ requests: 3 + count, waves: 2 });
    // Columns and values of the one tile.
    expect(requests).toBe(matrix);
    expect(requests).toBeLessThanOrEqual(count === 1 ? 7 : 10);
    expect(waves).toBe(3);
    expect(bytes).toBeLessThan(BYTES);
    expect(read.indptr.at(-1)).toBe(read.values.length);
    expect(read.values.length).toBeGreaterThan(5);
    for (let row = 0; row < 10; row++) {
      for (let at = read.indptr[row]!; at < read.indptr[row + 1]!; at++) {
        expect(read.values[at]).toBe(valueAt(1234 + row, columns[read.indices[at]!]!));
      }
    }
  });

  it("opens a dataset and slices it by names of genes in four round trips", async () => {
    const store = new CountingStore(memory);
    const { dataset, part, requests, bytes, waves } = await sliceOfDataset(store);
    expect(requests).toBe(expected);
    expect(requests).toBeLessThanOrEqual(count === 1 ? 24 : 28);
    expect(waves).toBe(4);
    expect(bytes).toBeLessThan(130_000);
    const local = await CellArrDataset.open({ store: memory, path: "store" });
    expect(part).toEqual(await local.getSlice(Array.from(part.cellIndices), genes));

    store.reset();
    const cells = [7000, 7003];
    const next = await dataset.getSlice(cells, [genes[3]!]);
    expect(next).toEqual(await local.getSlice(cells, [genes[3]!]));
    expect(store.requests.map(({ key }) => key.split("/").slice(1, 3).join("/"))).toEqual([
      "assays/counts",
      "assays/counts",
    ]);
    expect(store.waves).toBe(1);
    store.reset();
    await dataset.getSlice(cells, [genes[3]!]);
    expect(store.requests).toEqual([]);
  });

  it("answers within the time of its round trips", async () => {
    const store = new CountingStore(memory, { delayMs: 30 });
    const start = performance.now();
    await sliceOfDataset(store);
    const took = performance.now() - start;
    expect(took).toBeGreaterThan(4 * 29);
    // 4 x 30 ms and what decoding takes; machines that are busy take longer.
    expect(took).toBeLessThan(1000);
  });
});

describe.each([1, 4])("%i fragments, published", (count) => {
  let memory: MemoryStore;
  beforeAll(async () => {
    memory = await largeStore(count, { layout: "python" });
    await publishStore({ store: memory, path: "store" });
  }, 60_000);

  it("opens a dataset and slices it with the listing, the index and one tile of two fields", async () => {
    const store = new CountingStore(memory);
    const { part, requests, waves } = await sliceOfDataset(store);
    expect({ requests, waves }).toEqual({ requests: 4, waves: 2 });
    const local = await CellArrDataset.open({ store: memory, path: "store" });
    expect(part).toEqual(await local.getSlice(Array.from(part.cellIndices), genes));
  });

  it("does so where nothing can be listed, in a request less", async () => {
    const { part, requests, waves } = await sliceOfDataset(new CountingStore(memory, { lists: false }));
    expect({ requests, waves }).toEqual({ requests: 3, waves: 2 });
    const local = await CellArrDataset.open({ store: memory, path: "store" });
    expect(part).toEqual(await local.getSlice(Array.from(part.cellIndices), genes));
  });

  it("opens a matrix by an index of its own", async () => {
    const place = { store: memory, path: "store/assays/counts" };
    const own = new MemoryStore("mem://matrix");
    for (const { key } of await memory.list(place.path)) await own.put(key, (await memory.get(key))!);
    await publishStore({ store: own, path: place.path });
    for (const lists of [true, false]) {
      const { requests, bytes, waves } = await sliceOfMatrix(new CountingStore(own, { lists }));
      expect({ requests, waves }).toEqual({ requests: lists ? 4 : 3, waves: 2 });
      expect(bytes).toBeLessThan(BYTES);
    }
  });

  it("answers within 150 ms at 30 ms a request but for what decoding takes", async () => {
    const start = performance.now();
    await sliceOfDataset(new CountingStore(memory, { delayMs: 30 }));
    const took = performance.now() - start;
    expect(took).toBeGreaterThan(2 * 29);
    expect(took).toBeLessThan(1000);
  });
});

describe("what is not there", () => {
  it("is said without more requests than it takes to look", async () => {
    const memory = new MemoryStore();
    await memory.put("folder/file", new Uint8Array(3));
    const store = new CountingStore(memory);
    await expect(openArray({ store, path: "folder" })).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(openArray({ store, path: "folder" })).rejects.toThrow(
      "a folder without __schema lies there",
    );
    await expect(CellArrDataset.open({ store, path: "" })).rejects.toThrow("no cellarr store");
  });
});
