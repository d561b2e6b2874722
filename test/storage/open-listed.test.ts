import { describe, expect, it } from "vitest";
import { RefusedError, StorageError, UnsupportedError } from "../../src/errors.js";
import { INDEX_KEY, writeIndex } from "../../src/storage/listed/index-file.js";
import { openListed } from "../../src/storage/listed/open-listed.js";
import { MemoryStore } from "../../src/storage/memory.js";

/** A bucket with one file and an index that tells of it; what fails is thrown by listings and for the index. */
async function bucket(fails: { readonly list?: Error; readonly index?: Error }) {
  const store = new MemoryStore();
  await store.put("array/data", Uint8Array.of(1, 2, 3));
  const held = new Map([["data", [{ start: 0, bytes: Uint8Array.of(1, 2, 3) }]]]);
  await store.put(`array/${INDEX_KEY}`, writeIndex({ entries: [{ key: "data", size: 3 }], held }));
  const { list, get } = store;
  store.list = async (...args) => {
    if (fails.list !== undefined) throw fails.list;
    return list.apply(store, args);
  };
  store.get = async (...args) => {
    if (fails.index !== undefined && args[0].endsWith(INDEX_KEY)) throw fails.index;
    return get.apply(store, args);
  };
  return { store, path: "array" };
}

const options = { cacheBytes: 0 };

describe("an index file is all there is", () => {
  it("where the bucket may not be listed", async () => {
    const place = await bucket({ list: new RefusedError("the server answered 403 Forbidden") });
    const { store } = await openListed(place, options);
    expect((await store.list("array")).map(({ key }) => key)).toEqual(["array/data"]);
  });

  it("but not where the listing broke down: it may be out of date", async () => {
    const broken = new StorageError("gave up after 5 attempts: the server answered 503");
    await expect(openListed(await bucket({ list: broken }), options)).rejects.toBe(broken);
    const trusted = await openListed(await bucket({ list: broken }), { ...options, index: "trust" });
    expect(await trusted.store.get("array/data")).toEqual(Uint8Array.of(1, 2, 3));
  });
});

describe("the listing is all there is", () => {
  it("where an index is refused, as servers do with what is not there", async () => {
    const place = await bucket({ index: new RefusedError("the server answered 403 Forbidden") });
    const { store } = await openListed(place, options);
    expect((await store.list("array")).length).toBe(2);
  });

  it("but not where reading the index broke down", async () => {
    const broken = new StorageError("gave up after 5 attempts: the connection failed");
    await expect(openListed(await bucket({ index: broken }), options)).rejects.toBe(broken);
  });
});

describe("nothing says which files there are", () => {
  const list = new UnsupportedError("plain HTTP cannot list files");

  it("where there is no index, which is said", async () => {
    const place = await bucket({ list });
    await place.store.delete(`array/${INDEX_KEY}`);
    await expect(openListed(place, options)).rejects.toThrow(/there is no index file/);
  });

  it("where the index is refused, say by a signature that has expired, which is said", async () => {
    const place = await bucket({ list, index: new RefusedError("the server answered 403 Forbidden") });
    await expect(openListed(place, options)).rejects.toThrow(
      /the index file '__cellarr\/index.bin' is refused, or not there: the server answered 403 Forbidden/,
    );
  });

  it("where the index is damaged, which is said too", async () => {
    const place = await bucket({ list });
    const bytes = await place.store.get(`array/${INDEX_KEY}`);
    await place.store.put(`array/${INDEX_KEY}`, bytes!.subarray(0, 30));
    const told: string[] = [];
    const onDamagedIndex = (message: string) => told.push(message);
    await expect(openListed(place, { ...options, onDamagedIndex })).rejects.toThrow(
      /the index file '__cellarr\/index.bin' cannot be used: index file: .+"cellarr publish" makes it anew/,
    );
    expect(told).toEqual([expect.stringContaining("it is not used")]);
  });
});
