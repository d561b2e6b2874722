import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import "../../src/node-platform.js";
import { columnCells, selectCells } from "../../src/array/column-ops.js";
import { cellScalars } from "../../src/array/column-values.js";
import type { Column } from "../../src/array/columns.js";
import { prepareCondition } from "../../src/array/condition/condition-eval.js";
import type { ComparisonOperator, QueryCondition } from "../../src/array/condition/query-condition.js";
import { openArray, type TileDBArray } from "../../src/array/open.js";
import type { ReadResult } from "../../src/array/query.js";
import { maskSelection } from "../../src/array/read/selection.js";
import { createArray } from "../../src/array/write/create.js";
import { writeDense } from "../../src/array/write/write-dense.js";
import { writeSparse } from "../../src/array/write/write-sparse.js";
import type { AttributeInput } from "../../src/array/write/write-types.js";
import { MemoryStore } from "../../src/storage/memory.js";
import { withCounting } from "../support/stores.js";

/** Reads with conditions: the same as reading all and then choosing, but for the tiles that need not be read. */

const attributes: readonly AttributeInput[] = [
  { name: "i", datatype: "int32" },
  { name: "big", datatype: "int64", nullable: true },
  { name: "f", datatype: "float64" },
  { name: "s", datatype: "string_ascii", cellValNum: "var" },
  { name: "u", datatype: "string_utf8", cellValNum: "var", nullable: true },
  { name: "p", datatype: "string_ascii", cellValNum: "var", nullable: true },
];

const texts = ["", "a", "a\0b", "ab", "b", "zz"];
const floats = [Number.NaN, -1.5, 0, 2, Number.POSITIVE_INFINITY, Number.MAX_VALUE];
const numbers = fc.integer({ min: -3, max: 12 });

interface Cell {
  readonly at: number;
  readonly i: number;
  readonly big: bigint | null;
  readonly f: number;
  readonly s: string;
  readonly u: string | null;
  readonly p: string | null;
}

const cell: fc.Arbitrary<Cell> = fc.record({
  at: fc.nat(39),
  i: numbers,
  big: fc.option(fc.bigInt({ min: 2n ** 60n, max: 2n ** 60n + 5n })),
  f: fc.constantFrom(...floats),
  s: fc.constantFrom(...texts),
  u: fc.option(fc.constantFrom(...texts)),
  p: fc.option(fc.constantFrom(...texts)),
});
const operator = fc.constantFrom<ComparisonOperator>("==", "!=", "<", "<=", ">", ">=");
const fields = {
  i: numbers,
  big: fc.bigInt({ min: 2n ** 60n - 1n, max: 2n ** 60n + 6n }),
  f: fc.constantFrom(...floats.slice(1)),
  s: fc.constantFrom(...texts),
  u: fc.constantFrom(...texts),
  p: fc.constantFrom(...texts),
  d: fc.nat(45),
};
const leaf: fc.Arbitrary<QueryCondition> = fc
  .constantFrom(...(Object.keys(fields) as (keyof typeof fields)[]))
  .chain((field) => {
    const value: fc.Arbitrary<number | bigint | string> = fields[field];
    return fc.oneof(
      fc.record({ kind: fc.constant("compare" as const), field: fc.constant(field), op: operator, value }),
      fc.record({
        kind: fc.constant("in" as const),
        field: fc.constant(field),
        values: fc.array(value, { maxLength: 3 }),
        negated: fc.boolean(),
      }),
      fc.record({ kind: fc.constant("null" as const), field: fc.constant(field), negated: fc.boolean() }),
    );
  });
const condition: fc.Arbitrary<QueryCondition> = fc.oneof(
  { weight: 3, arbitrary: leaf },
  fc.record({
    kind: fc.constantFrom("and" as const, "or" as const),
    operands: fc.array(leaf, { minLength: 1, maxLength: 3 }),
  }),
  leaf.map((operand) => ({ kind: "not" as const, operand })),
);

/** All cells that are read without the condition, and which of them it holds for. */
async function maskOf(array: TileDBArray, one: QueryCondition, whole: ReadResult): Promise<Uint8Array> {
  const opened = { uri: "", schema: array.schema, fragments: [], deletes: [], window: { start: 0, end: 0 } };
  const enumeration = (name: string) => array.enumeration(name);
  const holds = await prepareCondition(one, { ...opened, enumeration });
  return holds(new Map(Object.entries(whole.columns)), whole.cellCount);
}

const columnsOf = (cells: readonly Cell[]) => ({
  i: Int32Array.from(cells, (one) => one.i),
  big: cells.map((one) => one.big),
  f: Float64Array.from(cells, (one) => one.f),
  s: cells.map((one) => one.s),
  u: cells.map((one) => one.u),
  p: cells.map((one) => one.p),
});

describe("pruned equals unpruned", () => {
  it("in sparse arrays, with and without duplicates", async () => {
    const fragment = fc.uniqueArray(cell, { selector: (one) => one.at, minLength: 1, maxLength: 20 });
    const fragments = fc.array(fragment, { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(fragments, condition, fc.boolean(), async (writes, one, allowsDuplicates) => {
        const place = { store: new MemoryStore(), path: "a" };
        const dimensions = [{ name: "d", datatype: "int32", domain: [0, 99], tileExtent: 10 }] as const;
        await createArray(place, {
          arrayType: "sparse",
          dimensions,
          attributes,
          capacity: 3,
          allowsDuplicates,
        });
        for (const [t, cells] of writes.entries()) {
          const d = Int32Array.from(cells, ({ at }) => at);
          await writeSparse(place, { d, ...columnsOf(cells) }, { timestamp: t + 1 });
        }
        const array = await openArray(place);
        const whole = await array.read();
        const mask = await maskOf(array, one, whole);
        const found = await array.read({ condition: one });
        for (const [name, column] of Object.entries(whole.columns)) {
          const expected = selectCells(column, maskSelection(mask));
          expect(cellScalars(found.columns[name]!)).toEqual(
            columnCells(expected) === 0 ? [] : cellScalars(expected),
          );
        }
      }),
      { numRuns: 300 },
    );
  });

  it("in dense arrays, where other cells get the fill", async () => {
    const box = fc.tuple(fc.nat(19), fc.nat(19)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
    const write = box.chain(([low, high]) =>
      fc.record({
        low: fc.constant(low),
        cells: fc.array(cell, { minLength: high - low + 1, maxLength: high - low + 1 }),
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(write, { minLength: 1, maxLength: 3 }), condition, async (writes, one) => {
        const place = { store: new MemoryStore(), path: "a" };
        const dimensions = [{ name: "d", datatype: "int32", domain: [0, 19], tileExtent: 4 }] as const;
        await createArray(place, { arrayType: "dense", dimensions, attributes });
        for (const [t, { low, cells }] of writes.entries()) {
          const high = low + cells.length - 1;
          await writeDense(place, [[low, high]], columnsOf(cells), { timestamp: t + 1 });
        }
        const array = await openArray(place);
        const ranges = { d: [[0, 19]] as const };
        const whole = await array.read({ ranges, dimensions: ["d"] });
        const mask = await maskOf(array, one, whole);
        const found = await array.read({ ranges, condition: one, attributes: ["i"] });
        const expected = (cellScalars(whole.columns.i!) as number[]).map((value, k) =>
          mask[k] === 1 ? value : -(2 ** 31),
        );
        expect(cellScalars(found.columns.i!)).toEqual(expected);
      }),
      { numRuns: 200 },
    );
  });
});

const root = fileURLToPath(new URL("../../spec-fixtures", import.meta.url));
const fixtures = readdirSync(root)
  .filter((name) => /^v(11|15|18|2\d)$/.test(name))
  .flatMap((version) => readdirSync(join(root, version)).map((name) => join(version, name)))
  .filter((name) => existsSync(join(root, name, "cells.json")));

/** Conditions about the values that a field of a fixture has, and about nulls. */
function conditionsOn(field: string, column: Column): QueryCondition[] {
  const all =
    column.kind === "fixed" && column.cellValNum !== 1 && typeof cellScalars(column)[0] !== "string";
  const values = all
    ? []
    : cellScalars(column).filter((value) => value !== null && !(value instanceof Uint8Array));
  const some = [values[Math.floor(values.length / 2)]];
  const ops = ["==", "<", ">=", "!="] as const;
  return some.flatMap((value): QueryCondition[] => {
    if (value === undefined || value === null || typeof value === "object") return [];
    return [
      ...ops.map((op) => ({ kind: "compare" as const, field, op, value })),
      { kind: "in", field, values: [value], negated: false },
      { kind: "null", field, negated: false },
      { kind: "null", field, negated: true },
    ];
  });
}

describe("pruned equals unpruned in arrays of the official library", () => {
  let checked = 0;

  it.each(fixtures)("%s", async (name) => {
    const options = name.includes("encrypted.") ? { encryptionKey: "0123456789abcdef0123456789abcdef" } : {};
    const array = await openArray(join(root, name, "array"), options);
    const whole = await array.read({ dimensions: array.schema.dimensions.map((one) => one.name) });
    for (const { name: field, enumeration } of array.schema.attributes) {
      if (enumeration !== null) continue;
      for (const one of conditionsOn(field, whole.columns[field]!)) {
        const mask = await maskOf(array, one, whole).catch(() => null);
        // Not every type compares; and cells of before an attribute was added satisfy nothing.
        if (mask === null || name.includes("evolved")) continue;
        const found = (await array.read({ condition: one, attributes: [field] })).columns[field]!;
        const expected = cellScalars(selectCells(whole.columns[field]!, maskSelection(mask)));
        const given = array.schema.arrayType === "dense" ? selectCells(found, maskSelection(mask)) : found;
        expect(JSON.stringify(cellScalars(given), plain)).toBe(JSON.stringify(expected, plain));
        checked++;
      }
    }
  });

  it("were compared", () => expect(checked).toBeGreaterThan(1000));
});

const plain = (_: string, value: unknown) =>
  typeof value === "bigint" || typeof value === "number" ? String(value) : value;

describe("what is fetched", () => {
  async function sorted(duplicates = false) {
    const store = withCounting(new MemoryStore());
    const place = { store, path: "a" };
    await createArray(place, {
      arrayType: "sparse",
      dimensions: [{ name: "d", datatype: "uint32", domain: [0, 9999], tileExtent: null }],
      attributes: [
        { name: "v", datatype: "int32" },
        { name: "n", datatype: "uint8", nullable: true },
        { name: "s", datatype: "string_ascii", cellValNum: "var" },
      ],
      capacity: 10,
      allowsDuplicates: duplicates,
    });
    for (const t of [0, 1]) {
      const d = Uint32Array.from({ length: 100 }, (_, i) => t * 100 + i);
      await writeSparse(
        place,
        {
          d,
          v: Int32Array.from(d, (x) => x * 2),
          n: Array.from(d, (x) => (Math.floor(x / 10) === 3 ? null : x % 7)),
          s: Array.from(d, (x) => `text ${String(x).padStart(4, "0")}`),
        },
        { timestamp: t + 1 },
      );
    }
    return { store, array: await openArray(place) };
  }

  it.each([
    ["v == 46", [[2]]],
    ["v > 30 and v < 44", [[1, 2]]],
    ["v >= 198", [[9], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]]],
    ["v in [0, 47, 399]", [[0, 2]]],
    ["v < 0", []],
    ["n is None", [[3]]],
    ["n == None or s == 'text 0155'", [[3], [5]]],
    ["s >= 'text 0195'", [[9]]],
    ["d > 57 and d < 61", [[5, 6]]],
    ["not (v >= 20)", [[0]]],
    ["n > 6", []],
  ])("%s", async (text, tiles) => {
    const { array, store } = await sorted();
    const plan = await array.plan({ condition: text });
    expect(plan.fragments.map((one) => [...one.covered, ...one.partial].sort((a, b) => a - b))).toEqual(
      tiles,
    );
    store.resetCounts();
    await array.read({ condition: text });
    if (tiles.length === 0) expect(store.counts.fetches).toEqual([]);
    const files = plan.fragments.flatMap((one) => one.fields.flatMap((field) => field.fetches));
    const most = files.reduce((sum, { range }) => sum + range.end - range.start, 0);
    expect(store.counts.bytesRead).toBeLessThanOrEqual(most);
  });

  it("of dense tiles those that may hold it", async () => {
    const place = { store: new MemoryStore(), path: "a" };
    await createArray(place, {
      arrayType: "dense",
      dimensions: [{ name: "d", datatype: "uint32", domain: [0, 99], tileExtent: 10 }],
      attributes: [{ name: "v", datatype: "int32" }],
    });
    await writeDense(place, [[0, 99]], { v: Int32Array.from({ length: 100 }, (_, i) => i) });
    const array = await openArray(place);
    const plan = await array.plan({ condition: "v > 37 and v < 45" });
    expect(plan.fragments.map((one) => one.covered)).toEqual([[3, 4]]);
    const { columns } = await array.read({ condition: "v > 37 and v < 45" });
    const kept = (cellScalars(columns.v!) as number[]).filter((value) => value !== -(2 ** 31));
    expect(kept).toEqual([38, 39, 40, 41, 42, 43, 44]);
  });

  it("a newer tile is read where it may hide older cells", async () => {
    const place = { store: new MemoryStore(), path: "a" };
    await createArray(place, {
      arrayType: "sparse",
      dimensions: [{ name: "d", datatype: "uint32", domain: [0, 9999], tileExtent: null }],
      attributes: [{ name: "v", datatype: "int32" }],
      capacity: 10,
    });
    const d = Uint32Array.from({ length: 10 }, (_, i) => i);
    await writeSparse(place, { d, v: new Int32Array(10).fill(1) }, { timestamp: 1 });
    await writeSparse(place, { d: d.subarray(0, 5), v: new Int32Array(5).fill(2) }, { timestamp: 2 });
    const { columns } = await (await openArray(place)).read({ condition: "v == 1" });
    expect(cellScalars(columns.d!)).toEqual([5, 6, 7, 8, 9]);
  });

  /** Two fragments of so many tiles that their metadata are not read whole when the array opens. */
  const written = new Map<string, ReturnType<typeof writeLarge>>();

  async function large(arrayType: "sparse" | "dense", overlapping: boolean) {
    const name = `${arrayType} ${overlapping}`;
    written.set(name, written.get(name) ?? writeLarge(arrayType, overlapping));
    const place = await written.get(name)!;
    const array = await openArray(place);
    place.store.resetCounts();
    return { store: place.store, array };
  }

  async function writeLarge(arrayType: "sparse" | "dense", overlapping: boolean) {
    const place = { store: withCounting(new MemoryStore()), path: "a" };
    const cells = 12_000;
    const extent = arrayType === "dense" ? 1 : null;
    await createArray(place, {
      arrayType,
      dimensions: [{ name: "d", datatype: "uint32", domain: [0, 99_999], tileExtent: extent }],
      attributes: [
        { name: "v", datatype: "int32" },
        { name: "n", datatype: "int64", nullable: true },
        ...(arrayType === "sparse"
          ? [{ name: "s", datatype: "string_ascii", cellValNum: "var" } as const]
          : []),
      ],
      ...(arrayType === "sparse" ? { capacity: 1 } : {}),
    });
    for (const f of [0, 1]) {
      const first = overlapping ? 0 : f * cells;
      const d = Uint32Array.from({ length: cells }, (_, i) => first + i);
      // Values without a pattern, as their mins and maxes go through gzip.
      const noise = Float64Array.from(d, (x) => (((x + 1) * 2654435761) % 1_000_003) + f * 2_000_000);
      const columns = {
        v: Int32Array.from(noise),
        n: Array.from(noise, (x) => (f === 0 ? BigInt(x) : null)),
      };
      if (arrayType === "dense") {
        await writeDense(place, [[first, first + cells - 1]], columns, { timestamp: f + 1 });
      } else {
        const s = Array.from(noise, (x) => `t ${String(x).padStart(8, "0")}`);
        await writeSparse(place, { d, s, ...columns }, { timestamp: f + 1 });
      }
    }
    return place;
  }

  const fragmentsOf = (keys: readonly { key: string }[], array: TileDBArray) =>
    array.fragments.map(({ name }) => keys.filter(({ key }) => key.includes(`${name}/`)).length > 0);

  it.each([
    ["v > 2500000", [false, true]],
    ["v < 500000", [true, false]],
    ["v == 1500000", [false, false]],
    ["v in [1500000, -4]", [false, false]],
    ["n < 300000", [true, false]],
    ["n == None", [false, true]],
    ["s >= 't 02'", [false, true]],
    ["s == 'u'", [false, false]],
    ["d < 5000", [true, false]],
    ["v > 2500000 and n > 0", [false, false]],
  ])("of fragments those that may hold %s, no tile's metadata of others", async (text, expected) => {
    const { store, array } = await large("sparse", false);
    const { cellCount } = await array.read({ condition: text });
    expect(fragmentsOf(store.counts.fetches, array)).toEqual(expected);
    if (!expected.includes(true)) expect([cellCount, store.counts.bytesRead]).toEqual([0, 0]);
    else expect(cellCount).toBeGreaterThan(0);
  });

  it.each([
    ["v > 2500000", [false, true]],
    ["v < 500000", [true, false]],
    ["v == 1500000", [false, false]],
    ["n != None", [true, false]],
  ])("of dense fragments those that may hold %s", async (text, expected) => {
    const { store, array } = await large("dense", false);
    await array.read({ condition: text, attributes: ["v"] });
    expect(fragmentsOf(store.counts.fetches, array).slice(0, 2)).toEqual(
      // Whether all of a dense fragment's cells are null is not known from counts alone.
      text.startsWith("n") ? [true, true] : expected,
    );
  });

  it("a newer fragment is read where it may hide older cells", async () => {
    const { store, array } = await large("sparse", true);
    const { cellCount } = await array.read({ condition: "v < 500000" });
    expect(cellCount).toBe(0);
    expect(fragmentsOf(store.counts.fetches, array)).toEqual([true, true]);
    const old = await array.read({ condition: "v > 2500000" });
    expect(old.cellCount).toBeGreaterThan(0);
  });
});
