import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { CellarrError } from "../../src/errors.js";
import { writeConsolidatedCommits } from "../../src/format/consolidated-commits.js";
import { MemoryStore } from "../../src/storage/memory.js";
import { consolidate, openArray, vacuum, writeSparse } from "../../src/tiledb-node.js";
import { temporaryFolder } from "../support/temporary.js";

/** What of an array of before version 12 counts, whose fragments lie in its folder itself. */

const fixtures = fileURLToPath(new URL("../../spec-fixtures", import.meta.url));

/** A copy of a fixture's array, and its fragments' names, oldest first. */
async function copyOf(name: string): Promise<{ uri: string; fragments: string[] }> {
  const uri = join(await temporaryFolder(), "array");
  await cp(join(fixtures, name, "array"), uri, { recursive: true });
  const fragments = (await readdir(uri)).filter((entry) => /^__\d+_\d+_[0-9a-f]{32}(_\d+)?$/.test(entry));
  return { uri, fragments: fragments.sort() };
}

const seen = async (uri: string) => (await openArray(uri)).fragments.map((fragment) => fragment.name);

describe("fragments in the array's folder", () => {
  it("count since version 5 if an .ok file says so", async () => {
    const { uri, fragments } = await copyOf("v8/fragments.overlapping");
    expect(fragments.length).toBeGreaterThan(1);
    expect(await seen(uri)).toEqual(fragments);
    await rm(join(uri, `${fragments[0]}.ok`));
    expect(await seen(uri)).toEqual(fragments.slice(1));
  });

  it("count if consolidated commits name their .ok file", async () => {
    const { uri, fragments } = await copyOf("v8/fragments.overlapping");
    const [first] = fragments;
    await rm(join(uri, `${first}.ok`));
    const commit = { name: `${first}.ok`, kind: "write", content: new Uint8Array(0) } as const;
    await mkdir(join(uri, "__commits"));
    await writeFile(
      join(uri, "__commits", `__1_1_${"0".repeat(32)}_22.con`),
      writeConsolidatedCommits([commit]),
    );
    expect(await seen(uri)).toEqual(fragments);
  });

  it("count before version 5 if they have metadata", async () => {
    const { uri, fragments } = await copyOf("v4/fragments.overlapping");
    expect(await seen(uri)).toEqual(fragments);
    await rm(join(uri, fragments[0]!, "__fragment_metadata.tdb"));
    expect(await seen(uri)).toEqual(fragments.slice(1));
  });

  it("are read in an array that was moved, with stale URIs in its files", async () => {
    const { uri, fragments } = await copyOf("v8/fragments.consolidated");
    const before = await seen(uri);
    expect(before.length).toBeLessThan(fragments.length);
    await rename(uri, `${uri}-moved`);
    expect(await seen(`${uri}-moved`)).toEqual(before);
  });
});

describe("an array of an older layout", () => {
  it.each(["v4/sparse-2d.int", "v10/sparse-2d.int", "v12/sparse-2d.int"])(
    "%s is not written to",
    async (name) => {
      const { uri, fragments } = await copyOf(name);
      const refused = {
        code: "UNSUPPORTED",
        message: expect.stringMatching(/format version (before 10|10|12)/),
      };
      await expect(writeSparse(uri, {})).rejects.toMatchObject(refused);
      await expect(consolidate(uri)).rejects.toMatchObject(refused);
      await expect(vacuum(uri)).rejects.toMatchObject(refused);
      expect((await copyOf(name)).fragments).toEqual(fragments);
    },
  );
});

describe("damaged arrays of old versions", () => {
  const step = Number(process.env.DAMAGE_STEP ?? 37);

  /** A fixture's array in memory. */
  async function inMemory(name: string): Promise<{ store: MemoryStore; files: [string, Uint8Array][] }> {
    const folder = join(fixtures, name, "array");
    const store = new MemoryStore();
    const files: [string, Uint8Array][] = [];
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const file = join(entry.parentPath, entry.name);
      const bytes = new Uint8Array(await readFile(file));
      const key = `array/${relative(folder, file)}`;
      await store.put(key, bytes);
      files.push([key, bytes]);
    }
    return { store, files };
  }

  async function attempt(store: MemoryStore): Promise<number> {
    try {
      const array = await openArray({ store, path: "array" });
      await array.read({ order: "row-major" });
      await array.metadata();
      return 0;
    } catch (error) {
      if (!(error instanceof CellarrError)) throw error;
      return 1;
    }
  }

  it.each([
    "v3/dense-2d.sparse-fragments",
    "v4/sparse-2d.int",
    "v5/sparse-2d.int-string",
    "v8/fragments.metadata-consolidated",
    "v10/fragments.evolved",
    "v12/fragments.commits-consolidated",
  ])(
    "%s gives data or typed errors",
    async (name) => {
      const { store, files } = await inMemory(name);
      let errors = 0;
      for (const [key, bytes] of files) {
        for (let i = 0; i < bytes.length; i += step) {
          const changed = bytes.slice();
          changed[i]! ^= 0xff;
          await store.put(key, changed);
          errors += await attempt(store);
          await store.put(key, bytes.subarray(0, i));
          errors += await attempt(store);
        }
        await store.put(key, bytes);
      }
      expect(errors).toBeGreaterThan(50);
      expect(await attempt(store)).toBe(0);
    },
    60_000,
  );
});
