import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { openArray } from "../../src/array/open.js";
import { inspectText, runInspect } from "../../src/cli/array-inspect.js";
import { type ReadOptions, readArrayTo } from "../../src/cli/array-read.js";
import { describeArray } from "../../src/cli/describe-array.js";
import { ndjson } from "./cli.js";

/** `array read` and `array inspect` on every array of spec-fixtures: what the official library found in it. */

const fixtures = fileURLToPath(new URL("../../spec-fixtures", import.meta.url));
const folders = readdirSync(fixtures).flatMap((folder) =>
  statSync(join(fixtures, folder)).isDirectory()
    ? readdirSync(join(fixtures, folder)).map((name) => `${folder}/${name}`)
    : [],
);
const has = (file: string) => (name: string) => existsSync(join(fixtures, name, file));
const arrays = folders.filter(has("cells.json"));
const groups = folders.filter((name) => has("group")(name) && !name.startsWith("format/"));
/** What else the official library wrote: for conditions and deletes, with expected values of their own. */
const others = folders.filter((name) => has("array")(name) && !has("cells.json")(name));

interface RecordedRead {
  readonly query: {
    readonly ranges?: Record<string, [unknown, unknown][]>;
    timestamp?: number | [number, number];
    order?: string;
  };
  readonly cells: readonly Cell[];
}

type Cell = Record<string, unknown>;

/** Integers beyond 2^53, in ranges, as text. */
function json<T>(...path: string[]): T {
  const text = readFileSync(join(fixtures, ...path), "utf8");
  const exact = path.at(-1) === "reads.json" ? text.replace(/(?<=[[ ])-?\d{16,}(?=[,\]])/g, '"$&"') : text;
  return JSON.parse(exact) as T;
}

const context = { signal: new AbortController().signal };

/** Of the encrypted ones, see spec-fixtures/scripts/fixture_kit.py. */
const key = "0123456789abcdef0123456789abcdef";
const keyOf = (uri: string) => (uri.includes("encrypted.") ? { encryptionKey: key } : {});

async function read(uri: string, options: Partial<ReadOptions> = {}): Promise<Cell[]> {
  let text = "";
  const sink = {
    write(part: string): undefined {
      text += part;
    },
  };
  await readArrayTo(sink, uri, { range: [], attr: [], format: "ndjson", ...keyOf(uri), ...options }, context);
  return ndjson(text);
}

/** As --range takes it; an empty string can only be given as a single value. */
function rangeText(ends: readonly [unknown, unknown]): string {
  const [low, high] = ends.map((end) => `${end}`.replaceAll(":", "\\:"));
  return low === high ? `${low}` : `${low}:${high}`;
}

/** Cells at the same coordinates may come in any order. */
function sorted(cells: readonly Cell[]): string[] {
  return cells.map((cell) => JSON.stringify(cell)).sort();
}

function expectSameCells(
  found: readonly Cell[],
  expected: readonly Cell[],
  dimensions: readonly string[],
): void {
  expect(sorted(found)).toEqual(sorted(expected));
  const places = (cells: readonly Cell[]): string[] =>
    cells.map((cell) => JSON.stringify(dimensions.map((name) => cell[name])));
  expect(places(found)).toEqual(places(expected));
}

/** For people: a line for each dimension, attribute, fragment and entry of the metadata. */
function expectInText(text: string, expected: Record<string, unknown>): void {
  const lines = text.split("\n");
  const lists = ["dimensions", "attributes", "fragments"].map((key) => expected[key] as Cell[]);
  const names = [...lists.flat().map(({ name }) => `${name}`), ...Object.keys(expected.metadata as object)];
  for (const name of names) expect(lines.some((line) => line.startsWith(name))).toBe(true);
  expect(text).toContain(`format version ${expected.formatVersion}`);
}

describe("spec-fixtures", () => {
  it("has arrays of all versions, each with what is expected of it", () => {
    const versions = new Set(arrays.map((name) => name.split("/")[0]));
    expect(versions).toEqual(new Set(Array.from({ length: 20 }, (_, i) => `v${i + 3}`)));
    expect(arrays.filter((name) => !has("array")(name) || !has("schema.json")(name))).toEqual([]);
    expect(groups.filter((name) => !has("group.json")(name))).toEqual([]);
    expect(others.filter((name) => !name.startsWith("read/"))).toEqual([]);
    const versioned = folders.filter((name) => /^v\d/.test(name)).sort();
    expect([...arrays, ...groups].sort()).toEqual(versioned);
  });

  it.each(others)("array read and array inspect %s", async (name) => {
    const uri = join(fixtures, name, "array");
    expect((await read(uri)).length).toBeGreaterThan(0);
    expect(inspectText(await describeArray(await openArray(uri)))).toContain(uri);
  });

  it.each(groups)("array inspect and array read of the group %s", async (name) => {
    const uri = join(fixtures, name, "group");
    const isGroup = `no array: a group lies there (${uri})`;
    await expect(runInspect(uri, {}, context)).rejects.toThrow(isGroup);
    await expect(read(uri)).rejects.toThrow(isGroup);
  });

  it.each(arrays)("array read %s", async (name) => {
    const { dimensions } = json<{ dimensions: { name: string }[] }>(name, "schema.json");
    const cells = await read(join(fixtures, name, "array"));
    expectSameCells(
      cells,
      json(name, "cells.json"),
      dimensions.map((dimension) => dimension.name),
    );
  });

  const withReads = arrays.filter((name) => existsSync(join(fixtures, name, "reads.json")));
  it.each(withReads)("array read with ranges and times %s", async (name) => {
    const { dimensions } = json<{ dimensions: { name: string }[] }>(name, "schema.json");
    for (const { query, cells } of json<RecordedRead[]>(name, "reads.json")) {
      if (query.order !== undefined && query.order !== "row-major") continue;
      const range = Object.entries(query.ranges ?? {}).flatMap(([dimension, ranges]) =>
        ranges.map((ends) => `${dimension}=${rangeText(ends)}`),
      );
      const { timestamp } = query;
      const options = { range, ...(timestamp !== undefined && { timestamp: [timestamp].flat().join(":") }) };
      const found = await read(join(fixtures, name, "array"), options);
      expectSameCells(
        found,
        cells,
        dimensions.map((dimension) => dimension.name),
      );
    }
  });

  it.each(arrays)("array inspect %s", async (name) => {
    const array = await openArray(join(fixtures, name, "array"), keyOf(name));
    const whole = await describeArray(array);
    const { uri, fragments, enumerations, ...described } = whole;
    const expected = json<Record<string, unknown>>(name, "schema.json");
    const { fragments: expectedFragments, enumerations: expectedEnumerations, ...others } = expected;
    const byName = (a: Cell, b: Cell): number => (`${a.name}` < `${b.name}` ? -1 : 1);
    expect(uri).toBe(array.uri);
    expect(described).toMatchObject(others);
    expect((enumerations as Cell[]).sort(byName)).toEqual((expectedEnumerations as Cell[]).sort(byName));
    const named = (fragments as Record<string, unknown>[]).map(({ uri, ...fragment }) => ({
      name: `${uri}`.split("/").at(-1),
      ...fragment,
    }));
    expect(named.sort(byName)).toEqual((expectedFragments as Cell[]).sort(byName));
    expectInText(inspectText(whole), expected);
  });
});
