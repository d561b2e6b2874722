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
    count: valid.length,
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

  const box = fc.tuple(
    fc.nat(11),
    fc.nat(11),
    fc.nat(7),
    fc.nat(7),
    fc.array(cell, { minLength: 96, maxLength: 96 }),
  );
  const sides = (a: number, b: number) => [Math.min(a, b), Math.max(a, b)] as const;
  const orders = fc.constantFrom("row-major" as const, "col-major" as const);

  it("in dense arrays, over the cells that were written", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(box, { minLength: 1, maxLength: 3 }),
        fc.option(fc.tuple(fc.nat(11), fc.nat(11))),
        fc.option(fc.tuple(fc.nat(7), fc.nat(7))),
        fc.option(fc.constantFrom("i > 0", "n != None", "f < 3")),
        orders,
        orders,
        async (boxes, xs, ys, where, cellOrder, tileOrder) => {
          const place = { store: new MemoryStore(), path: "a" };
          const plane = [
            { name: "x", datatype: "int32", domain: [0, 11], tileExtent: 3 },
            { name: "y", datatype: "int32", domain: [0, 7], tileExtent: 3 },
          ] as const;
          await createArray(place, {
            arrayType: "dense",
            dimensions: plane,
            attributes,
            cellOrder,
            tileOrder,
          });
          const written = new Map<string, (typeof boxes)[number][4][number]>();
          for (const [t, [a, b, c, d, cells]] of boxes.entries()) {
            const [[x0, x1], [y0, y1]] = [sides(a, b), sides(c, d)];
            const used = cells.slice(0, (x1 - x0 + 1) * (y1 - y0 + 1));
            const at = (k: number) => `${x0 + Math.floor(k / (y1 - y0 + 1))},${y0 + (k % (y1 - y0 + 1))}`;
            for (const [k, one] of used.entries()) written.set(at(k), one);
            const columns = {
              i: Int32Array.from(used, (one) => one.i),
              n: used.map((one) => one.n),
              f: Float64Array.from(used, (one) => one.f),
              s: used.map((one) => `${one.i}`),
            };
            const subarray = [[x0, x1] as const, [y0, y1] as const];
            await writeDense(place, subarray, columns, { timestamp: t + 1 });
          }
          const array = await openArray(place);
          const inside = (at: number, ends: readonly [number, number] | null) =>
            ends === null || (at >= sides(...ends)[0] && at <= sides(...ends)[1]);
          const holds = (one: { i: number; n: bigint | null; f: number }) =>
            where === null ||
            (where === "i > 0" ? one.i > 0 : where === "f < 3" ? one.f < 3 : one.n !== null);
          const kept = [...written]
            .filter(([at, one]) => {
              const [x, y] = at.split(",").map(Number);
              return inside(x!, xs) && inside(y!, ys) && holds(one);
            })
            .map(([, one]) => one);
          const found = await array.aggregate({
            ranges: {
              ...(xs !== null && { x: [sides(...xs)] }),
              ...(ys !== null && { y: [sides(...ys)] }),
            },
            ...(where !== null && { condition: where }),
          });
          for (const name of ["i", "n", "f"] as const) {
            const cells = kept.map((one) => one[name]);
            expect(found.fields[name]).toEqual(expected(cells, name === "f"));
          }
          const texts = kept.map((one) => `${one.i}`).sort();
          expect(found.fields.s).toMatchObject({
            count: texts.length,
            min: texts[0] ?? null,
            max: texts.at(-1) ?? null,
          });
        },
      ),
      { numRuns: 150 },
    );
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
    count: 100,
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

it("whole tiles of dense arrays are not fetched where one fragment lies on top", async () => {
  const store = withCounting(new MemoryStore());
  const place = { store, path: "a" };
  const [i, n] = attributes;
  const many = { name: "v", datatype: "float32", cellValNum: 3 } as const;
  await createArray(place, { arrayType: "dense", dimensions, attributes: [i, n, many] });
  const write = (from: number, to: number, timestamp: number) => {
    const values = Array.from({ length: to - from + 1 }, (_, k) => from + k + 1000 * timestamp);
    const v = {
      kind: "fixed",
      datatype: "float32",
      cellValNum: 3,
      values: new Float32Array(3 * values.length),
    } as const;
    const cells = { i: Int32Array.from(values), n: values.map((x) => (x % 4 === 0 ? null : BigInt(x))), v };
    return writeDense(place, [[from, to]], cells, { timestamp });
  };
  await write(0, 94, 1);
  await write(20, 39, 2);
  const array = await openArray(place);
  await array.plan();
  const ofCells = () => store.counts.fetches.filter(({ key }) => /\/a[0-9][^/]*\.tdb$/.test(key));
  const sumOf = (from: number, to: number) => {
    let sum = 0;
    for (let x = from; x <= to; x++) sum += x + (x >= 20 && x < 40 ? 2000 : 1000);
    return BigInt(sum);
  };
  store.resetCounts();
  const whole = await array.aggregate({ ranges: { d: [[0, 89]] } });
  expect(ofCells()).toEqual([]);
  expect(whole.cellCount).toBe(90);
  expect(whole.fields.i).toMatchObject({ count: 90, min: 1000, max: 2039, sum: sumOf(0, 89) });
  expect(whole.fields.n).toMatchObject({ count: 67, nullCount: 23 });
  expect(whole.fields.v).toEqual({ count: 90, nullCount: 0, min: null, max: null, sum: null, mean: null });
  // The last tile was not written whole: that one is read, and no other.
  store.resetCounts();
  const beyond = await array.aggregate({ ranges: { d: [[0, 999]] }, attributes: ["i"] });
  expect(beyond.cellCount).toBe(1000);
  expect(beyond.fields.i).toMatchObject({ count: 95, sum: sumOf(0, 94) });
  expect(ofCells()).toHaveLength(1);
  const lastTile = ofCells()[0]!;
  store.resetCounts();
  await array.read({ ranges: { d: [[90, 94]] }, attributes: ["i"] });
  expect(ofCells()).toEqual([lastTile]);
  // Cells of a newer fragment in a tile: read, with what they lie on.
  await write(45, 45, 3);
  const newer = await openArray(place);
  const { fields } = await newer.aggregate({ ranges: { d: [[0, 89]] }, attributes: ["i"] });
  expect(fields.i).toMatchObject({ count: 90, max: 3045, sum: sumOf(0, 89) + 2000n });
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
    return { count: valid.length, min: sorted[0], max: sorted.at(-1), nullCount, sum: null, mean: null };
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

it("dimensions are aggregated where asked for, of dense arrays over the cells that were written", async () => {
  const place = { store: new MemoryStore(), path: "a" };
  await createArray(place, { arrayType: "dense", dimensions, attributes: [attributes[0]] });
  await writeDense(place, [[10, 19]], { i: new Int32Array(10) });
  const array = await openArray(place);
  const { cellCount, fields } = await array.aggregate({
    dimensions: ["d"],
    attributes: [],
    ranges: { d: [[5, 14]] },
  });
  expect(cellCount).toBe(10);
  expect(fields.d).toEqual({ count: 5, nullCount: 0, min: 10, max: 14, sum: 60n, mean: 12 });
  expect((await array.aggregate()).fields.d).toBeUndefined();
});
