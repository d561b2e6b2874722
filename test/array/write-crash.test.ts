import { describe, expect, test } from "vitest";
import "../../src/node-platform.js";
import { consolidate } from "../../src/array/consolidate/consolidate.js";
import { vacuum } from "../../src/array/consolidate/vacuum.js";
import { openArray } from "../../src/array/open.js";
import { createArray } from "../../src/array/write/create.js";
import { addGroupMember, createGroup, readGroup } from "../../src/array/write/group-io.js";
import { putMetadata } from "../../src/array/write/metadata-io.js";
import { writeDense } from "../../src/array/write/write-dense.js";
import { writeSparse } from "../../src/array/write/write-sparse.js";
import type { SchemaInput } from "../../src/array/write/write-types.js";
import { MemoryStore } from "../../src/storage/memory.js";
import type { StoreLocation, WritableStore } from "../../src/storage/types.js";
import { withFailureAfter } from "../support/stores.js";

/**
 * A store that fails after n operations, for every n: when the array is opened again it is wholly as before or wholly
 * as after.
 */

const sparse: SchemaInput = {
  arrayType: "sparse",
  capacity: 2,
  dimensions: [{ name: "row", datatype: "int32", domain: [0, 99] }],
  attributes: [
    { name: "v", datatype: "int32" },
    { name: "s", datatype: "string_ascii", nullable: true },
  ],
};

const dense: SchemaInput = {
  arrayType: "dense",
  dimensions: [{ name: "row", datatype: "int32", domain: [0, 9], tileExtent: 4 }],
  attributes: [{ name: "v", datatype: "int32" }],
};

const sparseCells = (rows: readonly number[], offset: number) => ({
  row: Int32Array.from(rows),
  v: rows.map((row) => row + offset),
  s: rows.map((row) => (row % 2 === 0 ? null : `s${row}`)),
});

type Place = StoreLocation<WritableStore>;

async function sparseArray(): Promise<Place> {
  const place = { store: new MemoryStore(), path: "a" };
  await createArray(place, sparse);
  await writeSparse(place, sparseCells([1, 5, 9], 0), { timestamp: 1 });
  await writeSparse(place, sparseCells([5, 6, 7, 8], 100), { timestamp: 2 });
  return place;
}

async function denseArray(): Promise<Place> {
  const place = { store: new MemoryStore(), path: "a" };
  await createArray(place, dense);
  await writeDense(place, [[0, 5]], { v: [0, 1, 2, 3, 4, 5] }, { timestamp: 1 });
  await writeDense(place, [[3, 8]], { v: [13, 14, 15, 16, 17, 18] }, { timestamp: 2 });
  return place;
}

async function copyOf({ store, path }: Place): Promise<Place> {
  const copy = new MemoryStore();
  for (const { key } of await store.list(path)) await copy.put(key, (await store.get(key))!);
  return { store: copy, path };
}

async function contentOf(place: Place) {
  const array = await openArray(place);
  return { cells: await array.read(), metadata: await array.metadata() };
}

/** Runs `action` on fresh arrays until it succeeds, with one operation more each time; returns the number of tries. */
async function untilItWorks(
  make: () => Promise<Place>,
  action: (place: Place) => Promise<unknown>,
  content: (place: Place) => Promise<unknown> = contentOf,
): Promise<number> {
  const start = await make();
  const done = await copyOf(start);
  const before = await content(done);
  await action(done);
  const after = await content(done);
  for (let n = 0; n < 500; n++) {
    const place = await copyOf(start);
    const failing = { store: withFailureAfter(place.store, n), path: place.path };
    const error = await action(failing).then(
      () => null,
      (reason: unknown) => reason,
    );
    const found = await content(place);
    if (error === null) {
      expect(found).toEqual(after);
      return n;
    }
    expect(error).toMatchObject({ code: "STORAGE" });
    const same = JSON.stringify(found, plain) === JSON.stringify(before, plain);
    expect(found, `after ${n} operations`).toEqual(same ? before : after);
    // What failed can be done again.
    await action(place);
    expect(await content(place)).toEqual(after);
  }
  throw new Error("still failing after 500 operations");
}

function plain(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return `${value}n`;
  return value instanceof Map ? [...value] : value;
}

describe("an interrupted", () => {
  test("sparse write", async () => {
    const write = (place: Place) => writeSparse(place, sparseCells([2, 5, 6, 40, 41], 200), { timestamp: 3 });
    expect(await untilItWorks(sparseArray, write)).toBeGreaterThan(10);
  });

  test("dense write", async () => {
    const write = (place: Place) =>
      writeDense(place, [[4, 9]], { v: [24, 25, 26, 27, 28, 29] }, { timestamp: 3 });
    expect(await untilItWorks(denseArray, write)).toBeGreaterThan(5);
  });

  test.each([true, false])("consolidation of a sparse array, history %s", async (keepHistory) => {
    const tries = await untilItWorks(sparseArray, (place) => consolidate(place, { keepHistory }));
    expect(tries).toBeGreaterThan(15);
  });

  test("consolidation of a dense array", async () => {
    expect(await untilItWorks(denseArray, (place) => consolidate(place))).toBeGreaterThan(8);
  });

  test("vacuum", async () => {
    const make = async () => {
      const place = await sparseArray();
      await consolidate(place);
      return place;
    };
    expect(await untilItWorks(make, (place) => vacuum(place))).toBeGreaterThan(5);
  });

  test("metadata write and consolidation", async () => {
    const make = async () => {
      const place = await sparseArray();
      await putMetadata(place, { a: 1, b: "x" }, { timestamp: 1 });
      await putMetadata(place, { a: null, c: 2.5 }, { timestamp: 2 });
      return place;
    };
    await untilItWorks(make, (place) => putMetadata(place, { b: "y", d: 4 }, { timestamp: 3 }));
    await untilItWorks(make, (place) => consolidate(place, { mode: "metadata" }));
  });

  test("addition of a group member", async () => {
    const make = async () => {
      const place = { store: new MemoryStore(), path: "g" };
      await createGroup(place);
      await createArray({ ...place, path: "g/a" }, sparse);
      return place;
    };
    const add = async (place: Place) => {
      const { members } = await readGroup(place);
      if (members.length === 0) await addGroupMember(place, { uri: "a", name: "A" });
    };
    await untilItWorks(make, add, (place) => readGroup(place));
  });
});
