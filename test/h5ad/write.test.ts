import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AnnData, readH5ad, toH5adBytes, type UnsValue, writeH5ad } from "../../src/h5ad-node.js";
import { Frame, type FrameColumn, textColumn } from "../../src/util/frame.js";
import { bytesOf } from "../../src/util/typed-arrays.js";
import { hasPython, runPython } from "../support/python.js";
import { temporaryFolder } from "../support/temporary.js";
import { annData, sparse } from "./arbitraries.js";
import { contentOf } from "./content.js";

/** What we write, read back by us and by anndata. */

const example = () => fc.sample(annData, { numRuns: 1, seed: 7 })[0]!;

test("any AnnData comes back the same from bytes", async () => {
  await fc.assert(
    fc.asyncProperty(annData, fc.constantFrom(0, 4), async (data, gzip) => {
      const back = await readH5ad(await toH5adBytes(data, { gzip }));
      expect(contentOf(back)).toEqual(contentOf(data));
      expect(back.skipped).toEqual([]);
    }),
    { numRuns: 30 },
  );
});

describe.skipIf(!hasPython)("anndata", () => {
  test("reads what we write, without a warning", { timeout: 120_000 }, async () => {
    const folder = await temporaryFolder();
    const drawn = fc.sample(annData, { numRuns: 25, seed: Date.now() % 1e9 });
    const paths = drawn.map((_, at) => join(folder, `${at}.h5ad`));
    for (const [at, data] of drawn.entries()) await data.write(paths[at]!, { gzip: at % 2 === 0 ? 4 : 0 });
    const read = (await runPython("h5ad_content.py", { paths })) as unknown[];
    for (const [at, data] of drawn.entries()) expect(read[at]).toEqual(contentOf(data));
  });

  test("reads uns: scalars, None, text, nested", { timeout: 120_000 }, async () => {
    const folder = await temporaryFolder();
    const uns = new Map<string, UnsValue>([
      ["flag", true],
      ["none", null],
      ["count", 7],
      ["ratio", 0.5],
      ["name", "naïve"],
      ["table", { kind: "array", shape: [2, 2], values: ["a", "b", "ü", ""] }],
      [
        "deep",
        new Map<string, UnsValue>([
          ["truths", { kind: "array", shape: [2], values: Uint8Array.of(1, 0), boolean: true }],
        ]),
      ],
    ]);
    const data = new AnnData({ X: sparse("csr", [2, 2], new Float32Array(4)), uns });
    const path = join(folder, "uns.h5ad");
    await data.write(path);
    const [read] = (await runPython("h5ad_content.py", { paths: [path] })) as { uns: unknown }[];
    expect(read?.uns).toEqual(contentOf(data).uns);
    expect(contentOf(await readH5ad(path)).uns).toEqual(contentOf(data).uns);
  });
});

test("arrays of more than one piece of the heap", async () => {
  const count = 3_000_000;
  const text = textColumn(
    Array.from({ length: 200_000 }, (_, row) => `cell number ${row} with a longer name`),
  );
  const columns = new Map<string, FrameColumn>([
    ["passed", { kind: "boolean", values: new Uint8Array(200_000).fill(1) }],
  ]);
  const indptr = Float64Array.from({ length: 200_001 }, (_, row) => row * 15);
  const data = Float64Array.from({ length: count }, (_, at) => at % 1000);
  const indices = Int32Array.from({ length: count }, (_, at) => at % 15);
  const X = { format: "csr", shape: [200_000, 15], indptr, indices, data } as const;
  const genes = new Frame(textColumn(Array.from({ length: 15 }, (_, at) => `g${at}`)), new Map());
  const bytes = await toH5adBytes(new AnnData({ X, obs: new Frame(text, columns), var: genes }), { gzip: 1 });
  const back = await readH5ad(bytes);
  // Compared as bytes: toEqual takes minutes here.
  expect(same(back.obs.index.data, text.data) && same(back.obs.index.offsets, text.offsets)).toBe(true);
  const passed = back.obs.columns.get("passed");
  expect(passed?.kind === "boolean" && passed.values.every((value) => value === 1)).toBe(true);
  if (back.X?.format !== "csr") throw new Error("expected csr");
  expect(same(back.X.data, data) && same(back.X.indices, indices)).toBe(true);
});

function same(actual: ArrayBufferView, expected: ArrayBufferView): boolean {
  return Buffer.compare(bytesOf(actual), bytesOf(expected)) === 0;
}

describe("a path", () => {
  test("that exists is kept, unless overwriting is asked for", async () => {
    const folder = await temporaryFolder();
    const path = join(folder, "a.h5ad");
    writeFileSync(path, "something");
    await expect(writeH5ad(example(), path)).rejects.toMatchObject({ code: "EXISTS", where: path });
    await writeH5ad(example(), path, { overwrite: true });
    expect(contentOf(await readH5ad(path))).toEqual(contentOf(example()));
    expect(readdirSync(folder)).toEqual(["a.h5ad"]);
  });

  test("is not left half-written when a value does not fit", async () => {
    const folder = await temporaryFolder();
    const obs = new Frame(textColumn(["a", "b\0c"]), new Map());
    const data = new AnnData({ obs, var: new Frame(textColumn([]), new Map()) });
    await expect(data.write(join(folder, "b.h5ad"))).rejects.toMatchObject({ code: "VALUE" });
    expect(readdirSync(folder)).toEqual([]);
  });

  test("in no folder is a StorageError", async () => {
    const folder = await temporaryFolder();
    const path = join(folder, "missing", "c.h5ad");
    await expect(example().write(path)).rejects.toMatchObject({ code: "STORAGE" });
  });

  test.each(["a/b", "", "_index"])("column name '%s' is refused", async (name) => {
    const columns = new Map<string, FrameColumn>([[name, { kind: "boolean", values: Uint8Array.of(1) }]]);
    const obs = new Frame(textColumn(["a"]), columns);
    const data = new AnnData({ obs, var: new Frame(textColumn(["g"]), new Map()) });
    await expect(toH5adBytes(data)).rejects.toMatchObject({ code: "ARGUMENT" });
  });
});
