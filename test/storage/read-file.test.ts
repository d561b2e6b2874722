import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NodeFsStore } from "../../src/storage/node-fs.js";

/** Small files are read at once, others and those of a long series through the thread pool: all give the same. */

let root = "";
const large = Uint8Array.from({ length: 300_000 }, (_, i) => i % 251);
const small = large.slice(0, 1000);

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "cellarr-read-"));
  await writeFile(join(root, "large"), large);
  await writeFile(join(root, "small"), small);
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** Keeps the event loop so long that the next calls go through the pool. */
async function useUpTurn(store: NodeFsStore): Promise<void> {
  await store.get("small");
  for (const end = performance.now() + 60; performance.now() < end; );
}

describe.each([
  ["at once", async () => {}],
  ["through the pool", useUpTurn],
] as const)("local files, %s", (_, prepare) => {
  it("gives files and ranges of them", async () => {
    const store = new NodeFsStore(root);
    await prepare(store);
    expect(await store.get("small")).toEqual(small);
    await prepare(store);
    expect(await store.get("large")).toEqual(large);
    for (const [start, end] of [
      [0, 0],
      [5, 17],
      [100, 290_000],
      [299_999, 300_000],
    ] as const) {
      await prepare(store);
      expect(await store.getRange("large", { start, end })).toEqual(large.slice(start, end));
    }
  });

  it("gives several ranges of a file as one after the other", async () => {
    const store = new NodeFsStore(root);
    const cases = [
      [],
      [[7, 9]],
      [
        [200_000, 201_000],
        [5, 17],
        [5, 5],
        [16, 300_000],
        [299_999, 300_000],
      ],
      Array.from({ length: 400 }, (_, i) => [i * 700, i * 700 + 650]),
    ];
    for (const pairs of cases) {
      const ranges = pairs.map(([start, end]) => ({ start: start!, end: end! }));
      await prepare(store);
      const parts = await store.getRanges("large", ranges);
      expect(parts).toHaveLength(ranges.length);
      for (const [i, { start, end }] of ranges.entries()) {
        expect(Buffer.compare(parts![i]!, large.subarray(start, end))).toBe(0);
      }
    }
    for (const key of ["none", "small/none"]) {
      await prepare(store);
      expect(await store.getRanges(key, [{ start: 0, end: 1 }])).toBeUndefined();
    }
    await prepare(store);
    const beyond = [
      { start: 0, end: 10 },
      { start: 990, end: 1001 },
    ];
    await expect(store.getRanges("small", beyond)).rejects.toMatchObject({ code: "STORAGE" });
    const signal = AbortSignal.abort();
    await expect(store.getRanges("small", beyond.slice(0, 1), { signal })).rejects.toMatchObject({
      code: "ABORTED",
    });
  });

  it("says undefined of what is not there or a folder, and refuses ranges beyond the end", async () => {
    const store = new NodeFsStore(join(root, ".."));
    const name = root.slice(root.lastIndexOf("/") + 1);
    await prepare(new NodeFsStore(root));
    expect(await store.get(`${name}/none`)).toBeUndefined();
    expect(await store.get(`${name}/small/none`)).toBeUndefined();
    expect(await store.get(name)).toBeUndefined();
    await expect(store.getRange(`${name}/small`, { start: 0, end: 1001 })).rejects.toMatchObject({
      code: "STORAGE",
    });
    expect((await store.list(name)).map(({ key, size }) => [key, size])).toEqual([
      [`${name}/large`, 300_000],
      [`${name}/small`, 1000],
    ]);
  });
});

it("a long series of small reads leaves timers and signals their turn", async () => {
  const store = new NodeFsStore(root);
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), 30);
  let reads = 0;
  const series = async () => {
    for (; reads < 2_000_000; reads++) await store.get("small", { signal: abort.signal });
  };
  await expect(series()).rejects.toMatchObject({ code: "ABORTED" });
  expect(reads).toBeGreaterThan(10);
  clearTimeout(timer);
});
