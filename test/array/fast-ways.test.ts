import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  columnCells,
  concatColumns,
  repeatCell,
  selectCells,
  takeCells,
} from "../../src/array/column-ops.js";
import type { Column } from "../../src/array/columns.js";
import type { FieldFile, StoredField } from "../../src/array/directory/stored-field.js";
import { openArray } from "../../src/array/open.js";
import { asDoubles } from "../../src/array/order/comparable.js";
import { intervalsOf, rangesOf } from "../../src/array/read/intervals.js";
import { newestOfEqual } from "../../src/array/read/merge-fragments.js";
import {
  asSelection,
  compose,
  numericFilter,
  run,
  type Selection,
  searchSorted,
  selectionSize,
} from "../../src/array/read/selection.js";
import { COALESCE_GAP, coalesce } from "../../src/array/read/tile-fetch.js";
import type { Dimension } from "../../src/format/array-schema.js";
import { emptyPipeline } from "../../src/format/filter-pipeline.js";
import { MemoryStore } from "../../src/storage/memory.js";
import { asSet, build, cellsOf, expectedCells, models, selections } from "./model.js";

/** Each shortcut of reading equals the slow way. */

function positions(selection: Selection): number[] {
  if (selection.kind === "list") return Array.from(selection.cells);
  return Array.from({ length: selectionSize(selection) }, (_, i) => selection.from + i);
}

function dimension(datatype: Dimension["datatype"], domain: Dimension["domain"]): Dimension {
  return { name: "d", datatype, cellValNum: 1, filters: emptyPipeline, domain, tileExtent: null };
}

const range = (most: number) =>
  fc.tuple(fc.nat(most), fc.nat(most)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);

describe("selections along a dimension", () => {
  const small = dimension("uint32", [0, 4294967294]);

  it("find the same by binary search, table, search in intervals and comparison", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(60)), fc.array(range(60), { maxLength: 6 }), (values, ranges) => {
        const sorted = Uint32Array.from(values).sort();
        const expected = [...sorted.keys()].filter((i) =>
          ranges.some(([low, high]) => sorted[i]! >= low && sorted[i]! <= high),
        );
        const intervals = intervalsOf(small, ranges);
        if (intervals.kind !== "numeric") throw new Error("numeric expected");
        expect(positions(searchSorted(sorted, intervals))).toEqual(expected);
        // With `integer` a table serves; without it, intervals are searched for each cell.
        expect(positions(numericFilter(intervals, true)(sorted))).toEqual(expected);
        expect(positions(numericFilter(intervals, false)(sorted))).toEqual(expected);
      }),
    );
  });

  it("find the same among bigints and in unsorted cells", () => {
    const wide = dimension("uint64", [0n, 2n ** 64n - 2n]);
    const far = 2n ** 63n;
    fc.assert(
      fc.property(fc.array(fc.nat(60)), fc.array(range(60), { maxLength: 6 }), (values, ranges) => {
        const cells = BigUint64Array.from(values, (value) => far + BigInt(value));
        const wideRanges = ranges.map(([low, high]) => [far + BigInt(low), far + BigInt(high)] as const);
        const intervals = intervalsOf(wide, wideRanges);
        if (intervals.kind !== "numeric") throw new Error("numeric expected");
        const expected = [...values.keys()].filter((i) =>
          ranges.some(([low, high]) => values[i]! >= low && values[i]! <= high),
        );
        expect(positions(numericFilter(intervals, true)(cells))).toEqual(expected);
      }),
    );
  });

  it("join what overlaps or adjoins, and only that", () => {
    expect(rangesOf(intervalsOf(small, [9, [3, 5], 6, [4, 4], 8, 20]), small)).toEqual([
      [3, 6],
      [8, 9],
      [20, 20],
    ]);
    const float = dimension("float64", [0, 10]);
    expect(rangesOf(intervalsOf(float, [2, 1, [2, 3]]), float)).toEqual([
      [1, 1],
      [2, 3],
    ]);
    expect(intervalsOf(small, Uint32Array.of(5, 1, 5, 2))).toEqual(intervalsOf(small, [[1, 2], 5]));
  });

  it.each([
    [[4294967295], "RANGE", /'d': 4294967295 is outside the domain 0 to 4294967294/],
    [[[-1, 5]], "RANGE", /'d': -1 is outside the domain/],
    [[[5, 3]], "ARGUMENT", /range 5 to 3: its low end is above its high end/],
    [[1.5], "ARGUMENT", /1.5 is no whole number/],
    [["a"], "ARGUMENT", /"a" is no coordinate/],
    [[Number.NaN], "ARGUMENT", /no coordinate/],
  ] as const)("refuse %j", (selection, code, message) => {
    try {
      intervalsOf(small, selection);
    } catch (error) {
      expect(error).toMatchObject({ code });
      expect(String(error)).toMatch(message);
      return;
    }
    throw new Error("it was taken");
  });

  it("compose as taking twice does", () => {
    const subset = (size: number) => fc.uniqueArray(fc.nat(Math.max(0, size - 1)), { maxLength: size });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 30 }).chain((n) => fc.tuple(fc.constant(n), subset(n), subset(n))),
        ([n, a, b]) => {
          const outer = asSelection(Uint32Array.from(a).sort());
          const inner = asSelection(Uint32Array.from(b.filter((i) => i < a.length)).sort());
          const cells = Array.from({ length: n }, (_, i) => i);
          const once = positions(outer).map((i) => cells[i]!);
          expect(positions(compose(outer, inner))).toEqual(positions(inner).map((i) => once[i]!));
        },
      ),
    );
  });
});

describe("columns", () => {
  const column: fc.Arbitrary<Column> = fc
    .array(fc.tuple(fc.string(), fc.boolean()), { minLength: 1 })
    .map((cells) => {
      const encoder = new TextEncoder();
      const parts = cells.map(([text]) => encoder.encode(text));
      const offsets = new Uint32Array(cells.length + 1);
      parts.forEach((part, i) => {
        offsets[i + 1] = offsets[i]! + part.byteLength;
      });
      const data = Uint8Array.from(parts.flatMap((part) => [...part]));
      return {
        kind: "var",
        datatype: "string_utf8",
        offsets,
        data,
        validity: Uint8Array.from(cells, ([, ok]) => (ok ? 1 : 0)),
      };
    });

  it("taken in pieces and put together are the same", () => {
    fc.assert(
      fc.property(column, fc.nat(), (whole, cut) => {
        const count = columnCells(whole);
        const at = cut % (count + 1);
        const parts = [selectCells(whole, run(0, at)), selectCells(whole, run(at, count))];
        expect(concatColumns(parts)).toEqual(whole);
        const all = Uint32Array.from({ length: count }, (_, i) => i);
        expect(takeCells(whole, all)).toEqual(whole);
        const list = { kind: "list" as const, cells: all.subarray(0, at) };
        expect(selectCells(whole, list)).toEqual(parts[0]);
      }),
    );
  });

  it("of one repeated cell hold it as often as said", () => {
    for (const count of [0, 1, 2, 3, 7, 64]) {
      const { values } = repeatCell("uint16", 3, new Uint8Array([1, 0, 2, 0, 3, 0]), count);
      expect(values).toEqual(Uint16Array.from({ length: count * 3 }, (_, i) => (i % 3) + 1));
    }
  });

  it("of 64-bit integers become the doubles that Number gives", () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt({ min: -(2n ** 53n), max: 2n ** 53n })), (values) => {
        expect(Array.from(asDoubles(BigInt64Array.from(values)))).toEqual(values.map(Number));
        const positive = values.map((value) => (value < 0n ? -value : value));
        expect(Array.from(asDoubles(BigUint64Array.from(positive)))).toEqual(positive.map(Number));
      }),
    );
  });
});

it("of cells with equal keys the last in order is kept", () => {
  const keys = [Uint32Array.of(1, 2, 1, 3, 2), Uint32Array.of(0, 0, 0, 0, 1)];
  expect(Array.from(newestOfEqual(keys, Uint32Array.of(0, 2, 1, 4, 3)))).toEqual([0, 1, 1, 1, 1]);
  expect(Array.from(newestOfEqual([Uint32Array.of(1, 1, 1, 2)], null))).toEqual([0, 0, 1, 1]);
});

describe("requests for tiles", () => {
  /** A field whose tiles lie at those offsets of a file. */
  const fieldWith = (offsets: readonly number[], size: number) => {
    const file: FieldFile = { file: "a0.tdb", offsets: Float64Array.from(offsets), size };
    const rangeOf = (_: FieldFile, t: number) => ({ start: offsets[t]!, end: offsets[t + 1] ?? size });
    return { file, field: { range: rangeOf } as Pick<StoredField, "range"> };
  };

  it("join neighbours up to the gap", () => {
    const { file, field } = fieldWith([0, 10, 20, 500, 510], 600);
    const ranges = (tiles: number[], gap: number) =>
      coalesce(field, file, tiles, gap).map(({ range: { start, end }, first, last }) => [
        start,
        end,
        first,
        last,
      ]);
    expect(ranges([0, 1, 2, 3, 4], 0)).toEqual([[0, 600, 0, 5]]);
    expect(ranges([0, 2, 4], 9)).toEqual([
      [0, 10, 0, 1],
      [20, 500, 1, 2],
      [510, 600, 2, 3],
    ]);
    expect(ranges([0, 2, 4], 10)).toEqual([[0, 600, 0, 3]]);
    expect(ranges([], 10)).toEqual([]);
    expect(COALESCE_GAP).toBeGreaterThan(0);
  });

  it("cover every tile asked for, whatever the gap", () => {
    const sizes = fc.array(fc.nat(50), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(
        sizes,
        fc.array(fc.boolean(), { minLength: 30, maxLength: 30 }),
        fc.nat(60),
        (all, picked, gap) => {
          const offsets: number[] = [];
          let size = 0;
          for (const one of all) {
            offsets.push(size);
            size += one;
          }
          const { file, field } = fieldWith(offsets, size);
          const tiles = [...all.keys()].filter((t) => picked[t]);
          const fetches = coalesce(field, file, tiles, gap);
          expect(fetches.flatMap(({ first, last }) => tiles.slice(first, last))).toEqual(tiles);
          for (const { range: bytes, first, last } of fetches) {
            for (const t of tiles.slice(first, last)) {
              expect(offsets[t]).toBeGreaterThanOrEqual(bytes.start);
              expect(offsets[t]! + all[t]!).toBeLessThanOrEqual(bytes.end);
            }
          }
          for (const [i, { range: bytes }] of fetches.entries()) {
            if (i > 0) expect(bytes.start - fetches[i - 1]!.range.end).toBeGreaterThan(gap);
          }
        },
      ),
    );
  });
});

describe("pruning", () => {
  it("by fragment and R-tree loses no cell, and covered tiles hold only cells of the ranges", async () => {
    const cases = models.chain((model) =>
      fc.record({ model: fc.constant(model), ranges: selections(model) }),
    );
    await fc.assert(
      fc.asyncProperty(cases, async ({ model, ranges }) => {
        const store = new MemoryStore();
        await build(model, store);
        const array = await openArray({ store, path: "array" });
        const { fragments } = await array.plan({ ranges });
        for (const [w, write] of model.writes.entries()) {
          const single = { schema: { ...model.schema, allowsDuplicates: true }, writes: [write] };
          const inside = expectedCells(single, ranges, "row-major").length;
          const { uri } = array.fragments[w]!;
          const planned = fragments.find((one) => one.uri === uri);
          if (inside > 0) expect(planned).toBeDefined();
          const { capacity = 10000 } = model.schema;
          const tileCells = (t: number) => Math.min(capacity, write.length - t * capacity);
          const covered = planned?.covered.reduce((sum, t) => sum + tileCells(t), 0) ?? 0;
          const partial = planned?.partial.reduce((sum, t) => sum + tileCells(t), 0) ?? 0;
          expect(covered).toBeLessThanOrEqual(inside);
          expect(covered + partial).toBeGreaterThanOrEqual(inside);
        }
        const all = cellsOf(await array.read(), model.schema.dimensions.length);
        expect(asSet(all)).toEqual(asSet(expectedCells(model, {}, "row-major")));
      }),
      { numRuns: 40 },
    );
  });
});
