import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import "../../src/node-platform.js";
import { cellScalars } from "../../src/array/column-values.js";
import { openArray } from "../../src/array/open.js";
import { createArray } from "../../src/array/write/create.js";
import { writeDense } from "../../src/array/write/write-dense.js";
import { writeSparse } from "../../src/array/write/write-sparse.js";
import { MemoryStore } from "../../src/storage/memory.js";
import { hasPython, pythonPeer } from "../support/python.js";
import { withCounting } from "../support/stores.js";

const attributes = [
  { name: "i", datatype: "int32" },
  { name: "n", datatype: "int64", nullable: true },
  { name: "f", datatype: "float64" },
  { name: "s", datatype: "string_ascii", cellValNum: "var" },
] as const;
const dimensions = [{ name: "d", datatype: "uint32", domain: [0, 999], tileExtent: 10 }] as const;

/** What the columns of a plain read come to. */
function expected(cells: readonly (number | bigint | null)[], isFloat: boolean) {
  const valid = cells.filter((one) => one !== null);
  const ordered = valid.filter((one) => !Number.isNaN(one)).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const sum = isFloat
    ? valid.reduce((all: number, one) => all + Number(one), 0)
    : valid.reduce((all: bigint, one) => all + BigInt(one), 0n);
  return {
    nullCount: cells.length - valid.length,
    min: ordered[0] ?? null,
    max: ordered.at(-1) ?? null,
    sum: valid.length === 0 ? null : sum,
    mean: valid.length === 0 ? null : Number(sum) / valid.length,
  };
}

describe("aggregates are what the cells come to", () => {
  const cell = fc.record({
    at: fc.nat(30),
    i: fc.integer(),
    n: fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
    // Halves, so that sums are the same in any order.
    f: fc.oneof({ weight: 9, arbitrary: fc.integer().map((x) => x / 2) }, fc.constant(Number.NaN)),
  });
  const write = fc.uniqueArray(cell, { selector: (one) => one.at, minLength: 1, maxLength: 20 });
  const range = fc.option(
    fc.tuple(fc.nat(30), fc.nat(30)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const),
  );
  const condition = fc.option(fc.constantFrom("i > 0", "n != None", "f < 3", "d > 11"));

  it("in sparse arrays", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(write, { minLength: 1, maxLength: 3 }),
        range,
        condition,
        fc.boolean(),
        async (writes, ends, where, allowsDuplicates) => {
          const place = { store: new MemoryStore(), path: "a" };
          await createArray(place, {
            arrayType: "sparse",
            dimensions,
            attributes,
            capacity: 3,
            allowsDuplicates,
          });
          for (const [t, cells] of writes.entries()) {
            await writeSparse(
              place,
              {
                d: Uint32Array.from(cells, (one) => one.at),
                i: Int32Array.from(cells, (one) => one.i),
                n: cells.map((one) => one.n),
                f: Float64Array.from(cells, (one) => one.f),
                s: cells.map((one) => `${one.i}`),
              },
              { timestamp: t + 1 },
            );
          }
          const array = await openArray(place);
          const query = {
            ...(ends !== null && { ranges: { d: [ends] } }),
            ...(where !== null && { condition: where }),
          };
          const { cellCount, columns } = await array.read(query);
          const found = await array.aggregate(query);
          expect(found.cellCount).toBe(cellCount);
          const cellsOf = (name: string) =>
            cellCount === 0 ? [] : (cellScalars(columns[name]!) as (number | bigint | null)[]);
          for (const name of ["i", "n", "f"])
            expect(found.fields[name]).toEqual(expected(cellsOf(name), name === "f"));
          const texts = cellCount === 0 ? [] : (cellScalars(columns.s!) as string[]).sort();
          expect(found.fields.s).toMatchObject({
            min: texts[0] ?? null,
            max: texts.at(-1) ?? null,
            sum: null,
          });
        },
      ),
      { numRuns: 200 },
    );
  });

  it("in dense arrays", async () => {
    const place = { store: new MemoryStore(), path: "a" };
    await createArray(place, { arrayType: "dense", dimensions, attributes: [attributes[0]] });
    await writeDense(place, [[3, 27]], { i: Int32Array.from({ length: 25 }, (_, k) => k - 5) });
    const array = await openArray(place);
    const { cellCount, fields } = await array.aggregate({ ranges: { d: [[5, 14]] } });
    expect(cellCount).toBe(10);
    expect(fields.i).toEqual({ nullCount: 0, min: -3, max: 6, sum: 15n, mean: 1.5 });
  });
});

it("whole tiles of numbers are not fetched", async () => {
  const store = withCounting(new MemoryStore());
  const place = { store, path: "a" };
  await createArray(place, { arrayType: "sparse", dimensions, attributes: [attributes[0]], capacity: 10 });
  const d = Uint32Array.from({ length: 100 }, (_, k) => k);
  await writeSparse(place, { d, i: Int32Array.from(d) });
  const array = await openArray(place);
  await array.plan({ ranges: { d: [[15, 84]] } });
  store.resetCounts();
  expect((await array.aggregate()).fields.i).toEqual({
    nullCount: 0,
    min: 0,
    max: 99,
    sum: 4950n,
    mean: 49.5,
  });
  expect((await array.aggregate({ attributes: [] })).cellCount).toBe(100);
  expect(store.counts.fetches).toEqual([]);
  expect((await array.aggregate({ ranges: { d: [[15, 84]] } })).fields.i).toMatchObject({
    min: 15,
    max: 84,
    sum: 3465n,
  });
  expect(store.counts.fetches.length).toBeGreaterThan(0);
  store.resetCounts();
  expect((await array.aggregate({ ranges: { d: [[10, 89]] } })).cellCount).toBe(80);
  expect(store.counts.fetches).toEqual([]);
});

it("whole tiles of texts of a fixed length are not fetched, unless they have a NUL", async () => {
  const store = withCounting(new MemoryStore());
  const place = { store, path: "a" };
  const text = { name: "t", datatype: "char", cellValNum: 2, nullable: true } as const;
  await createArray(place, { arrayType: "sparse", dimensions, attributes: [text], capacity: 5 });
  const d = Uint32Array.from({ length: 20 }, (_, k) => k);
  const texts = Array.from(d, (k) => `${"zyxw"[k % 4]}${k % 7}`);
  texts[17] = "a\0";
  const values = new TextEncoder().encode(texts.join(""));
  const validity = Uint8Array.from(d, (k) => (k % 5 === 3 ? 0 : 1));
  await writeSparse(place, { d, t: { kind: "fixed", datatype: "char", cellValNum: 2, values, validity } });
  const array = await openArray(place);
  await array.plan();
  const bounds = (from: number, to: number) => {
    const valid = texts.slice(from, to + 1).filter((_, k) => (from + k) % 5 !== 3);
    const sorted = valid.sort();
    const nullCount = to - from + 1 - valid.length;
    return { min: sorted[0], max: sorted.at(-1), nullCount, sum: null, mean: null };
  };
  const ofCells = () => store.counts.fetches.filter(({ key }) => /\/a0[^/]*\.tdb$/.test(key));
  store.resetCounts();
  const firstTiles = await array.aggregate({ ranges: { d: [[0, 14]] } });
  expect(firstTiles.fields.t).toEqual(bounds(0, 14));
  expect(ofCells()).toEqual([]);
  expect((await array.aggregate()).fields.t).toEqual(bounds(0, 19));
  expect(ofCells().length).toBeGreaterThan(0);
});

describe.skipIf(!hasPython)("the official library's aggregates", () => {
  const root = fileURLToPath(new URL("../../spec-fixtures/v22", import.meta.url));
  // The official library ends with a segmentation fault where an attribute was added; TileDB-Py opens no times.
  const names = readdirSync(root)
    .filter(
      (name) => /^(fragments|deletes|sparse|attributes.numbers)/.test(name) && !/evolved|time/.test(name),
    )
    .filter((name) => existsSync(join(root, name, "cells.json")));

  it("are the same", { timeout: 60_000 }, async () => {
    const peer = await pythonPeer();
    let compared = 0;
    for (const name of names) {
      const uri = join(root, name, "array");
      const array = await openArray(uri);
      for (const attribute of array.schema.attributes) {
        const isSmall = /^u?int(8|16|32)$/.test(attribute.datatype) && attribute.cellValNum === 1;
        if (!isSmall || attribute.enumeration !== null || array.schema.arrayType === "dense") continue;
        const theirs = (await peer.call("aggregates", { uri, attribute: attribute.name })) as Record<
          string,
          number
        >;
        const { cellCount, fields } = await array.aggregate({ attributes: [attribute.name] });
        const { min, max, sum, mean, nullCount } = fields[attribute.name]!;
        const ours = { min, max, sum: Number(sum), mean, count: cellCount, null_count: nullCount };
        const { mean: theirMean, ...others } = theirs;
        const { mean: ourMean, ...rest } = ours;
        expect({ name, ...rest }).toMatchObject({ name, ...others });
        expect(ourMean).toBeCloseTo(theirMean!, 6);
        compared++;
      }
    }
    expect(compared).toBeGreaterThan(20);
  });
});
