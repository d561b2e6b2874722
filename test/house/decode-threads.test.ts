import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeAll, expect, it } from "vitest";
import { CellArrDataset } from "../../src/node.js";
import { createArray, openArray, writeSparse } from "../../src/tiledb-node.js";
import { temporaryFolder } from "../support/temporary.js";

/** Threads decode what the calling one does, and tell the same of what is damaged. */

const root = fileURLToPath(new URL("../..", import.meta.url));
const run = promisify(execFile);

interface Compared {
  readonly what: "whole" | "damaged";
  readonly name: string;
  readonly alone: string;
  readonly together: readonly string[];
  readonly asked: number;
}

beforeAll(() => run(process.execPath, [join(root, "scripts", "build.mjs"), "--if-stale"]));

it("read the same, and leave the process free to end", async () => {
  const script = join(root, "test", "house", "threaded-read.mjs");
  const { stdout } = await run(process.execPath, [script, await temporaryFolder()], { timeout: 60_000 });
  const results = JSON.parse(stdout) as Compared[];
  expect(results).toHaveLength(6);
  for (const { what, alone, together, asked } of results) {
    expect(together).toEqual([alone]);
    expect(asked).toBeGreaterThanOrEqual(4);
    if (what === "damaged") expect(alone).toMatch(/^FORMAT: .*a0\.tdb/);
  }
  expect(new Set(results.map(({ alone }) => alone)).size).toBeGreaterThan(3);
}, 90_000);

it("are done without where there is no module for them, as in the sources", async () => {
  const uri = join(await temporaryFolder(), "matrix");
  const [rows, columns] = [1300, 1000];
  await createArray(uri, {
    arrayType: "sparse",
    dimensions: ["row", "column"].map((name) => ({ name, datatype: "uint32", domain: [0, 1999] })),
    attributes: [{ name: "value", datatype: "int32" }],
  });
  const cells = rows * columns;
  await writeSparse(uri, {
    row: Uint32Array.from({ length: cells }, (_, i) => Math.floor(i / columns)),
    column: Uint32Array.from({ length: cells }, (_, i) => i % columns),
    value: Int32Array.from({ length: cells }, (_, i) => i),
  });
  const array = await openArray(uri);
  const query = {
    rows: Uint32Array.from({ length: rows }, (_, row) => row),
    columns: null,
    columnCount: columns,
  };
  for (let times = 0; times < 3; times++) {
    const read = await array.readCompressed({ ...query, attribute: "value", threads: 3 });
    expect(read!.values.length).toBe(cells);
    expect((read!.values as Int32Array).every((value, i) => value === i)).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
});

it("are a whole number", async () => {
  const store = join(root, "spec-fixtures", "cellarr-0.3.2", "store.plain", "dataset");
  const threads = 0;
  await expect(CellArrDataset.open(store, { threads })).rejects.toThrow(
    "threads is 0, expected a whole number",
  );
  expect((await CellArrDataset.open(store, { threads: 2 })).numberOfCells).toBeGreaterThan(0);
});
