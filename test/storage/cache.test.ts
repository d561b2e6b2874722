import { describe, expect, it } from "vitest";
import { ByteCache } from "../../src/storage/cache/byte-cache.js";
import { CachedStore } from "../../src/storage/cache/cached-store.js";
import { folderCache } from "../../src/storage/cache/folder-cache.js";
import { cacheApiCache } from "../../src/storage/cache/later-cache.js";
import { MemoryStore } from "../../src/storage/memory.js";
import "../../src/node-platform.js";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CountingStore } from "../support/counting-store.js";
import { temporaryFolder } from "../support/temporary.js";

const content = Uint8Array.from({ length: 1000 }, (_, i) => i % 251);

async function stores(delayMs = 0, limit = 100_000) {
  const memory = new MemoryStore(`mem://cache-${Math.random()}`);
  await memory.put("a", content);
  const counting = new CountingStore(memory, { delayMs });
  const cache = new ByteCache(limit);
  const versionOf = (key: string) => (key === "a" ? { size: 1000 } : undefined);
  return { memory, counting, cache, store: new CachedStore(counting, { cache, versionOf }) };
}

describe("bytes in memory", () => {
  it("answers from what covers a range, and forgets what was not used for longest", () => {
    const cache = new ByteCache(3000);
    cache.put("a", 0, content);
    cache.put("b", 10, content);
    expect(cache.get("a", 5, 8)).toEqual(content.slice(5, 8));
    expect(cache.get("b", 5, 15)).toBeUndefined();
    expect(cache.get("b", 10, 12)).toEqual(content.slice(0, 2));
    expect(cache.get("a", 0, 1)).toEqual(content.slice(0, 1));
    cache.put("c", 0, content);
    expect(cache.get("b", 10, 12)).toBeUndefined();
    expect(cache.get("a", 0, 1000)).toEqual(content);
    expect(cache.size).toBeLessThanOrEqual(3000);
    cache.limit = 0;
    expect(cache.size).toBe(0);
  });

  it("keeps no more than its limit of what is larger, and drops what a larger piece covers", () => {
    const cache = new ByteCache(3000);
    cache.put("a", 0, new Uint8Array(2900));
    expect(cache.size).toBe(0);
    cache.put("a", 10, content.slice(10, 20));
    cache.put("a", 0, content.slice(0, 100));
    cache.put("a", 10, content.slice(10, 20));
    expect(cache.size).toBe(100 + 200);
  });

  it("does not keep what a view is a view of", () => {
    const cache = new ByteCache(10_000);
    const large = new Uint8Array(1_000_000);
    cache.put("a", 0, large.subarray(5, 10));
    expect(cache.get("a", 0, 5)!.buffer.byteLength).toBe(5);
  });
});

describe("CachedStore", () => {
  it("asks once, also for what is under way", async () => {
    const { counting, store } = await stores();
    const [all, some, others] = await Promise.all([
      store.get("a"),
      store.getRange("a", { start: 3, end: 9 }),
      store.getRange("a", { start: 990, end: 1000 }),
    ]);
    expect(all).toEqual(content);
    expect(some).toEqual(content.slice(3, 9));
    expect(others).toEqual(content.slice(990));
    expect(await store.getRange("a", { start: 1, end: 2 })).toEqual(content.slice(1, 2));
    expect(counting.requests.length).toBe(1);
  });

  it("asks anew for keys that may change", async () => {
    const { memory, counting, store } = await stores();
    await memory.put("b", content.slice(0, 10));
    await store.get("b");
    await memory.put("b", content.slice(10, 20));
    expect(await store.get("b")).toEqual(content.slice(10, 20));
    expect(await store.getRange("b", { start: 0, end: 2 })).toEqual(content.slice(10, 12));
    expect(counting.requests.length).toBe(3);
  });

  it("leaves others their answer when one gives up, and ends the request when all do", async () => {
    const { counting, store } = await stores(30);
    const [one, two] = [new AbortController(), new AbortController()];
    const first = store.get("a", { signal: one.signal });
    const second = store.get("a", { signal: two.signal });
    one.abort();
    await expect(first).rejects.toMatchObject({ code: "ABORTED" });
    expect(await second).toEqual(content);
    expect(counting.requests.length).toBe(1);

    const { counting: other, store: slow } = await stores(10_000);
    const alone = slow.get("a", { signal: two.signal });
    two.abort();
    await expect(alone).rejects.toMatchObject({ code: "ABORTED" });
    // Whoever comes then does not join what was given up.
    const next = new AbortController();
    const again = slow.get("a", { signal: next.signal });
    await Promise.resolve();
    expect(other.requests.length).toBe(2);
    next.abort();
    await expect(again).rejects.toMatchObject({ code: "ABORTED" });
  });

  it("keeps nothing of a failed request", async () => {
    const memory = new MemoryStore("mem://failing");
    await memory.put("a", content);
    let fails = true;
    const failing = {
      uri: memory.uri,
      get: (key: string) => (fails ? Promise.reject(new Error("down")) : memory.get(key)),
      getRange: memory.getRange.bind(memory),
      list: memory.list.bind(memory),
    };
    const store = new CachedStore(failing, { cache: new ByteCache(9999), versionOf: () => ({ size: 1000 }) });
    await expect(store.get("a")).rejects.toThrow("down");
    fails = false;
    expect(await store.get("a")).toEqual(content);
  });

  it("does not keep an answer of another size", async () => {
    const { memory, store } = await stores();
    await memory.put("a", content.slice(0, 500));
    expect((await store.get("a"))!.byteLength).toBe(500);
    await memory.put("a", content);
    expect(await store.get("a")).toEqual(content);
  });

  it("asks a cache behind before the store", async () => {
    const entries = new Map<string, Uint8Array>();
    const caches = {
      open: async () => ({
        match: async (url: string) => {
          const bytes = entries.get(url);
          return bytes && new Response(bytes.slice());
        },
        put: async (url: string, response: Response) => {
          entries.set(url, new Uint8Array(await response.arrayBuffer()));
        },
      }),
    };
    const later = cacheApiCache("test", caches);
    const memory = new MemoryStore("mem://later");
    await memory.put("a", content);
    const counting = new CountingStore(memory);
    const open = () =>
      new CachedStore(counting, { cache: new ByteCache(99_999), later, versionOf: () => ({ size: 1000 }) });
    await open().getRange("a", { start: 7, end: 70 });
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await open().getRange("a", { start: 7, end: 70 })).toEqual(content.slice(7, 70));
    expect(counting.requests.length).toBe(1);
    expect(await open().getRange("a", { start: 8, end: 70 })).toEqual(content.slice(8, 70));
    expect(counting.requests.length).toBe(2);
  });
});

describe("a folder on disk behind the cache", () => {
  const files = async (folder: string) => (await readdir(folder)).filter((name) => name.length === 64);

  it("gives another process what one has read", async () => {
    const folder = join(await temporaryFolder(), "cache");
    const memory = new MemoryStore("mem://on-disk");
    await memory.put("a", content);
    const counting = new CountingStore(memory);
    // A cache of its own stands for a process of its own.
    const open = () =>
      new CachedStore(counting, {
        cache: new ByteCache(99_999),
        later: folderCache(folder),
        versionOf: () => ({ size: 1000 }),
      });
    await open().getRange("a", { start: 7, end: 70 });
    await expect.poll(() => files(folder)).toHaveLength(1);
    expect(await open().getRange("a", { start: 7, end: 70 })).toEqual(content.slice(7, 70));
    expect(counting.requests.length).toBe(1);
  });

  it("gives nothing of a file that is damaged, cut or gone", async () => {
    const folder = await temporaryFolder();
    const cache = folderCache(folder);
    expect(await cache.get("a", 0, 1000)).toBeUndefined();
    await cache.put("a", 0, content);
    expect(await cache.get("a", 0, 1000)).toEqual(content);
    expect(await cache.get("a", 0, 999)).toBeUndefined();
    expect(await cache.get("b", 0, 1000)).toBeUndefined();
    const path = join(folder, (await files(folder))[0]!);
    const stored = await readFile(path);
    stored[500]! ^= 1;
    await writeFile(path, stored);
    expect(await cache.get("a", 0, 1000)).toBeUndefined();
    await writeFile(path, stored.subarray(0, 100));
    expect(await cache.get("a", 0, 1000)).toBeUndefined();
    await cache.put("a", 0, content);
    expect(await cache.get("a", 0, 1000)).toEqual(content);
  });

  it("keeps no more than it may, and touches no other files", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "notes.txt"), "mine");
    const first = folderCache(folder, 3500);
    for (const id of ["a", "b", "c", "d"]) await first.put(id, 0, content);
    expect(await files(folder)).toHaveLength(3);
    expect(await first.get("a", 0, 1000)).toBeUndefined();
    expect(await first.get("d", 0, 1000)).toEqual(content);
    const second = folderCache(folder, 2500);
    await second.put("e", 0, content);
    expect(await files(folder)).toHaveLength(2);
    expect(await second.get("e", 0, 1000)).toEqual(content);
    await second.put("large", 0, new Uint8Array(2000));
    expect(await second.get("large", 0, 2000)).toBeUndefined();
    expect(await readFile(join(folder, "notes.txt"), "utf8")).toBe("mine");
    expect(() => folderCache(folder, 0)).toThrow("maxBytes 0");
  });
});
