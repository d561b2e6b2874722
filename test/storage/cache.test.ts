import { describe, expect, it } from "vitest";
import { ByteCache } from "../../src/storage/cache/byte-cache.js";
import { CachedStore } from "../../src/storage/cache/cached-store.js";
import { cacheApiCache } from "../../src/storage/cache/later-cache.js";
import { MemoryStore } from "../../src/storage/memory.js";
import { CountingStore } from "../support/counting-store.js";

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
