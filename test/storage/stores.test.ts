import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { MemoryStore } from "../../src/storage/memory.js";
import { NodeFsStore, resolveNodePath } from "../../src/storage/node-fs.js";
import {
  locationUri,
  resolveLocation,
  resolveReadable,
  setLocationResolver,
} from "../../src/storage/resolve.js";
import { readOnly, withCounting, withFailureAfter } from "../support/stores.js";
import { storeSuite } from "./store-suite.js";

const made: string[] = [];
async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "cellarr-store-"));
  made.push(path);
  return path;
}
afterAll(async () => {
  for (const path of made) await rm(path, { recursive: true, force: true });
});

storeSuite("MemoryStore", async () => new MemoryStore());
storeSuite("NodeFsStore", async () => new NodeFsStore(await folder()));
storeSuite("withCounting", async () => withCounting(new MemoryStore()));
storeSuite("withFailureAfter, before it fails", async () => withFailureAfter(new MemoryStore(), 1000));

describe("NodeFsStore", () => {
  it("makes all folders above a file, several writers at once", async () => {
    const store = new NodeFsStore(await folder());
    await Promise.all(
      Array.from({ length: 20 }, (_, i) => store.put(`a/b/c/${i % 3}/${i}`, new Uint8Array(1))),
    );
    await store.makeFolder("a/b/d/e");
    expect((await readdir(join(store.uri, "a", "b"))).sort()).toEqual(["c", "d"]);
  });

  it("says what is wrong where no folder can be made", async () => {
    const root = await folder();
    await writeFile(join(root, "file"), "x");
    await expect(new NodeFsStore(root).put("file/b/c", new Uint8Array(1))).rejects.toThrow(
      "ENOTDIR: not a directory",
    );
    await expect(new NodeFsStore(root).makeFolder("file")).rejects.toThrow("EEXIST");
  });

  it.runIf(process.platform === "linux")("does not hang where the file system makes no folders", async () => {
    const store = new NodeFsStore("/proc");
    await expect(store.put("cellarr/x/y", new Uint8Array(1))).rejects.toThrow(
      "file system: ENOENT: no such file or directory",
    );
  });

  it("leaves no temporary file, whatever happens", async () => {
    const root = await folder();
    const store = new NodeFsStore(root);
    await store.put("k", new Uint8Array(3));
    const writer = await store.writer("l");
    await writer.write(new Uint8Array(3));
    await writer.abort();
    await writer.abort();
    expect(await readdir(root)).toEqual(["k"]);
  });

  it("reports what the system said, as a StorageError", async () => {
    const root = await folder();
    await writeFile(join(root, "file"), "x");
    const error = await new NodeFsStore(root).put("file/below", new Uint8Array(1)).catch((e) => e);
    expect(error).toMatchObject({ code: "STORAGE", where: join(root, "file", "below") });
    expect(error.cause).toBeInstanceOf(Error);
  });

  it("follows links to folders and leaves out links to nothing", async () => {
    const root = await folder();
    await mkdir(join(root, "real"));
    await writeFile(join(root, "real", "x"), "abc");
    await symlink(join(root, "real"), join(root, "link"));
    await symlink(join(root, "gone"), join(root, "dangling"));
    expect((await new NodeFsStore(root).list("")).map((e) => e.key)).toEqual(["link/x", "real/x"]);
  });
});

describe("locations", () => {
  afterEach(() => setLocationResolver(undefined));

  it("takes a store and path as they are, and asks for one where text means nothing", () => {
    const store = new MemoryStore("mem://a");
    expect(resolveLocation({ store, path: "x" })).toEqual({ store, path: "x" });
    expect(() => resolveReadable("x")).toThrow(/'x'.*pass \{ store, path \}/);
    expect(locationUri({ store, path: "" })).toBe("mem://a");
    expect(locationUri({ store, path: "x/y" })).toBe("mem://a/x/y");
  });

  it("refuses a read-only store for writing", () => {
    const store = readOnly(new MemoryStore());
    expect(resolveReadable({ store, path: "" }).store).toBe(store);
    expect(() => resolveLocation({ store, path: "" })).toThrow(/read-only/);
  });

  it("resolves paths and file: URIs to the same place, and names other schemes", async () => {
    setLocationResolver(resolveNodePath);
    const path = join(await folder(), "a b#c%d");
    for (const text of [path, `${path}/`, pathToFileURL(path).href, `file://${path}`]) {
      expect(locationUri(resolveReadable(text))).toBe(path);
    }
    expect(() => resolveReadable("hdfs://host/x")).toThrow(/known are paths and file:, http:/);
    expect(() => resolveReadable("")).toThrow(/empty/);
  });
});

describe("withFailureAfter", () => {
  it("works n times, then never again", async () => {
    const inner = new MemoryStore();
    const store = withFailureAfter(inner, 2);
    await store.put("a", new Uint8Array(1));
    const writer = await store.writer("b");
    await expect(writer.write(new Uint8Array(1))).rejects.toMatchObject({ code: "STORAGE" });
    await expect(store.get("a")).rejects.toMatchObject({ code: "STORAGE" });
    expect((await inner.list("")).map((e) => e.key)).toEqual(["a"]);
  });
});

describe("withCounting", () => {
  it("counts calls and bytes", async () => {
    const store = withCounting(new MemoryStore());
    await store.put("a", new Uint8Array(5));
    await store.getRange("a", { start: 1, end: 4 });
    await store.list("");
    expect(store.counts).toMatchObject({ writes: 1, bytesWritten: 5, gets: 1, bytesRead: 3, lists: 1 });
    expect(store.counts.fetches).toEqual([{ key: "a", start: 1, end: 4 }]);
    store.resetCounts();
    expect(store.counts.gets).toBe(0);
  });
});
