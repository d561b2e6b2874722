import { beforeAll, describe, expect, it } from "vitest";
import { openArray } from "../../src/array/open.js";
import { createArray } from "../../src/array/write/create.js";
import { writeDense } from "../../src/array/write/write-dense.js";
import { writeSparse } from "../../src/array/write/write-sparse.js";
import { MemoryStore } from "../../src/storage/memory.js";
import { withCounting } from "../support/stores.js";

/** Plans are values: what they say, and that reading asks the store for no more. */

const CAPACITY = 10;
const store = withCounting(new MemoryStore());
const sparse = { store, path: "sparse" };
const dense = { store, path: "dense" };

beforeAll(async () => {
  await createArray(sparse, {
    arrayType: "sparse",
    capacity: CAPACITY,
    dimensions: [
      { name: "cell", datatype: "uint32", domain: [0, 1000], tileExtent: null, filters: ["none"] },
      { name: "gene", datatype: "uint32", domain: [0, 1000], tileExtent: null, filters: ["none"] },
    ],
    attributes: [
      { name: "count", datatype: "uint16", filters: ["none"] },
      { name: "note", datatype: "string_ascii", filters: ["none"] },
    ],
  });
  // Two fragments of three tiles each; a tile is one cell (row) of ten genes.
  for (const first of [0, 3]) {
    const rows = Array.from({ length: 30 }, (_, i) => first + Math.floor(i / 10));
    await writeSparse(
      sparse,
      {
        cell: Uint32Array.from(rows),
        gene: Uint32Array.from(rows, (_, i) => (i % 10) * 2),
        count: Uint16Array.from(rows, (row, i) => row * 100 + i),
        note: rows.map((row) => "x".repeat(row)),
      },
      { timestamp: first + 1 },
    );
  }
  await createArray(dense, {
    arrayType: "dense",
    dimensions: [
      { name: "y", datatype: "int32", domain: [0, 19], tileExtent: 5 },
      { name: "x", datatype: "int32", domain: [0, 19], tileExtent: 10 },
    ],
    attributes: [{ name: "a", datatype: "int32", filters: ["none"] }],
  });
  const whole = Int32Array.from({ length: 400 }, (_, i) => i);
  await writeDense(
    dense,
    [
      [0, 19],
      [0, 19],
    ],
    { a: whole },
    { timestamp: 1 },
  );
  await writeDense(
    dense,
    [
      [0, 9],
      [0, 19],
    ],
    { a: whole.subarray(0, 200) },
    { timestamp: 2 },
  );
});

/** Stored bytes of a tile of fixed cells without filters: a chunk and its header. */
const tileBytes = (cellBytes: number) => 20 + CAPACITY * cellBytes;

describe("the plan of a sparse read", () => {
  it("leaves out fragments and tiles outside the ranges, and tells covered from partial ones", async () => {
    const array = await openArray(sparse);
    const plan = await array.plan({ ranges: { cell: [[1, 3]] } });
    expect(
      plan.fragments.map(({ tileCount, covered, partial }) => ({ tileCount, covered, partial })),
    ).toEqual([
      { tileCount: 3, covered: [1, 2], partial: [] },
      { tileCount: 3, covered: [0], partial: [] },
    ]);
    expect(plan.ranges).toEqual([[[1, 3]], null]);
    expect(plan.totals).toMatchObject({ fragments: 2, tiles: 3, cellsAtMost: 30 });
    const narrow = await array.plan({ ranges: { cell: [1], gene: [4, [6, 7]] } });
    expect(narrow.fragments.map(({ covered, partial }) => ({ covered, partial }))).toEqual([
      { covered: [], partial: [1] },
    ]);
    expect((await array.plan({ ranges: { cell: [7] } })).fragments).toEqual([]);
    expect((await array.plan({ ranges: { gene: [] } })).totals).toMatchObject({ tiles: 0, bytes: 0 });
  });

  it("names files and byte ranges, neighbours in one request, and no bytes that the R-tree tells", async () => {
    const array = await openArray(sparse);
    const plan = await array.plan({
      ranges: { cell: [[1, 2]], gene: [[0, 9]] },
      attributes: ["count", "note"],
    });
    const [fragment] = plan.fragments;
    // Each tile has one value of `cell`: its rectangle says all.
    expect(fragment!.fields.map(({ name, role }) => [name, role])).toEqual([
      ["gene", "both"],
      ["count", "result"],
      ["note", "result"],
    ]);
    expect(fragment!.fields[0]!.fetches).toEqual([
      { file: "d1.tdb", range: { start: tileBytes(4), end: 3 * tileBytes(4) }, tiles: 2 },
    ]);
    expect(fragment!.fields[1]!.fetches).toEqual([
      { file: "a0.tdb", range: { start: tileBytes(2), end: 3 * tileBytes(2) }, tiles: 2 },
    ]);
    expect(fragment!.fields[2]!.fetches.map(({ file, tiles }) => [file, tiles])).toEqual([
      ["a1.tdb", 2],
      ["a1_var.tdb", 2],
    ]);
    expect(plan.totals.requests).toBe(4);
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
  });

  it("is what the store then sees, less tiles in which no cell is found", async () => {
    const array = await openArray(sparse);
    const query = { ranges: { cell: [[1, 2]], gene: [[0, 9]] }, attributes: ["count"] } as const;
    const plan = await array.plan(query);
    store.resetCounts();
    await array.read(query);
    expect(store.counts).toMatchObject({
      lists: 0,
      gets: plan.totals.requests,
      bytesRead: plan.totals.bytes,
    });
    const nothing = { ranges: { gene: [5] }, attributes: ["count", "note"] } as const;
    store.resetCounts();
    const { cellCount } = await array.read(nothing);
    expect(cellCount).toBe(0);
    expect(store.counts.fetches.map(({ key }) => key.slice(-6)).sort()).toEqual(["d1.tdb", "d1.tdb"]);
  });

  it("keeps what deciding took: dimensions of a condition are read once", async () => {
    const array = await openArray(sparse);
    const query = {
      condition: "gene > 4 and count < 500",
      attributes: ["count"],
      dimensions: ["gene"],
    } as const;
    const plan = await array.plan(query);
    store.resetCounts();
    await array.read(query);
    expect(store.counts).toMatchObject({ gets: plan.totals.requests, bytesRead: plan.totals.bytes });
  });
});

describe("the plan of a dense read", () => {
  it("counts the cells of ranges in which nothing was written", async () => {
    const empty = { store, path: "empty" };
    await createArray(empty, {
      arrayType: "dense",
      dimensions: [{ name: "x", datatype: "int32", domain: [0, 99], tileExtent: 10 }],
      attributes: [{ name: "a", datatype: "int32" }],
    });
    await writeDense(empty, [[0, 9]], { a: new Int32Array(10) });
    const { fragments, totals } = await (await openArray(empty)).plan({ ranges: { x: [[20, 24], 50] } });
    expect(fragments).toEqual([]);
    expect(totals).toMatchObject({ tiles: 0, cellsAtMost: 6 });
  });

  it("takes tiles of the newest fragment that has them", async () => {
    const array = await openArray(dense);
    const plan = await array.plan({ ranges: { y: [[0, 12]], x: [[3, 9]] } });
    const tiles = plan.fragments.map(({ covered, partial }) =>
      [...covered, ...partial].sort((a, b) => a - b),
    );
    // Tiles are 5 x 10, two a row: the older fragment's first four are hidden.
    expect(tiles).toEqual([[4], [0, 2]]);
    expect(plan.totals).toMatchObject({ tiles: 3, cellsAtMost: 13 * 7 });
    store.resetCounts();
    await array.read({ ranges: { y: [[0, 12]], x: [[3, 9]] } });
    expect(store.counts).toMatchObject({ gets: plan.totals.requests, bytesRead: plan.totals.bytes });
  });
});

describe("opening", () => {
  it("takes two lists, the schema and an end of each fragment's metadata; sections come with small ones", async () => {
    store.resetCounts();
    const array = await openArray(sparse);
    expect(store.counts).toMatchObject({ lists: 2, gets: 3 });
    expect(array.fragments.map(({ cellCount, dense: isDense }) => [cellCount, isDense])).toEqual([
      [30, false],
      [30, false],
    ]);
    store.resetCounts();
    await array.plan();
    expect(store.counts).toMatchObject({ lists: 0, gets: 0 });
  });
});

describe("a read", () => {
  it("tells its progress up to the planned bytes", async () => {
    const array = await openArray(sparse);
    const seen: number[] = [];
    let total = 0;
    await array.read({
      onProgress: ({ bytes, totalBytes }) => {
        seen.push(bytes);
        total = totalBytes;
      },
    });
    expect(seen.at(-1)).toBe(total);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(total).toBeGreaterThan(0);
  });

  it("ends when its signal fires, with ABORTED", async () => {
    const array = await openArray(sparse);
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(array.read({ signal })).rejects.toMatchObject({ code: "ABORTED" });
    await expect(openArray(sparse, { signal })).rejects.toMatchObject({ code: "ABORTED" });
    const later = new AbortController();
    const reading = array.read({ signal: later.signal, onProgress: () => later.abort() });
    await expect(reading).rejects.toMatchObject({ code: "ABORTED" });
    expect((await array.read()).cellCount).toBe(60);
  });
});
