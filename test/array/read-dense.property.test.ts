import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cellScalars } from "../../src/array/column-values.js";
import { openArray } from "../../src/array/open.js";
import { createArray } from "../../src/array/write/create.js";
import { writeDense } from "../../src/array/write/write-dense.js";
import type { SchemaInput } from "../../src/array/write/write-types.js";
import { MemoryStore } from "../../src/storage/memory.js";

/** Dense arrays against a Map of cells; datatypes whose coordinates are numbers or bigints, some below zero. */

interface Write {
  readonly low: readonly number[];
  readonly high: readonly number[];
  readonly seed: number;
}

interface Case {
  readonly schema: SchemaInput;
  readonly big: readonly boolean[];
  /** Low end of the domain, and cells, per dimension. */
  readonly start: readonly number[];
  readonly writes: readonly Write[];
  /** Offsets into the domain, both ends inclusive; null: the dimension is not restricted. */
  readonly ranges: readonly ((readonly [number, number])[] | null)[];
  readonly order: "row-major" | "col-major" | "unordered";
}

const CELLS = 5;

const span = (size: number) =>
  fc.tuple(fc.nat(size - 1), fc.nat(size - 1)).map(([x, y]) => [Math.min(x, y), Math.max(x, y)] as const);

const cases: fc.Arbitrary<Case> = fc.integer({ min: 1, max: 3 }).chain((rank) => {
  const each = <T>(one: fc.Arbitrary<T>) => fc.array(one, { minLength: rank, maxLength: rank });
  return fc
    .record({
      // Dimensions of a dense array have one datatype.
      type: fc.constantFrom("int32" as const, "int64" as const, "uint8" as const, "datetime_ns" as const),
      extents: each(fc.integer({ min: 1, max: CELLS })),
      start: each(fc.integer({ min: 0, max: 3 })),
      cellOrder: fc.constantFrom("row-major" as const, "col-major" as const),
      tileOrder: fc.constantFrom("row-major" as const, "col-major" as const),
      boxes: fc.array(fc.tuple(each(span(CELLS)), fc.nat(99)), { maxLength: 4 }),
      ranges: each(fc.option(fc.array(span(CELLS), { maxLength: 3 }), { nil: null })),
      order: fc.constantFrom("row-major" as const, "col-major" as const, "unordered" as const),
    })
    .map(({ type, extents, start, cellOrder, tileOrder, boxes, ranges, order }) => {
      const big = start.map(() => type === "int64" || type === "datetime_ns");
      const from = start.map((low) => (type === "uint8" ? low : 0 - low));
      const value = (d: number, x: number) => (big[d] ? BigInt(x) : x);
      return {
        schema: {
          arrayType: "dense",
          offsetsFilters: [],
          validityFilters: [],
          cellOrder,
          tileOrder,
          dimensions: extents.map((_, d) => ({
            name: `d${d}`,
            datatype: type,
            domain: [value(d, from[d]!), value(d, from[d]! + CELLS - 1)],
            tileExtent: value(d, extents[d]!),
          })),
          attributes: [
            { name: "a", datatype: "int16" },
            { name: "s", datatype: "string_utf8" },
            { name: "n", datatype: "float32", nullable: true },
            { name: "pair", datatype: "uint8", cellValNum: 2 },
          ],
        },
        big,
        start: from,
        writes: boxes.map(([box, seed]) => ({ low: box.map(([x]) => x), high: box.map(([, y]) => y), seed })),
        ranges,
        order,
      };
    });
});

/** All points of a box, row-major. */
function points(axes: readonly (readonly number[])[]): number[][] {
  return axes.reduce<number[][]>((all, axis) => all.flatMap((point) => axis.map((x) => [...point, x])), [[]]);
}

const upTo = (low: number, high: number) => Array.from({ length: high - low + 1 }, (_, i) => low + i);

interface Content {
  readonly a: number;
  readonly s: string;
  readonly n: number | null;
  readonly pair: readonly number[];
}

const FILL: Content = { a: -32768, s: "\0", n: null, pair: [255, 255] };

function content(seed: number, i: number): Content {
  const x = (seed * 31 + i * 7) % 50;
  return { a: x, s: "é".repeat(x % 4), n: x % 3 === 0 ? null : x / 2, pair: [x, 50 - x] };
}

async function build({ schema, big, start, writes }: Case) {
  const location = { store: new MemoryStore(), path: "array" };
  await createArray(location, schema);
  const cells = new Map<string, Content>();
  for (const [w, { low, high, seed }] of writes.entries()) {
    const value = (d: number, offset: number) => (big[d] ? BigInt(start[d]! + offset) : start[d]! + offset);
    const box = low.map((x, d) => [value(d, x), value(d, high[d]!)] as const);
    const at = points(low.map((x, d) => upTo(x, high[d]!)));
    const contents = at.map((_, i) => content(seed, i));
    at.forEach((point, i) => {
      cells.set(point.join(), contents[i]!);
    });
    const columns = {
      a: contents.map(({ a }) => a),
      s: contents.map(({ s }) => s),
      n: contents.map(({ n }) => n),
      pair: Uint8Array.from(contents.flatMap(({ pair }) => pair)),
    };
    await writeDense(location, box, columns, { timestamp: w + 1 });
  }
  return { location, cells };
}

/** The selected offsets per dimension: the ranges as sets, or the whole non-empty domain. */
function selectedAxes({ writes, ranges }: Case): number[][] {
  return ranges.map((selection, d) => {
    if (selection !== null) {
      return [...new Set(selection.flatMap(([low, high]) => upTo(low, high)))].sort((x, y) => x - y);
    }
    if (writes.length === 0) return [];
    return upTo(
      Math.min(...writes.map(({ low }) => low[d]!)),
      Math.max(...writes.map(({ high }) => high[d]!)),
    );
  });
}

function queryOf({ schema, big, start, ranges, order }: Case) {
  const value = (d: number, offset: number) => (big[d] ? BigInt(start[d]! + offset) : start[d]! + offset);
  const selection = schema.dimensions.flatMap(({ name }, d) => {
    const given = ranges[d];
    if (given === null || given === undefined) return [];
    return [[name, given.map(([low, high]) => [value(d, low), value(d, high)] as const)] as const];
  });
  return {
    ranges: Object.fromEntries(selection),
    order,
    dimensions: schema.dimensions.map(({ name }) => name),
  };
}

describe("reading a dense array", () => {
  it("gives every cell of the ranges: the newest write, or the fill value", async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (one) => {
        const { location, cells } = await build(one);
        const array = await openArray(location);
        const { columns, shape, cellCount } = await array.read(queryOf(one));
        const axes = selectedAxes(one);
        expect(shape).toEqual(axes.map((axis) => axis.length));
        const reversed = one.order === "col-major";
        const at = reversed ? points(axes.toReversed()).map((point) => point.toReversed()) : points(axes);
        expect(cellCount).toBe(at.length);
        const expected = at.map((point) => cells.get(point.join()) ?? FILL);
        expect(cellScalars(columns.a!)).toEqual(expected.map(({ a }) => a));
        expect(cellScalars(columns.s!)).toEqual(expected.map(({ s }) => s));
        expect(cellScalars(columns.n!)).toEqual(expected.map(({ n }) => n));
        expect(cellScalars(columns.pair!)).toEqual(expected.map(({ pair }) => pair));
        for (const [d] of one.big.entries()) {
          const coordinates = at.map((point) => one.start[d]! + point[d]!);
          expect(cellScalars(columns[`d${d}`]!).map(Number)).toEqual(coordinates);
        }
      }),
      { numRuns: 40 },
    );
  });

  it("fetches what it planned, and nothing of tiles that newer fragments hide", async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (one) => {
        const { location } = await build(one);
        const array = await openArray(location);
        const query = queryOf(one);
        const { totals, fragments } = await array.plan(query);
        let fetched = 0;
        await array.read({ ...query, onProgress: ({ bytes }) => (fetched = bytes) });
        expect(fetched).toBe(totals.bytes);
        const last = one.writes.at(-1);
        const whole = last?.low.every((low, d) => low === 0 && last.high[d] === CELLS - 1);
        if (whole && totals.cellsAtMost > 0) expect(fragments.length).toBe(1);
      }),
      { numRuns: 30 },
    );
  });
});
