import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, type MockInstance, test, vi } from "vitest";
import { isCellarrError } from "../../src/errors.js";
import { AnnData, type Matrix, openH5ad, readH5ad, sourceOf, toH5adBytes } from "../../src/h5ad-node.js";
import { Frame, textColumn } from "../../src/util/frame.js";
import { temporaryFolder } from "../support/temporary.js";
import { sparse } from "./arbitraries.js";

/** Files that are cut, foreign or corrupt, and wrong arguments: typed errors that name the file, nothing printed. */

let prints: MockInstance[];

beforeEach(() => {
  prints = [
    vi.spyOn(console, "error").mockImplementation(() => {}),
    vi.spyOn(console, "log").mockImplementation(() => {}),
    vi.spyOn(console, "warn").mockImplementation(() => {}),
    vi.spyOn(process.stderr, "write").mockImplementation(() => true),
  ];
});

afterEach(() => {
  const calls = prints.flatMap((print) => print.mock.calls);
  vi.restoreAllMocks();
  expect(calls).toEqual([]);
});

const fixture = (name: string) =>
  new Uint8Array(readFileSync(fileURLToPath(new URL(`../../spec-fixtures/h5ad/${name}`, import.meta.url))));

describe("a file", () => {
  test.each([
    ["empty", new Uint8Array(0), /empty/],
    ["foreign", new TextEncoder().encode("gene,cell,count\n".repeat(100)), /no HDF5 signature/],
    ["cut", fixture("anndata-0.7.8.h5ad").slice(0, 30_000), /truncated/],
  ])("that is %s", async (name, bytes, message) => {
    const path = join(await temporaryFolder(), `${name}.h5ad`);
    writeFileSync(path, bytes);
    const ways = [() => openH5ad(path), () => openH5ad(bytes, { name: path }), () => readH5ad(path)];
    for (const open of ways) {
      const error = await open().catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code: "FORMAT", where: path });
      expect((error as Error).message).toMatch(message);
    }
  });

  test("that is not there, or a folder", async () => {
    const folder = await temporaryFolder();
    await expect(openH5ad(join(folder, "x.h5ad"))).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(openH5ad(folder)).rejects.toMatchObject({ code: "NOT_FOUND", where: folder });
  });

  test("whose chunk claims a place beyond its dataset", async () => {
    const bytes = fixture("anndata-0.7.8.lzf.h5ad").slice();
    bytes[114544] = 12;
    await expect(readH5ad(bytes)).rejects.toMatchObject({
      code: "FORMAT",
      message: expect.stringMatching(/chunk at/),
    });
  });

  test("with any bytes changed gives a value or a typed error", async () => {
    const whole = fixture("anndata-0.7.8.lzf.h5ad");
    const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 20 }), async (changes) => {
        const bytes = whole.slice();
        for (const [at, value] of changes) bytes[at] = value;
        const result = await readH5ad(bytes).catch((caught: unknown) => caught);
        if (!(result instanceof AnnData)) expect(isCellarrError(result), String(result)).toBe(true);
      }),
      { numRuns: 40 },
    );
  });
});

/** An AnnData of this X, as bytes in which all arrays lie uncompressed. */
async function bytesOf(X: Matrix): Promise<Uint8Array> {
  return toH5adBytes(new AnnData({ X }), { gzip: 0 });
}

/** Replaces the one place where `from` lies in the file. */
function replace(bytes: Uint8Array, from: ArrayBufferView, to: ArrayBufferView): Uint8Array {
  const needle = Buffer.from(from.buffer, from.byteOffset, from.byteLength);
  const place = Buffer.from(bytes.buffer).indexOf(needle);
  expect(place).toBeGreaterThan(0);
  expect(Buffer.from(bytes.buffer).indexOf(needle, place + 1)).toBe(-1);
  bytes.set(new Uint8Array(to.buffer), place);
  return bytes;
}

describe.each(["csr", "csc"] as const)("a corrupt %s matrix names file, matrix and line", (format) => {
  const cells = Float32Array.of(0, 7, 0, 9, 0, 0, 3, 0, 4, 0, 0, 5, 6, 0, 8, 1);
  const X = sparse(format, [4, 4], cells);
  const line = format === "csr" ? "row" : "column";

  async function failures(bytes: Uint8Array): Promise<string[]> {
    const source = await openH5ad(bytes, { name: "bad.h5ad" });
    const blocks = (async () => {
      for await (const _ of source.matrix("X").blocks({ maxCells: 2 })) {
        // Only the failure is of interest.
      }
    })();
    const caught = await Promise.all(
      [blocks, readH5ad(bytes, { name: "bad.h5ad" })].map((work) => work.catch((error: unknown) => error)),
    );
    await source.close();
    return caught.map((error) => {
      expect(error).toMatchObject({ code: "FORMAT", where: "bad.h5ad" });
      return (error as Error).message;
    });
  }

  test("index out of range", async () => {
    const indices = X.indices.slice();
    indices[3] = 4;
    for (const message of await failures(replace(await bytesOf(X), X.indices, indices))) {
      expect(message).toContain(`matrix 'X', ${line} 2: `);
      expect(message).toContain("index 4 at position 3, expected 0 to 3");
    }
  });

  test("negative index", async () => {
    const indices = X.indices.slice();
    indices[0] = -1;
    for (const message of await failures(replace(await bytesOf(X), X.indices, indices))) {
      expect(message).toContain(`matrix 'X', ${line} 0: `);
    }
  });

  test.each([
    ["falls", 2, 0, 1],
    ["beyond the data", 3, 99, 2],
    ["does not end at the data", 4, 7, 3],
    ["does not start at 0", 0, 1, 0],
  ])("indptr %s", async (_what, at, value, major) => {
    const indptr = Int32Array.from(X.indptr);
    indptr[at] = value;
    for (const message of await failures(replace(await bytesOf(X), Int32Array.from(X.indptr), indptr))) {
      expect(message).toContain(`matrix 'X', ${line} ${major}: indptr[${at}] is ${value}`);
    }
  });
});

describe("arguments", () => {
  const data = new AnnData({ X: sparse("csr", [2, 2], Float32Array.of(1, 0, 0, 2)) });

  test("an unknown matrix or column names those present", async () => {
    const bytes = fixture("anndata-0.7.8.h5ad");
    const source = await openH5ad(bytes, { name: "a.h5ad" });
    expect(() => source.matrix("counts")).toThrow(
      "no matrix or layer 'counts'; there are: X, raw/X, columns, dense, half, truth, wide (a.h5ad)",
    );
    await expect(source.obs(["tissues"])).rejects.toMatchObject({ code: "NOT_FOUND", where: "a.h5ad" });
    await source.close();
    await expect(source.obs()).rejects.toMatchObject({ code: "ARGUMENT" });
    expect(() => sourceOf(data).matrix("counts")).toThrow(
      "no matrix or layer 'counts'; there are: X (AnnData)",
    );
    await expect(sourceOf(data).var(["x"])).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(sourceOf(data).rawVar()).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  test("an aborted signal and a wrong size of block", async () => {
    const controller = new AbortController();
    const blocks = sourceOf(data)
      .matrix("X")
      .blocks({ maxCells: 1, signal: controller.signal })
      [Symbol.asyncIterator]();
    expect((await blocks.next()).value).toMatchObject({ firstRow: 0, rowCount: 1 });
    controller.abort();
    await expect(blocks.next()).rejects.toMatchObject({ code: "ABORTED" });
    const wrong = sourceOf(data).matrix("X").blocks({ maxCells: 0 })[Symbol.asyncIterator]();
    await expect(wrong.next()).rejects.toMatchObject({ code: "ARGUMENT" });
  });

  test("shapes that do not fit", () => {
    const X = sparse("csr", [2, 3], new Float32Array(6));
    const three = new Frame(textColumn(["a", "b", "c"]), new Map());
    expect(() => new AnnData({ X, obs: three })).toThrow("AnnData: 'X' is 2 x 3, expected 3 x 3");
    expect(() => new AnnData({ X, layers: { counts: sparse("csc", [3, 2], new Int8Array(6)) } })).toThrow(
      "AnnData: 'layers/counts' is 3 x 2, expected 2 x 3",
    );
    const raw = { X: sparse("csr", [2, 2], new Float32Array(4)), var: three };
    expect(() => new AnnData({ X, raw })).toThrow("AnnData: 'raw/X' is 2 x 2, expected 2 x 3");
    const obsm = new Map([["pca", { kind: "array", shape: [3, 1], values: new Float32Array(3) }]] as const);
    expect(() => new AnnData({ X, obsm })).toThrow("'obsm/pca' has 3 rows, expected one for each of 2 cells");
    expect(() => new AnnData({ X: { ...X, indptr: Int32Array.of(0, 1) } })).toThrow(
      "indptr has 2 entries, expected 3",
    );
    expect(() => new AnnData({})).toThrow("AnnData: obs is needed where there is no X");
  });
});

test("an array that claims more than its file can hold is refused before memory is taken", async () => {
  const count = 2_000;
  const X: Matrix = {
    format: "csr",
    shape: [1, count],
    indptr: Int32Array.of(0, count),
    indices: Int32Array.from({ length: count }, (_, at) => at),
    data: new Float64Array(count).fill(1),
  };
  const bytes = await toH5adBytes(new AnnData({ X }), { gzip: 4 });
  // Dataspaces of data, indices and gene names: 2,000 elements, any number at most.
  const from = Buffer.from(BigUint64Array.of(2_000n, 0xffffffffffffffffn).buffer);
  let places = 0;
  for (let at = bytes.length; at >= 0; places++) {
    at = Buffer.from(bytes.buffer).indexOf(from);
    if (at >= 0) new DataView(bytes.buffer).setBigUint64(at, 10n ** 13n, true);
  }
  expect(places).toBe(4);
  const open = openH5ad(bytes, { name: "huge.h5ad" });
  await expect(open).rejects.toMatchObject({ code: "FORMAT", where: "huge.h5ad" });
  await expect(open).rejects.toThrow(/claims \d+ bytes, which a file of \d+ bytes cannot hold/);
});
