import { describe, expect, it } from "vitest";
import type { R2Body, R2Bucket, R2Listing } from "../../src/storage/r2/r2-bucket.js";
import { R2Store } from "../../src/storage/r2/r2-store.js";
import { storeSuite } from "./store-suite.js";

/** As Cloudflare's bindings behave, with short pages; test/runtimes has the real one. */
class FakeBucket implements R2Bucket {
  readonly values = new Map<string, Uint8Array>();
  readonly deletions: number[] = [];
  pages = 0;

  async get(key: string, options?: { range: { offset: number; length: number } }): Promise<R2Body | null> {
    const value = this.values.get(key);
    if (value === undefined) return null;
    const { offset, length } = options?.range ?? { offset: 0, length: value.byteLength };
    if (options !== undefined && (length === 0 || offset >= value.byteLength)) {
      throw new Error("get: The requested range is not satisfiable (10039)");
    }
    const part = value.slice(offset, offset + length);
    return { key, size: value.byteLength, arrayBuffer: async () => part.buffer };
  }

  async head(key: string) {
    const value = this.values.get(key);
    return value === undefined ? null : { key, size: value.byteLength };
  }

  async list({ prefix = "", delimiter, cursor }: Parameters<R2Bucket["list"]>[0] = {}): Promise<R2Listing> {
    this.pages++;
    const names = new Set<string>();
    for (const key of this.values.keys()) {
      if (!key.startsWith(prefix)) continue;
      const slash = delimiter === undefined ? -1 : key.indexOf(delimiter, prefix.length);
      names.add(slash < 0 ? key : key.slice(0, slash + 1));
    }
    const rest = [...names].sort().filter((name) => cursor === undefined || name > cursor);
    const page = rest.slice(0, 2);
    const listing = {
      objects: page
        .filter((name) => this.values.has(name))
        .map((key) => ({ key, size: this.values.get(key)!.byteLength })),
      delimitedPrefixes: page.filter((name) => !this.values.has(name)),
    };
    return rest.length > 2
      ? { ...listing, truncated: true, cursor: page[1]! }
      : { ...listing, truncated: false };
  }

  async put(key: string, value: Uint8Array): Promise<void> {
    this.values.set(key, value.slice());
  }

  async delete(keys: string | string[]): Promise<void> {
    const all = typeof keys === "string" ? [keys] : keys;
    this.deletions.push(all.length);
    for (const key of all) this.values.delete(key);
  }
}

storeSuite("R2Store", async () => new R2Store(new FakeBucket()), { canRename: false });
storeSuite("R2Store below a prefix", async () => new R2Store(new FakeBucket(), { prefix: "a/b" }), {
  canRename: false,
});

describe("R2Store", () => {
  it("sees nothing beside its prefix, and pages on", async () => {
    const bucket = new FakeBucket();
    for (const key of ["a/x", "a/y/1", "a/y/2", "a/y/3", "ab/z", "a"])
      bucket.values.set(key, new Uint8Array(2));
    const store = new R2Store(bucket, { prefix: "a", name: "mine" });
    expect((await store.list("")).map(({ key }) => key)).toEqual(["x", "y/1", "y/2", "y/3"]);
    expect(bucket.pages).toBe(2);
    expect(store.uri).toBe("r2://mine/a");
    await store.deletePrefix("y");
    expect([...bucket.values.keys()]).toEqual(["a/x", "ab/z", "a"]);
  });

  it("deletes 1,000 keys at a time", async () => {
    const bucket = new FakeBucket();
    for (let k = 0; k < 2100; k++) bucket.values.set(`f/${k}`, new Uint8Array(0));
    await new R2Store(bucket).deletePrefix("f");
    expect(bucket.deletions).toEqual([1000, 1000, 100]);
    expect(bucket.values.size).toBe(0);
  });

  it("tells what failed, and where", async () => {
    const bucket = new FakeBucket();
    bucket.get = () => Promise.reject(new Error("internal error (10001)"));
    await expect(new R2Store(bucket).get("k")).rejects.toMatchObject({
      code: "STORAGE",
      message: "R2: internal error (10001) (r2://bucket/k)",
    });
  });
});
