import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { columnCells, concatColumns } from "../../src/array/column-ops.js";
import { cellScalars } from "../../src/array/column-values.js";
import { consolidate } from "../../src/array/consolidate/consolidate.js";
import { openArray } from "../../src/array/open.js";
import type { ReadQuery, ReadResult } from "../../src/array/query.js";
import { createArray } from "../../src/array/write/create.js";
import { writeDense } from "../../src/array/write/write-dense.js";
import { writeSparse } from "../../src/array/write/write-sparse.js";
import { MemoryStore } from "../../src/storage/memory.js";
import { type ArrayCase, denseCase, sparseCase } from "../support/arbitraries.js";
import { jsonRows } from "../support/cells-json.js";
import { patience, runs } from "../support/property.js";

/** Batches, one after the other, are the whole read. */

const attributes = [
  { name: "a", datatype: "int32" },
  { name: "s", datatype: "string_ascii", cellValNum: "var" },
] as const;
const dimensions = [
  { name: "x", datatype: "int32", domain: [-20, 79], tileExtent: 7 },
  { name: "y", datatype: "int64", domain: [0n, 9n], tileExtent: 5n },
] as const;

function expectWhole(parts: readonly ReadResult[], whole: ReadResult): void {
  expect(parts.reduce((sum, part) => sum + part.cellCount, 0)).toBe(whole.cellCount);
  for (const [name, column] of Object.entries(whole.columns)) {
    const pieces = parts.map((part) => part.columns[name]!).filter((one) => columnCells(one) > 0);
    const values = pieces.length === 0 ? [] : cellScalars(concatColumns(pieces));
    expect(values).toEqual(columnCells(column) === 0 ? [] : cellScalars(column));
  }
}

async function collect(from: AsyncIterable<ReadResult>): Promise<ReadResult[]> {
  const parts: ReadResult[] = [];
  for await (const part of from) parts.push(part);
  return parts;
}

const point = fc.tuple(fc.integer({ min: -20, max: 30 }), fc.nat(9));
const range = fc
  .tuple(fc.integer({ min: -20, max: 30 }), fc.integer({ min: -20, max: 30 }))
  .map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
const query: fc.Arbitrary<ReadQuery> = fc.record(
  {
    ranges: fc.record({ x: fc.array(range, { minLength: 1, maxLength: 3 }) }),
    order: fc.constantFrom("row-major" as const, "col-major" as const),
    condition: fc.constantFrom("a > 3", "s == 's2'"),
  },
  { requiredKeys: [] },
);
const budget = fc.integer({ min: 1, max: 3000 });

describe("the pieces of a read come to the whole", () => {
  it("in sparse arrays", async () => {
    const write = fc.uniqueArray(point, { selector: ([x, y]) => x * 10 + y, minLength: 1, maxLength: 25 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(write, { minLength: 1, maxLength: 3 }),
        query,
        budget,
        async (writes, one, memoryBudget) => {
          const place = { store: new MemoryStore(), path: "a" };
          await createArray(place, { arrayType: "sparse", dimensions, attributes, capacity: 4 });
          for (const [t, points] of writes.entries()) {
            await writeSparse(
              place,
              {
                x: Int32Array.from(points, ([x]) => x),
                y: BigInt64Array.from(points, ([, y]) => BigInt(y)),
                a: Int32Array.from(points, ([x, y]) => ((x + 20) * y + t) % 9),
                s: points.map(([x]) => `s${(x + 20) % 4}`),
              },
              { timestamp: t + 1 },
            );
          }
          const array = await openArray(place);
          const parts = await collect(array.batches(one, { memoryBudget }));
          expectWhole(parts, await array.read(one));
        },
      ),
      { numRuns: 200 },
    );
  });

  it("in dense arrays", async () => {
    const write = fc.tuple(range, fc.nat(4), fc.integer({ min: 5, max: 9 }));
    await fc.assert(
      fc.asyncProperty(
        fc.array(write, { minLength: 1, maxLength: 3 }),
        query,
        budget,
        async (writes, one, memoryBudget) => {
          const place = { store: new MemoryStore(), path: "a" };
          const y = { name: "y", datatype: "int32", domain: [0, 9], tileExtent: 5 } as const;
          await createArray(place, { arrayType: "dense", dimensions: [dimensions[0], y], attributes });
          for (const [t, [[low, high], left, right]] of writes.entries()) {
            const cells = Array.from(
              { length: (high - low + 1) * (right - left + 1) },
              (_, k) => (k * 5 + t) % 9,
            );
            const box = [
              [low, high],
              [left, right],
            ] as const;
            await writeDense(
              place,
              box,
              { a: Int32Array.from(cells), s: cells.map((k) => `s${k % 4}`) },
              { timestamp: t + 1 },
            );
          }
          const array = await openArray(place);
          const asked = { ...one, dimensions: ["x", "y"] };
          const parts = await collect(array.batches(asked, { memoryBudget }));
          expectWhole(parts, await array.read(asked));
        },
      ),
      { numRuns: 150 },
    );
  });
});

/** Arrays of every kind: types and numbers of dimensions, orders, the Hilbert curve, duplicates. */
describe("the pieces of drawn arrays", () => {
  const properties = [
    ["sparse", sparseCase],
    ["dense", denseCase],
  ] as const;
  it.each(properties)(
    "come to the whole: %s",
    async (_name, drawn) => {
      await fc.assert(
        fc.asyncProperty(
          drawn,
          fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 300, max: 20_000 })),
          checkDrawn,
        ),
        { numRuns: runs(250, 5000), interruptAfterTimeLimit: patience(100_000) },
      );
    },
    patience(120_000),
  );
});

async function checkDrawn({ schema, fragments, queries }: ArrayCase, memoryBudget: number): Promise<void> {
  const place = { store: new MemoryStore(), path: "a" };
  await createArray(place, schema);
  for (const { cells, box, timestamp } of fragments) {
    if (box === undefined) await writeSparse(place, cells, { timestamp });
    else await writeDense(place, box, cells, { timestamp });
  }
  const dimensions = schema.dimensions.map(({ name }) => name);
  for (const consolidated of [false, true]) {
    for (const { ranges, order, timestamp } of queries) {
      const array = await openArray(place, { timestamp });
      const query = { ranges, order, dimensions };
      const parts = await collect(array.batches(query, { memoryBudget }));
      const whole = await array.read(query);
      if (order !== "unordered" || schema.arrayType === "dense") expectWhole(parts, whole);
      else expect(parts.flatMap((part) => rowsOf(part)).sort()).toEqual(rowsOf(whole).sort());
    }
    // Of dense arrays an earlier time is gone then.
    if (schema.arrayType === "sparse" && !consolidated) await consolidate(place);
  }
}

function rowsOf(result: ReadResult): string[] {
  return jsonRows(result).map((row) => JSON.stringify(row));
}

describe("sorted batches stay within the budget", () => {
  const cellBytes = 4 + 8 + 4;
  const cases = ["row-major", "col-major", "hilbert"].flatMap((cellOrder) =>
    (["row-major", "col-major", "global", "unordered"] as const).map((order) => ({ cellOrder, order })),
  );
  it.each(cases)("$cellOrder cells in $order order", async ({ cellOrder, order }) => {
    const place = { store: new MemoryStore(), path: "a" };
    await createArray(place, {
      arrayType: "sparse",
      dimensions,
      attributes: [attributes[0]],
      capacity: 10,
      cellOrder: cellOrder as "hilbert",
    });
    const x = Int32Array.from({ length: 1000 }, (_, k) => Math.floor(k / 10) - 20);
    const y = BigInt64Array.from({ length: 1000 }, (_, k) => BigInt(k % 10));
    for (const t of [1, 2]) await writeSparse(place, { x, y, a: x.map((k) => k * t) }, { timestamp: t });
    const memoryBudget = 4000;
    const array = await openArray(place);
    const parts = await collect(array.batches({ order }, { memoryBudget }));
    const whole = await array.read({ order });
    if (order === "unordered") expect(parts.flatMap(rowsOf).sort()).toEqual(rowsOf(whole).sort());
    else expectWhole(parts, whole);
    expect(whole.cellCount).toBe(1000);
    expect(Math.max(...parts.map((part) => part.cellCount)) * cellBytes).toBeLessThanOrEqual(memoryBudget);
    // Not in crumbs either: a batch is a good part of the budget.
    expect(parts.length).toBeLessThanOrEqual((8 * 1000 * cellBytes) / memoryBudget);
  });

  it("of cells that all lie along one coordinate, in tiles that all overlap", async () => {
    const place = { store: new MemoryStore(), path: "a" };
    const text = { name: "t", datatype: "string_ascii" } as const;
    const f = { name: "f", datatype: "float64", domain: [0, 1], tileExtent: 1 } as const;
    await createArray(place, { arrayType: "sparse", dimensions: [text, f], attributes, capacity: 5 });
    for (const t of [1, 2, 3, 4]) {
      const at = Float64Array.from({ length: 100 }, (_, k) => k / 100 + t / 1000);
      const a = Int32Array.from({ length: 100 }, (_, k) => k * t);
      const same = Array.from({ length: 100 }, () => "same");
      await writeSparse(place, { t: same, f: at, a, s: same }, { timestamp: t });
    }
    const array = await openArray(place);
    const parts = await collect(array.batches({}, { memoryBudget: 3000 }));
    expectWhole(parts, await array.read());
    expect(Math.max(...parts.map((part) => part.cellCount))).toBeLessThanOrEqual(60);
  });

  it("of dense arrays whose rows are larger than the budget, down to a cell", async () => {
    const place = { store: new MemoryStore(), path: "a" };
    const sides = [
      { name: "x", datatype: "int32", domain: [0, 9], tileExtent: 4 },
      { name: "y", datatype: "int32", domain: [0, 99], tileExtent: 30 },
    ] as const;
    await createArray(place, { arrayType: "dense", dimensions: sides, attributes: [attributes[0]] });
    const box = [
      [0, 9],
      [0, 99],
    ] as const;
    await writeDense(place, box, { a: Int32Array.from({ length: 1000 }, (_, k) => k) });
    const array = await openArray(place);
    for (const order of ["row-major", "col-major", "global"] as const) {
      for (const cells of [1, 7, 35, 130, 450]) {
        const parts = await collect(array.batches({ order }, { memoryBudget: cells * 8 }));
        expectWhole(parts, await array.read({ order }));
        expect(Math.max(...parts.map((part) => part.cellCount))).toBeLessThanOrEqual(cells);
        expect(parts.length).toBeLessThanOrEqual(Math.max(1000 / cells) * 4);
      }
    }
  });
});

it("batches are many where the budget is small, and stay within it", async () => {
  const place = { store: new MemoryStore(), path: "a" };
  await createArray(place, { arrayType: "sparse", dimensions, attributes: [attributes[0]], capacity: 10 });
  const x = Int32Array.from({ length: 100 }, (_, k) => k - 20);
  for (const t of [1, 2]) {
    const y = new BigInt64Array(100).fill(BigInt(t));
    await writeSparse(place, { x, y, a: x }, { timestamp: t });
  }
  const array = await openArray(place);
  const parts = await collect(array.batches({}, { memoryBudget: 1000 }));
  expect(parts.length).toBeGreaterThanOrEqual(6);
  expect(Math.max(...parts.map((part) => part.cellCount))).toBeLessThanOrEqual(60);
  expect((await collect(array.batches())).length).toBe(1);
  await expect(collect(array.batches({}, { memoryBudget: 0 }))).rejects.toMatchObject({ code: "ARGUMENT" });
});
