import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { openArray } from "../../src/array/open.js";
import { type ReadOptions, readArrayTo } from "../../src/cli/array-read.js";
import { describeArray } from "../../src/cli/describe-array.js";
import { ndjson } from "./cli.js";

/** `array read` and `array inspect` on every array of spec-fixtures: what the official library found in it. */

const fixtures = fileURLToPath(new URL("../../spec-fixtures", import.meta.url));
const versions = readdirSync(fixtures).filter((name) => /^v\d+$/.test(name));
const arrays = versions.flatMap((version) =>
  readdirSync(join(fixtures, version))
    .filter((name) => existsSync(join(fixtures, version, name, "cells.json")))
    .map((name) => `${version}/${name}`),
);

interface RecordedRead {
  readonly query: {
    readonly ranges?: Record<string, [unknown, unknown][]>;
    timestamp?: number | [number, number];
    order?: string;
  };
  readonly cells: readonly Cell[];
}

type Cell = Record<string, unknown>;

const json = <T>(...path: string[]): T => JSON.parse(readFileSync(join(fixtures, ...path), "utf8")) as T;

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
  const signal = new AbortController().signal;
  await readArrayTo(
    sink,
    uri,
    { range: [], attr: [], format: "ndjson", ...keyOf(uri), ...options },
    { signal },
  );
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

describe("spec-fixtures", () => {
  it("has arrays of several versions", () => {
    expect(versions.length).toBeGreaterThan(3);
    expect(arrays.length).toBeGreaterThan(100);
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
    const { uri, fragments, enumerations, ...described } = await describeArray(array);
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
  });
});
