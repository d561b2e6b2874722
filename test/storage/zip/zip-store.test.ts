import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { type Zippable, zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { MemoryStore } from "../../../src/storage/memory.js";
import { NodeFsStore } from "../../../src/storage/node-fs.js";
import type { WritableStore } from "../../../src/storage/types.js";
import { zipFolder } from "../../../src/storage/zip/zip-folder.js";
import { ZipStore } from "../../../src/storage/zip/zip-store.js";
import { ZipWriter } from "../../../src/storage/zip/zip-writer.js";
import { crc32 } from "../../../src/util/crc32.js";
import { hasPython, runPython } from "../../support/python.js";
import { withCounting } from "../../support/stores.js";
import { temporaryFolder } from "../../support/temporary.js";
import { storeSuite } from "../store-suite.js";

/** All that is in `store` as a zip file: ours, or one of fflate with deflated entries. */
async function zipped(store: MemoryStore, level: 0 | 6 | "ours"): Promise<Uint8Array> {
  if (level !== "ours") {
    const files: Zippable = {};
    for (const { key } of await store.list("")) files[key] = (await store.get(key))!;
    return zipSync(files, { level });
  }
  const target = new MemoryStore();
  await zipFolder({ store, path: "" }, await target.writer("store.zip"));
  return (await target.get("store.zip"))!;
}

/** A store that is written to memory and read from a zip file of that. */
function throughZip(level: 0 | 6 | "ours"): WritableStore {
  const memory = new MemoryStore();
  // The suite aborts, and asks for keys that are none, while there is nothing to zip.
  const read = async () => {
    const isEmpty = (await memory.list("")).length === 0;
    return isEmpty ? memory : new ZipStore(await zipped(memory, level), { prefix: "" });
  };
  return {
    uri: memory.uri,
    get: async (key, options) => (await read()).get(key, options),
    getRange: async (key, range, options) => (await read()).getRange(key, range, options),
    list: async (prefix, options) => (await read()).list(prefix, options),
    put: (key, bytes, options) => memory.put(key, bytes, options),
    writer: (key, options) => memory.writer(key, options),
    delete: (key, options) => memory.delete(key, options),
    deletePrefix: (prefix, options) => memory.deletePrefix(prefix, options),
    makeFolder: (prefix, options) => memory.makeFolder(prefix, options),
  };
}

for (const level of ["ours", 0, 6] as const) {
  storeSuite(`ZipStore (${level})`, async () => throughZip(level), { canRename: false });
}

const noise = (length: number, seed = 1) => {
  let state = seed;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
};

describe("requests of a zip file", () => {
  it("are one for the directory, and one for a range", async () => {
    const inner = new MemoryStore();
    for (let i = 0; i < 300; i++) await inner.put(`__fragments/f${i}/a0.tdb`, noise(1000, i));
    await inner.put("large", noise(400_000));
    const file = withCounting(new MemoryStore());
    await zipFolder({ store: inner, path: "" }, await file.writer("s.zip"));
    const size = (await file.list(""))[0]!.size!;
    // As a server that can tell the end of a file.
    const getTail = async (key: string, length: number) => {
      const bytes = await file.getRange(key, { start: Math.max(0, size - length), end: size });
      return bytes && { bytes, size };
    };
    const zip = new ZipStore({ store: { ...file, getTail }, path: "s.zip" });
    file.resetCounts();
    expect(await zip.list("")).toHaveLength(301);
    expect(file.counts).toMatchObject({ gets: 1, lists: 0 });
    expect(file.counts.bytesRead).toBe(64 * 1024);
    file.resetCounts();
    const near = await zip.getRange("__fragments/f7/a0.tdb", { start: 100, end: 900 });
    expect(near).toEqual(noise(1000, 7).slice(100, 900));
    expect(file.counts.gets).toBe(1);
    await zip.getRange("__fragments/f7/a0.tdb", { start: 200, end: 210 });
    expect(file.counts.fetches.at(-1)).toMatchObject({ end: file.counts.fetches.at(-1)!.start + 10 });
    file.resetCounts();
    // Too far from the header to read along: both at once.
    const far = await zip.getRange("large", { start: 300_000, end: 300_010 });
    expect(far).toEqual(noise(400_000).slice(300_000, 300_010));
    expect(file.counts.gets).toBe(2);
    expect(file.counts.bytesRead).toBeLessThan(100);
    expect(await zip.getRange("large", { start: 399_990, end: 400_000 })).toEqual(noise(400_000).slice(-10));
    expect(file.counts.gets).toBe(3);
  });

  it("find a directory that is larger than the first request, and a long comment before the end", async () => {
    const files: Zippable = {};
    for (let i = 0; i < 2000; i++) files[`folder/${"x".repeat(40)}${i}`] = new Uint8Array([i % 256]);
    const bytes = zipSync(files, { level: 0 });
    const commented = new Uint8Array(bytes.byteLength + 65_000);
    commented.set(bytes);
    new DataView(commented.buffer).setUint16(bytes.byteLength - 2, 65_000, true);
    for (const file of [bytes, commented]) {
      const zip = new ZipStore(file);
      expect(await zip.list("")).toHaveLength(2000);
      expect(await zip.get(`${"x".repeat(40)}1234`)).toEqual(new Uint8Array([1234 % 256]));
    }
  });
});

describe("the folder of a zip file", () => {
  const one = new Uint8Array([1]);
  it.each([
    [["store/a/x", "store/b"], undefined, ["a/x", "b"]],
    [["store/a/x", "store/b", "__MACOSX/._store"], undefined, ["a/x", "b"]],
    [["a/x", "b/y"], undefined, ["a/x", "b/y"]],
    [["store/a", "b"], undefined, ["b", "store/a"]],
    [["__group/a", "__group/b"], undefined, ["__group/a", "__group/b"]],
    [["store/a/x", "store/b"], "store/a", ["x"]],
    [["store/a/x", "store/b"], "", ["store/a/x", "store/b"]],
    [["store/a/x"], "none", []],
  ] as const)("of %j with prefix %j is %j", async (names, prefix, keys) => {
    const bytes = zipSync(Object.fromEntries(names.map((name) => [name, one])), { level: 0 });
    const zip = new ZipStore(bytes, prefix === undefined ? {} : { prefix });
    expect((await zip.list("")).map(({ key }) => key)).toEqual(keys);
    for (const key of keys) expect(await zip.get(key)).toEqual(one);
  });
});

describe("deflated entries", () => {
  it("are inflated once, and kept within bounds", async () => {
    const files: Zippable = { large: noise(50_000), a: noise(1000, 2), b: noise(1000, 3), c: noise(1000, 4) };
    const file = withCounting(new MemoryStore());
    await file.put("s.zip", zipSync(files, { level: 6 }));
    const zip = new ZipStore({ store: file, path: "s.zip" }, { cacheBytes: 2500 });
    await zip.list("");
    const gets = async (key: string) => {
      file.resetCounts();
      expect(await zip.getRange(key, { start: 10, end: 20 })).toEqual(
        (files[key] as Uint8Array).slice(10, 20),
      );
      return file.counts.gets;
    };
    expect([await gets("a"), await gets("a"), await gets("b"), await gets("a"), await gets("c")]).toEqual([
      1, 0, 1, 0, 1,
    ]);
    // b was asked for longest ago.
    expect([await gets("a"), await gets("c"), await gets("b")]).toEqual([0, 0, 1]);
    expect([await gets("large"), await gets("large"), await gets("b")]).toEqual([1, 1, 0]);
    file.resetCounts();
    await Promise.all([zip.get("large"), zip.get("large"), zip.getRange("large", { start: 5, end: 9 })]);
    expect(file.counts.gets).toBe(1);
    const strict = new ZipStore({ store: file, path: "s.zip" }, { maxInflatedBytes: 2000 });
    await expect(strict.get("large")).rejects.toMatchObject({ code: "LIMIT" });
    expect(await strict.get("a")).toEqual(files.a);
  });
});

describe("damaged zip files", () => {
  const good = () =>
    zipSync({ "a/x": noise(300), "a/y": [noise(200), { level: 0 }], "a/z": new Uint8Array(5000) });

  const readAll = async (bytes: Uint8Array) => {
    const zip = new ZipStore(bytes);
    const values: [string, Uint8Array][] = [];
    for (const { key } of await zip.list("")) values.push([key, (await zip.get(key))!]);
    return values;
  };

  it("are said to be, wherever a byte is changed or they are cut, or give what they hold", async () => {
    const expected = new Map(await readAll(good()));
    const length = good().byteLength;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(length - 1), fc.integer({ min: 1, max: 255 })), {
          minLength: 1,
          maxLength: 3,
        }),
        fc.option(fc.nat(length - 1)),
        async (changes, cut) => {
          let bytes = good();
          for (const [at, by] of changes) bytes[at]! ^= by;
          if (cut !== null) bytes = bytes.subarray(0, cut);
          let values: [string, Uint8Array][];
          try {
            values = await readAll(bytes);
          } catch (error) {
            expect(["FORMAT", "UNSUPPORTED", "LIMIT", "STORAGE"]).toContain(
              (error as { code?: string }).code,
            );
            return;
          }
          // Names and unused fields may differ; values may not.
          const known = [...expected.values()].map((value) => crc32(value));
          for (const [, value] of values) if (value.byteLength > 0) expect(known).toContain(crc32(value));
        },
      ),
      { numRuns: 500 },
    );
  });

  it("that claim more than they have take no memory", async () => {
    const bytes = zipSync({ x: noise(100) }, { level: 6 });
    const view = new DataView(bytes.buffer);
    const directory = view.getUint32(bytes.byteLength - 6, true);
    view.setUint32(directory + 24, 0xfffffff0, true);
    await expect(new ZipStore(bytes).get("x")).rejects.toMatchObject({ code: "FORMAT" });
    const many = zipSync({ x: noise(100) }, { level: 0 });
    new DataView(many.buffer).setUint16(many.byteLength - 12, 60_000, true);
    await expect(new ZipStore(many).list("")).rejects.toThrow(/several parts|60000 entries/);
    const bomb = zipSync({ a: noise(100), b: noise(100) }, { level: 0 });
    const at = new DataView(bomb.buffer).getUint32(bomb.byteLength - 6, true);
    // Both entries at the first one's data.
    new DataView(bomb.buffer).setUint32(at + 46 + 1 + 42, 0, true);
    await expect(new ZipStore(bomb).list("")).rejects.toThrow("reach into what follows");
  });

  it("with names that leave their folder are refused", async () => {
    for (const name of ["../x", "/x", "a/../b", "a//b", "a\\b"]) {
      await expect(new ZipStore(zipSync({ [name]: noise(3) })).list("")).rejects.toMatchObject({
        code: "FORMAT",
      });
    }
  });

  it("are no zip file at all", async () => {
    for (const bytes of [new Uint8Array(), new Uint8Array(10), noise(100_000)]) {
      await expect(new ZipStore(bytes).list("")).rejects.toThrow("this is no zip file");
    }
    const store = new MemoryStore();
    await expect(new ZipStore({ store, path: "none.zip" }).list("")).rejects.toThrow("no such zip file");
  });
});

describe("checksums", () => {
  it("are those that everybody knows, in one piece or in several", () => {
    expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926);
    expect(crc32(new Uint8Array())).toBe(0);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(100), (bytes, at) => {
        expect(crc32(bytes.subarray(at), crc32(bytes.subarray(0, at)))).toBe(crc32(bytes));
      }),
    );
  });
});

describe.skipIf(!hasPython)("Python's zipfile", () => {
  it("reads what zipFolder writes, files of several parts and names beyond ASCII among them", async () => {
    const folder = await temporaryFolder();
    const source = new NodeFsStore(join(folder, "source"));
    const values = {
      "a/x.tdb": noise(1000),
      "ü/µ": noise(10),
      empty: new Uint8Array(),
      large: noise(20_000_000),
    };
    for (const [key, value] of Object.entries(values)) await source.put(`store/${key}`, value);
    await source.put("store/.cellarr-lock/owner.json", noise(3));
    const out = await new NodeFsStore(folder).writer("out.zip");
    const seen: number[] = [];
    const onProgress = ({ done }: { done: number }) => seen.push(done);
    const result = await zipFolder({ store: source, path: "store" }, out, { onProgress });
    expect(result).toEqual({ files: 4, bytes: 20_001_010 });
    expect(seen.at(-1)).toBe(20_001_010);
    const script = `
import json, sys, zipfile, zlib
with zipfile.ZipFile(json.load(sys.stdin)) as z:
    assert z.testzip() is None
    print(json.dumps({i.filename: [i.file_size, i.compress_type, zlib.crc32(z.read(i))] for i in z.infolist()}))`;
    const found = await runPython(script, join(folder, "out.zip"));
    const expected = Object.entries(values).map(([key, value]) => [key, [value.byteLength, 0, crc32(value)]]);
    expect(found).toEqual(Object.fromEntries(expected));
    const zip = new ZipStore({ store: new NodeFsStore(folder), path: "out.zip" });
    for (const [key, value] of Object.entries(values)) {
      expect(Buffer.compare((await zip.get(key))!, value)).toBe(0);
    }
  });

  it("writes what ZipStore reads: zip64 fields, deflated, streamed, code page 437", async () => {
    const folder = await temporaryFolder();
    const script = `
import io, json, sys, zipfile
class Pipe(io.RawIOBase):
    def __init__(self, path): self.file = open(path, "wb")
    def writable(self): return True
    def write(self, data): return self.file.write(data)
path = json.load(sys.stdin)
with zipfile.ZipFile(path + "/wide.zip", "w") as z:
    with z.open("wide/a", "w", force_zip64=True) as f: f.write(b"abc" * 1000)
    z.writestr("wide/b", b"abc" * 1000, zipfile.ZIP_DEFLATED)
    z.mkdir("wide/folder") if hasattr(z, "mkdir") else z.writestr("wide/folder/", b"")
    info = zipfile.ZipInfo("wide/c"); info.extra = b"\\x55\\x54\\x05\\x00\\x01\\x00\\x00\\x00\\x00"
    z.writestr(info, b"xyz")
pipe = Pipe(path + "/streamed.zip")
with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED) as z:
    with z.open("a", "w") as f: f.write(b"abc" * 1000)
    z.writestr("b", b"abc" * 1000, zipfile.ZIP_DEFLATED)
pipe.file.close()
with zipfile.ZipFile(path + "/many.zip", "w") as z:
    for i in range(70000): z.writestr(str(i), b"")
with zipfile.ZipFile(path + "/old.zip", "w") as z: z.writestr("aXb", b"1")
data = open(path + "/old.zip", "rb").read().replace(b"aXb", b"a\\x84b")
open(path + "/old.zip", "wb").write(data)
with zipfile.ZipFile(path + "/lzma.zip", "w", zipfile.ZIP_LZMA) as z: z.writestr("a", b"1")
print("null")`;
    await runPython(script, folder);
    const open = (name: string) => new ZipStore({ store: new NodeFsStore(folder), path: name });
    const abc = new TextEncoder().encode("abc".repeat(1000));
    const wide = open("wide.zip");
    expect((await wide.list("")).map(({ key }) => key)).toEqual(["a", "b", "c"]);
    expect(Array.from((await wide.get("a"))!)).toEqual(Array.from(abc));
    expect(Array.from((await wide.get("b"))!)).toEqual(Array.from(abc));
    expect(Array.from((await wide.getRange("c", { start: 1, end: 3 }))!)).toEqual([121, 122]);
    const streamed = open("streamed.zip");
    expect(Array.from((await streamed.getRange("a", { start: 2998, end: 3000 }))!)).toEqual([98, 99]);
    expect(Array.from((await streamed.get("b"))!)).toEqual(Array.from(abc));
    expect(await open("many.zip").list("")).toHaveLength(70_000);
    expect(await open("old.zip").list("")).toEqual([{ key: "aäb", size: 1 }]);
    await expect(open("lzma.zip").get("a")).rejects.toMatchObject({ code: "UNSUPPORTED" });
  });
});

describe("zip files beyond 4 GiB", () => {
  it("have zip64 fields where they must", async () => {
    // An entry of 5 GiB of zeros and a small one behind it; what is written keeps only the ends.
    const size = 5 * 2 ** 30;
    let written = 0;
    const kept: { at: number; bytes: Uint8Array }[] = [];
    const out = {
      write: async (bytes: Uint8Array) => {
        if (bytes.byteLength < 2 ** 20) kept.push({ at: written, bytes: bytes.slice() });
        written += bytes.byteLength;
      },
      close: async () => {},
      abort: async () => {},
    };
    const writer = new ZipWriter(out);
    await writer.begin("a", size, 0);
    // No memory is taken for what is never touched.
    const zeros = new Uint8Array(2 ** 30);
    for (let i = 0; i < 5; i++) await writer.write(zeros);
    await writer.begin("b", 3, crc32(new Uint8Array([1, 2, 3])));
    await writer.write(new Uint8Array([1, 2, 3]));
    await writer.finish();
    expect(written).toBeGreaterThan(size);
    const read = (start: number, end: number): Uint8Array => {
      const bytes = new Uint8Array(end - start);
      for (const piece of kept) {
        const from = Math.max(start, piece.at);
        const to = Math.min(end, piece.at + piece.bytes.byteLength);
        if (from < to) bytes.set(piece.bytes.subarray(from - piece.at, to - piece.at), from - start);
      }
      return bytes;
    };
    const file = {
      uri: "file://",
      list: async () => [{ key: "s.zip", size: written }],
      get: async () => undefined,
      getRange: async (_key: string, { start, end }: { start: number; end: number }) => read(start, end),
    };
    const zip = new ZipStore({ store: file, path: "s.zip" });
    expect(await zip.list("")).toEqual([
      { key: "a", size },
      { key: "b", size: 3 },
    ]);
    expect(Array.from((await zip.get("b"))!)).toEqual([1, 2, 3]);
    expect(Array.from((await zip.getRange("a", { start: size - 2, end: size }))!)).toEqual([0, 0]);
    if (!hasPython) return;
    // The same ends around a hole, for Python.
    const folder = await temporaryFolder();
    const path = join(folder, "s.zip");
    await writeFile(path, "");
    const script = `
import base64, json, sys, zipfile
path, size, pieces = json.load(sys.stdin)
with open(path, "r+b") as f:
    f.truncate(size)
    for at, data in pieces:
        f.seek(at); f.write(base64.b64decode(data))
with zipfile.ZipFile(path) as z:
    print(json.dumps([[i.filename, i.file_size, i.header_offset] for i in z.infolist()] + [list(z.read("b"))]))`;
    const pieces = kept.map(({ at, bytes }) => [at, Buffer.from(bytes).toString("base64")]);
    const found = (await runPython(script, [path, written, pieces])) as unknown[];
    expect(found).toEqual([
      ["a", size, 0],
      ["b", 3, expect.any(Number)],
      [1, 2, 3],
    ]);
  });
});
