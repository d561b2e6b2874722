import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dimensionFields } from "../../src/array/fields.js";
import { firstDuplicate, firstUnsorted, sortOrder } from "../../src/array/order/sort-cells.js";
import { firstUnordered, orderKeys, sortKeys } from "../../src/array/order/sort-keys.js";
import { columnOfList } from "../../src/array/write/list-input.js";
import { defineSchema } from "../../src/array/write/schema-input.js";
import type { DimensionInput } from "../../src/array/write/write-types.js";
import type { ArraySchema } from "../../src/format/array-schema.js";

/** The slow way: cells as lists of values, compared tile by tile and then cell by cell. */
function compareSlowly(schema: ArraySchema, a: readonly Value[], b: readonly Value[]): number {
  const order = schema.dimensions.map((_, d) => d);
  for (const d of schema.tileOrder === "col-major" ? order.toReversed() : order) {
    const [tileA, tileB] = [tileOf(schema, d, a[d]!), tileOf(schema, d, b[d]!)];
    if (tileA !== tileB) return tileA < tileB ? -1 : 1;
  }
  for (const d of schema.cellOrder === "col-major" ? order.toReversed() : order) {
    if (a[d] !== b[d]) return a[d]! < b[d]! ? -1 : 1;
  }
  return 0;
}

type Value = number | bigint | string;

function tileOf(schema: ArraySchema, d: number, value: Value): bigint | number {
  const { domain, tileExtent } = schema.dimensions[d]!;
  if (domain === null || tileExtent === null || typeof value === "string") return 0;
  if (typeof value === "bigint") return (value - BigInt(domain[0])) / BigInt(tileExtent);
  // The official library computes tiles of float32 coordinates in float32.
  const round = schema.dimensions[d]!.datatype === "float32" ? Math.fround : Number;
  return Math.floor(round(round(value - Number(domain[0])) / Number(tileExtent)));
}

interface Kind {
  readonly dimension: Omit<DimensionInput, "name">;
  readonly value: fc.Arbitrary<Value>;
}

const kinds: Kind[] = [
  {
    dimension: { datatype: "uint32", domain: [0, 2 ** 32 - 2] },
    value: fc.integer({ min: 0, max: 2 ** 32 - 2 }),
  },
  {
    dimension: { datatype: "uint8", domain: [0, 99], tileExtent: 7 },
    value: fc.integer({ min: 0, max: 99 }),
  },
  {
    dimension: { datatype: "int16", domain: [-300, 300], tileExtent: 50 },
    value: fc.integer({ min: -300, max: 300 }),
  },
  { dimension: { datatype: "int32", domain: [-5, 5] }, value: fc.integer({ min: -5, max: 5 }) },
  {
    dimension: { datatype: "int64", domain: [-(2n ** 60n), 2n ** 60n], tileExtent: 2n ** 58n },
    value: fc.bigInt({ min: -(2n ** 60n), max: 2n ** 60n }),
  },
  {
    dimension: { datatype: "uint64", domain: [0, 2n ** 64n - 2n] },
    value: fc.bigInt({ min: 0n, max: 2n ** 64n - 2n }),
  },
  {
    dimension: { datatype: "float64", domain: [-10, 10], tileExtent: 3 },
    value: fc.double({ min: -10, max: 10, noNaN: true }),
  },
  { dimension: { datatype: "float32", domain: [-4, 4] }, value: fc.float({ min: -4, max: 4, noNaN: true }) },
  {
    dimension: { datatype: "string_ascii" },
    value: fc.string({ maxLength: 3, unit: fc.constantFrom("a", "b", "~") }),
  },
];

const orders = fc.constantFrom("row-major" as const, "col-major" as const);

const drawn = fc
  .record({
    dims: fc.array(fc.constantFrom(...kinds), { minLength: 1, maxLength: 3 }),
    cellOrder: orders,
    tileOrder: orders,
  })
  .chain(({ dims, cellOrder, tileOrder }) =>
    fc.record({
      schema: fc.constant(
        defineSchema({
          arrayType: "sparse",
          cellOrder,
          tileOrder,
          dimensions: dims.map((kind, d) => ({ ...kind.dimension, name: `d${d}` })),
          attributes: [],
        }),
      ),
      // Few distinct values as well, so that equal coordinates and long runs come up.
      cells: fc.array(fc.tuple(...dims.map((kind) => kind.value)), { maxLength: 40 }),
      repeats: fc.array(fc.nat(), { maxLength: 10 }),
    }),
  );

function columnsOf(schema: ArraySchema, cells: readonly (readonly Value[])[]) {
  return dimensionFields(schema).map((field, d) =>
    columnOfList(
      field,
      cells.map((cell) => cell[d]!),
      "test",
    ),
  );
}

describe("sorting cells", () => {
  test("keys order cells as tiles and coordinates do, whatever the datatypes and orders", () => {
    fc.assert(
      fc.property(drawn, ({ schema, cells: some, repeats }) => {
        const cells = [...some, ...repeats.flatMap((i) => (some.length > 0 ? [some[i % some.length]!] : []))];
        const keys = sortKeys(schema, columnsOf(schema, cells));
        const order = sortOrder(keys) ?? Uint32Array.from(cells, (_, i) => i);
        const slowly = cells
          .map((_, i) => i)
          .sort((a, b) => compareSlowly(schema, cells[a]!, cells[b]!) || a - b);
        expect([...order]).toEqual(slowly);
        const sorted = slowly.map((i) => cells[i]!);
        const unequal = sorted.every(
          (cell, i) => i === 0 || compareSlowly(schema, sorted[i - 1]!, cell) !== 0,
        );
        expect(firstDuplicate(keys, order) < 0).toBe(unequal);
        const neighbours = orderKeys(schema, columnsOf(schema, sorted));
        expect(firstUnordered(neighbours, sorted.length, true)).toBe(-1);
        expect(firstUnordered(neighbours, sorted.length, false) < 0).toBe(unequal);
      }),
      { numRuns: 300 },
    );
  });

  test("the radix sort of many cells is the comparison sort", () => {
    const cells = 5000;
    const random = (n: number) =>
      Uint32Array.from({ length: cells }, (_, i) => (i * 2_654_435_761 + i * i) % n);
    const keys = [random(7), random(2 ** 32), random(3)];
    const order = sortOrder(keys)!;
    const slowly = Array.from({ length: cells }, (_, i) => i).sort(
      (a, b) =>
        keys[0]![a]! - keys[0]![b]! || keys[1]![a]! - keys[1]![b]! || keys[2]![a]! - keys[2]![b]! || a - b,
    );
    expect([...order]).toEqual(slowly);
    expect(firstUnsorted(keys.map((words) => words.map((_, i) => words[order[i]!]!)))).toBe(-1);
  });
});
