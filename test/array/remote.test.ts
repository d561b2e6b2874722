import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeEach, describe, expect, it } from "vitest";
import { MetadataFile } from "../../src/array/directory/metadata-file.js";
import { openArray, type TileDBArray } from "../../src/array/open.js";
import { AbortedError, GoneError } from "../../src/errors.js";
import { clearCache } from "../../src/storage/cache/shared-cache.js";
import { MemoryStore } from "../../src/storage/memory.js";
import { resolveNodePath } from "../../src/storage/node-fs.js";
import {
  type CellsInput,
  consolidate,
  createArray,
  type OpenOptions,
  type SchemaInput,
  vacuum,
  writeDense,
  writeSparse,
} from "../../src/tiledb-node.js";
import { Kept } from "../../src/util/kept.js";
import { CountingStore } from "../support/counting-store.js";

/** Arrays on stores that are far away: the same answers as on a disk, by few round trips. */

const root = fileURLToPath(new URL("../../spec-fixtures", import.meta.url));
const arrays = readdirSync(root)
  .filter((name) => /^v\d+$/.test(name))
  .flatMap((version) => readdirSync(join(root, version)).map((name) => `${version}/${name}`))
  .filter((name) => existsSync(join(root, name, "cells.json")));

beforeEach(clearCache);

const optionsOf = (name: string): OpenOptions =>
  name.includes("/encrypted.") ? { encryptionKey: "0123456789abcdef0123456789abcdef" } : {};

async function content(array: TileDBArray) {
  const box = array.nonEmptyDomain();
  const ranges =
    array.schema.arrayType === "dense" && box !== null
      ? Object.fromEntries(box.map((range, d) => [array.schema.dimensions[d]!.name, [range]]))
      : {};
  const fragments = array.fragments.map(({ name, cellCount, bytes }) => ({ name, cellCount, bytes }));
  const metadata = await array.metadata();
  if (array.schema.arrayType === "dense" && box === null) return { fragments, metadata };
  return { fragments, metadata, read: await array.read({ ranges: ranges as never }) };
}

describe("arrays of the official library", () => {
  it.each(arrays)("%s is the same over a network, and opens in four round trips at most", async (name) => {
    const local = resolveNodePath(join(root, name, "array"))!;
    const expected = await openArray(local, optionsOf(name));
    const store = new CountingStore(local.store);
    const array = await openArray({ store, path: local.path }, optionsOf(name));
    // The listing and the index; all files that say what is there. Old formats' footers lie where the schema says.
    expect(store.waves).toBeLessThanOrEqual(4);
    expect(store.count("list")).toBe(1);
    const keys = store.requests
      .filter(({ kind }) => kind !== "list")
      .map(({ key, range }) => key + (range?.start ?? ""));
    expect(keys.length).toBe(new Set(keys).size);
    expect(await content(array)).toEqual(await content(expected));
  });

  it("most of them open in two", async () => {
    const waves: number[] = [];
    for (const name of arrays) {
      const local = resolveNodePath(join(root, name, "array"))!;
      const store = new CountingStore(local.store);
      await openArray({ store, path: local.path }, optionsOf(name));
      waves.push(store.waves);
    }
    const inTwo = waves.filter((count) => count === 2).length;
    expect(inTwo / waves.length).toBeGreaterThan(0.9);
  });
});

const schema: SchemaInput = {
  arrayType: "sparse",
  capacity: 100,
  dimensions: [
    { name: "row", datatype: "int64", domain: [0, 99_999] },
    { name: "column", datatype: "int64", domain: [0, 9_999] },
  ],
  attributes: [
    { name: "value", datatype: "int32" },
    { name: "text", datatype: "string_utf8", cellValNum: "var" } as never,
  ],
};

function cells(first: number, count: number): CellsInput {
  return {
    row: BigInt64Array.from({ length: count }, (_, i) => BigInt(first + Math.floor(i / 10))),
    column: BigInt64Array.from({ length: count }, (_, i) => BigInt((i % 10) * 3)),
    value: Int32Array.from({ length: count }, (_, i) => first + i),
    text: Array.from({ length: count }, (_, i) => `text ${first + i}`),
  };
}

async function sparseArray(writes: readonly (readonly [first: number, count: number])[]) {
  const memory = new MemoryStore(`mem://remote-${Math.random()}`);
  const place = { store: memory, path: "array" };
  await createArray(place, schema);
  for (const [at, [first, count]] of writes.entries()) {
    await writeSparse(place, cells(first, count), { timestamp: 1000 + at * 10 });
  }
  return {
    memory,
    place,
    store: new CountingStore(memory),
    remote: (store: CountingStore) => ({ store, path: "array" }),
  };
}

describe("reads", () => {
  it("take one round trip where they are small", async () => {
    const { place, store } = await sparseArray([[0, 5000]]);
    const array = await openArray({ store, path: "array" });
    const query = { ranges: { row: [[100, 120]], column: [[3, 9]] }, condition: "value != 1105" } as const;
    store.reset();
    const read = await array.read(query);
    expect(store.waves).toBe(1);
    expect(read).toEqual(await (await openArray(place)).read(query));
  });

  it("decide first what is needed where they are large", async () => {
    const { store, place } = await sparseArray([[0, 80_000]]);
    const array = await openArray({ store, path: "array" });
    const query = { ranges: { column: [[3, 3]] } } as const;
    store.reset();
    const read = await array.read(query);
    expect(read).toEqual(await (await openArray(place)).read(query));
    expect(read.cellCount).toBe(8000);
  });

  it("ask for sections of large metadata together", async () => {
    const memory = new MemoryStore();
    const content = Uint8Array.from({ length: 400_000 }, (_, i) => i % 253);
    await memory.put("metadata", content);
    const store = new CountingStore(memory);
    const tail = { bytes: content.subarray(390_000), start: 390_000 };
    const file = new MetadataFile(store, "metadata", content.byteLength, tail);
    file.askAhead([
      { start: 100, end: 200 },
      { start: 300_000, end: 300_100 },
      { start: 5000, end: 5100 },
      { start: 395_000, end: 395_010 },
    ]);
    expect(await file.read(5000, 5100)).toEqual(content.slice(5000, 5100));
    expect(await file.read(120, 180)).toEqual(content.slice(120, 180));
    expect(await file.read(300_000, 300_100)).toEqual(content.slice(300_000, 300_100));
    expect(await file.read(395_000, 395_010)).toEqual(content.slice(395_000, 395_010));
    expect(store.requests.map(({ range }) => range)).toEqual([
      { start: 100, end: 5100 },
      { start: 300_000, end: 300_100 },
    ]);
    expect(store.waves).toBe(1);
    expect(await file.read(10, 20)).toEqual(content.slice(10, 20));
    expect(store.requests.at(-1)!.range).toEqual({ start: 10, end: 20 });
  });

  it("join ranges over the gap that the store asks for", async () => {
    const { memory } = await sparseArray([[0, 80_000]]);
    const requests: number[] = [];
    for (const coalesceGap of [0, 1_000_000]) {
      clearCache();
      const store = new CountingStore(memory, { coalesceGap });
      const array = await openArray({ store, path: "array" });
      store.reset();
      await array.read({ ranges: { row: [50, 3000, 6000] }, attributes: ["value"] });
      requests.push(store.requests.length);
    }
    expect(requests[1]).toBeLessThan(requests[0]!);
  });
});

describe("an aborted read", () => {
  it.each([0, undefined])("leaves others their answer (cacheBytes %s)", async (cacheBytes) => {
    const { memory, place } = await sparseArray([[0, 80_000]]);
    const store = new CountingStore(memory, { delayMs: 20 });
    const array = await openArray({ store, path: "array" }, { storage: { cacheBytes } });
    const query = { ranges: { row: [[100, 120]] } } as const;
    const expected = await (await openArray(place)).read(query);
    const controllers = [1, 2, 3].map(() => new AbortController());
    const reads = controllers.map(({ signal }) => array.read({ ...query, signal }));
    const other = array.read(query);
    setTimeout(() => {
      for (const one of controllers) one.abort();
    }, 5);
    for (const read of reads) await expect(read).rejects.toMatchObject({ code: "ABORTED" });
    expect(await other).toEqual(expected);
  });

  it("begins anew what another has begun and given up", async () => {
    const kept = new Kept();
    const first = new AbortController();
    let begun = 0;
    const load = (signal?: AbortSignal) => () => {
      begun++;
      return new Promise<string>((resolve, reject) => {
        setTimeout(resolve, 20, "loaded");
        signal?.addEventListener("abort", () => reject(new AbortedError()));
      });
    };
    const one = kept.get("a", load(first.signal), first.signal);
    const two = kept.get("a", load());
    first.abort();
    await expect(one).rejects.toMatchObject({ code: "ABORTED" });
    expect(await two).toBe("loaded");
    expect(await kept.get("a", load())).toBe("loaded");
    expect(begun).toBe(2);
    const failing = () => Promise.reject(new Error("no"));
    await expect(kept.get("b", failing)).rejects.toThrow("no");
    expect(await kept.get("b", load())).toBe("loaded");
  });
});

describe("what was vacuumed since an array was opened", () => {
  it("is read from what took its place", async () => {
    for (const isRemote of [true, false]) {
      clearCache();
      const { memory, place, store } = await sparseArray([
        [0, 500],
        [20, 500],
      ]);
      const array = await openArray(isRemote ? { store, path: "array" } : place);
      const expected = await (await openArray({ store: await copyOf(memory), path: "array" })).read();
      await consolidate(place);
      await vacuum(place);
      expect(await array.read()).toEqual(expected);
      expect(array.fragments.length).toBe(1);
      expect(await array.read({ ranges: { row: [[3, 4]] } })).toMatchObject({ cellCount: 20 });
    }
  });

  it("is as it was, whatever was written later", async () => {
    const { memory, place, store } = await sparseArray([
      [0, 500],
      [20, 500],
    ]);
    const array = await openArray({ store, path: "array" });
    const expected = await (await openArray({ store: await copyOf(memory), path: "array" })).read();
    await consolidate(place);
    await vacuum(place);
    await writeSparse(place, cells(5000, 100), { timestamp: 5000 });
    expect(await array.read()).toEqual(expected);
  });

  it("is an error where what is there now holds more or other cells", async () => {
    const { place, store } = await sparseArray([
      [0, 500],
      [20, 500],
    ]);
    const array = await openArray({ store, path: "array" });
    await writeSparse(place, cells(5000, 100), { timestamp: 5000 });
    await consolidate(place, { keepHistory: false });
    await vacuum(place);
    await expect(array.read()).rejects.toThrow(GoneError);
    await expect(array.read()).rejects.toThrow("open it again");
    await place.store.deletePrefix("array");
    await expect(array.read()).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  it("is found while an array is opened", async () => {
    const { memory, place } = await sparseArray([
      [0, 500],
      [20, 500],
    ]);
    const before = await copyOf(memory);
    await consolidate(place);
    await vacuum(place);
    let lists = 0;
    const late = {
      uri: memory.uri,
      isRemote: true,
      get: memory.get.bind(memory),
      getRange: memory.getRange.bind(memory),
      // What was listed is gone when it is asked for.
      list: (prefix: string) => (lists++ === 0 ? before : memory).list(prefix),
    };
    const array = await openArray({ store: late, path: "array" });
    expect(lists).toBe(2);
    expect((await array.read()).cellCount).toBe(
      (await (await openArray({ store: before, path: "array" })).read()).cellCount,
    );
  });
});

async function copyOf(store: MemoryStore): Promise<MemoryStore> {
  const copy = new MemoryStore(`mem://copy-${Math.random()}`);
  for (const { key } of await store.list("")) await copy.put(key, (await store.get(key))!);
  return copy;
}

describe("dense arrays", () => {
  it("read all attributes in one round trip", async () => {
    const memory = new MemoryStore("mem://dense");
    const place = { store: memory, path: "frame" };
    const names = Array.from({ length: 30 }, (_, at) => `column_${at}`);
    await createArray(place, {
      arrayType: "dense",
      dimensions: [{ name: "row", datatype: "int64", domain: [0, 999], tileExtent: 100 }],
      attributes: names.map((name) => ({ name, datatype: "float64" as const })),
    });
    const columns = Object.fromEntries(
      names.map((name, at) => [name, new Float64Array(1000).map((_, i) => i * at)]),
    );
    await writeDense(place, [[0n, 999n]], columns);
    const store = new CountingStore(memory);
    const array = await openArray({ store, path: "frame" });
    expect(store.waves).toBe(2);
    store.reset();
    const read = await array.read({ ranges: { row: [[250, 260]] } });
    expect(store.waves).toBe(1);
    expect(store.requests.length).toBe(30);
    expect(read).toEqual(await (await openArray(place)).read({ ranges: { row: [[250, 260]] } }));
  });
});
