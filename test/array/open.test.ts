import { fileURLToPath } from "node:url";
import { beforeEach, describe, expect, it } from "vitest";
import "../../src/node-platform.js";
import { cellScalars } from "../../src/array/column-values.js";
import { objectType, openArray } from "../../src/array/open.js";
import { createArray } from "../../src/array/write/create.js";
import { createGroup } from "../../src/array/write/group-io.js";
import { writeSparse } from "../../src/array/write/write-sparse.js";
import type { WriteOptions } from "../../src/array/write/write-types.js";
import { MemoryStore } from "../../src/storage/memory.js";
import { NodeFsStore } from "../../src/storage/node-fs.js";
import { temporaryFolder } from "../support/temporary.js";

const fixtures = fileURLToPath(new URL("../../spec-fixtures/", import.meta.url));

let store: MemoryStore;
const at = () => ({ store, path: "folder/array" });

async function write(options: WriteOptions, ...cells: readonly (readonly [number, number])[]): Promise<void> {
  await writeSparse(
    at(),
    { d: Int32Array.from(cells, ([d]) => d), a: Int32Array.from(cells, ([, a]) => a) },
    options,
  );
}

beforeEach(async () => {
  store = new MemoryStore("mem://test");
  await createArray(at(), {
    arrayType: "sparse",
    dimensions: [{ name: "d", datatype: "int32", domain: [0, 99], tileExtent: 10 }],
    attributes: [{ name: "a", datatype: "int32" }],
  });
});

async function readPairs(timestamp?: number | readonly [number, number]): Promise<string> {
  const array = await openArray(at(), { timestamp });
  const { columns } = await array.read();
  return cellScalars(columns.d!)
    .map((d, i) => `${d}:${cellScalars(columns.a!)[i]}`)
    .join(" ");
}

describe("what a time shows", () => {
  it("is what was written until then; of equal coordinates the newest", async () => {
    await write({ timestamp: 10 }, [1, 1], [2, 1]);
    await write({ timestamp: 20 }, [2, 2], [3, 2]);
    expect(await readPairs()).toBe("1:1 2:2 3:2");
    expect(await readPairs(20)).toBe("1:1 2:2 3:2");
    expect(await readPairs(19)).toBe("1:1 2:1");
    expect(await readPairs([11, 30])).toBe("2:2 3:2");
    expect(await readPairs(9)).toBe("");
    expect(await readPairs([10, 10])).toBe("1:1 2:1");
  });

  it("is no longer than a valid window", async () => {
    await expect(readPairs([5, 4])).rejects.toMatchObject({ code: "ARGUMENT" });
    await expect(readPairs(-1)).rejects.toMatchObject({ code: "ARGUMENT" });
    await expect(readPairs(Number.NaN)).rejects.toMatchObject({ code: "ARGUMENT" });
  });

  it("leaves out what was not committed", async () => {
    await write({ timestamp: 10 }, [1, 1]);
    const [commit] = await store.list("folder/array/__commits");
    await store.delete(commit!.key);
    expect(await readPairs()).toBe("");
  });
});

describe("what is no array", () => {
  it("is said to be what it is", async () => {
    const folder = await temporaryFolder();
    const disk = new NodeFsStore(folder);
    await disk.put("file", new Uint8Array(5));
    await disk.put("other/deep/file", new Uint8Array(5));
    await disk.makeFolder("empty");
    await createGroup(`${folder}/group`);
    const message = (path: string) => openArray(path).catch((error) => `${error.code} ${error.message}`);
    expect(await message(`${folder}/missing`)).toBe(
      `NOT_FOUND no array: nothing lies there (${folder}/missing)`,
    );
    expect(await message(`${folder}/file`)).toBe(
      `NOT_FOUND no array: a file of 5 bytes lies there (${folder}/file)`,
    );
    expect(await message(`${folder}/empty`)).toBe(
      `NOT_FOUND no array: an empty folder lies there (${folder}/empty)`,
    );
    expect(await message(`${folder}/group`)).toBe(`NOT_FOUND no array: a group lies there (${folder}/group)`);
    expect(await message(`${folder}/other`)).toMatch(/a folder without __schema lies there, with deep/);
    expect(await objectType(`${folder}/group`)).toBe("group");
    expect(await objectType(`${folder}/file`)).toBeNull();
    expect(await objectType(at())).toBe("array");
  });

  it("may have update commits, which are read and not passed over", async () => {
    await store.put(
      "folder/array/__commits/__9_9_00112233445566778899aabbccddeeff_22.upd",
      new Uint8Array(4),
    );
    await expect(openArray(at())).rejects.toMatchObject({
      code: "UNSUPPORTED",
      message: expect.stringMatching(/update commit.*__9_9_/),
    });
  });

  it("may have delete commits", async () => {
    expect((await (await openArray(`${fixtures}read/deleted/array`)).read()).cellCount).toBeLessThan(10);
    const before = await openArray(`${fixtures}read/deleted/array`, { timestamp: 1 });
    expect((await before.read()).cellCount).toBe(10);
  });
});

describe("damaged arrays give typed errors", () => {
  async function fragmentFile(name: string): Promise<{ key: string; bytes: Uint8Array }> {
    const files = await store.list("folder/array/__fragments");
    const { key } = files.find((entry) => entry.key.endsWith(`/${name}`))!;
    return { key, bytes: (await store.get(key))! };
  }

  beforeEach(() => write({ timestamp: 1 }, [1, 1], [2, 2]));

  it.each(["a0.tdb", "d0.tdb"])("for a cut %s, with both sizes", async (name) => {
    const { key, bytes } = await fragmentFile(name);
    await store.put(key, bytes.subarray(0, bytes.length - 1));
    await expect(openArray(at())).rejects.toThrow(
      `${name} has ${bytes.length - 1} bytes, ${bytes.length} expected`,
    );
    await store.delete(key);
    await expect(openArray(at())).rejects.toThrow(`${name} is missing, ${bytes.length} expected`);
  });

  it("for a fragment whose metadata are gone", async () => {
    const { key } = await fragmentFile("__fragment_metadata.tdb");
    await store.delete(key);
    await expect(openArray(at())).rejects.toThrow(/was committed but its __fragment_metadata.tdb is missing/);
  });

  it("for any byte of the metadata or the schema changed, or a result", async () => {
    const { key, bytes } = await fragmentFile("__fragment_metadata.tdb");
    const [schema] = await store.list("folder/array/__schema");
    const schemaBytes = (await store.get(schema!.key))!.slice();
    const attempt = async () => {
      try {
        await (await openArray(at())).read({ ranges: { d: [[1, 50]] } });
      } catch (error) {
        expect(error).toHaveProperty("code");
        return 1;
      }
      return 0;
    };
    let errors = 0;
    for (const [file, original] of [
      [key, bytes.slice()],
      [schema!.key, schemaBytes],
    ] as const) {
      for (let i = 0; i < original.length; i += 5) {
        const changed = original.slice();
        changed[i]! ^= 0xff;
        await store.put(file, changed);
        errors += await attempt();
      }
      await store.put(file, original);
    }
    expect(errors).toBeGreaterThan(20);
    expect(await readPairs()).toBe("1:1 2:2");
  });

  it("for a metadata file cut anywhere", async () => {
    const { key, bytes } = await fragmentFile("__fragment_metadata.tdb");
    for (let length = 0; length < bytes.length; length += 7) {
      await store.put(key, bytes.subarray(0, length));
      await expect(openArray(at())).rejects.toHaveProperty("code");
    }
  });
});

describe("names that are not there", () => {
  it("are named with those that are", async () => {
    const array = await openArray(at());
    await expect(array.read({ attributes: ["b"] })).rejects.toThrow(/no attribute 'b', the array has 'a'/);
    await expect(array.read({ dimensions: ["e"] })).rejects.toThrow(/no dimension 'e', the array has 'd'/);
    await expect(array.read({ ranges: { a: [1] } })).rejects.toThrow(/no dimension 'a'/);
    await expect(array.read({ ranges: { d: [[0, 100]] } })).rejects.toMatchObject({ code: "RANGE" });
    await expect(array.enumeration("e")).rejects.toThrow(/no enumeration 'e', the array has none/);
    await expect(array.read({ order: "hilbert" as never })).rejects.toMatchObject({ code: "ARGUMENT" });
  });
});
