import fc from "fast-check";
import { expect, it } from "vitest";
import { intervalsOf, overlapWith } from "../../src/array/read/intervals.js";
import { comparableBounds, touchedTiles } from "../../src/array/read/touched-tiles.js";
import type { Dimension } from "../../src/format/array-schema.js";
import { emptyPipeline } from "../../src/format/filter-pipeline.js";
import type { DimensionBounds, RTree } from "../../src/format/fragment/rtree.js";

const dimension = (datatype: Dimension["datatype"], domain: Dimension["domain"]): Dimension => ({
  name: "d",
  datatype,
  cellValNum: 1,
  filters: emptyPipeline,
  domain,
  tileExtent: null,
});

const dimensions = [
  { one: dimension("uint32", [0, 1000]), make: (list: number[]) => Uint32Array.from(list) },
  { one: dimension("int64", [0n, 1000n]), make: (list: number[]) => BigInt64Array.from(list.map(BigInt)) },
  // Not within what doubles hold: compared as bigint.
  {
    one: dimension("uint64", [0n, 2n ** 63n]),
    make: (list: number[]) => BigUint64Array.from(list.map(BigInt)),
  },
  { one: dimension("float64", [0, 1000]), make: (list: number[]) => Float64Array.from(list) },
];

const ascending = (list: readonly (readonly [number, number])[]) => {
  const ends = list.flat().sort((a, b) => a - b);
  return list.map((_, t) => [ends[2 * t]!, ends[2 * t + 1]!] as const);
};
const pair = fc.tuple(fc.nat(300), fc.nat(300)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);

it("finds the tiles that touch the ranges by searching as by looking at each", () => {
  let searches = 0;
  fc.assert(
    fc.property(
      fc.constantFrom(...dimensions),
      fc.array(fc.tuple(pair, pair), { minLength: 1, maxLength: 60 }),
      fc.boolean(),
      fc.array(pair, { maxLength: 8 }),
      fc.option(fc.array(pair, { maxLength: 3 })),
      ({ one, make }, tiles, sorted, firstRanges, secondRanges) => {
        const first = sorted ? ascending(tiles.map(([a]) => a)) : tiles.map(([a]) => a);
        const second = tiles.map(([, b]) => b);
        const boundsOf = (ends: typeof first): DimensionBounds => ({
          kind: "fixed",
          lo: make(ends.map(([low]) => low)),
          hi: make(ends.map(([, high]) => high)),
        });
        const all = [boundsOf(first), boundsOf(second)];
        const tree = { tileCount: tiles.length, bounds: all } as unknown as RTree;
        const typed = (ranges: typeof firstRanges) => {
          const big = typeof make([0])[0] === "bigint";
          return intervalsOf(one, ranges.map(([a, b]) => (big ? [BigInt(a), BigInt(b)] : [a, b])) as never);
        };
        const tests = [firstRanges, secondRanges].map((ranges, d) => {
          if (ranges === null) return null;
          const intervals = typed(ranges);
          const bounds = comparableBounds(one, all[d]!);
          if (bounds.sorted && firstRanges.length * 4 < tiles.length) searches++;
          return { intervals, bounds, overlap: overlapWith(intervals, one, all[d]!) };
        });
        const touches = (ranges: typeof firstRanges | null, [low, high]: readonly [number, number]) =>
          ranges === null || ranges.some(([from, to]) => from <= high && low <= to);
        const expected = [...tiles.keys()].filter(
          (t) => touches(firstRanges, first[t]!) && touches(secondRanges, second[t]!),
        );
        expect(touchedTiles(tree, tests)).toEqual(expected);
      },
    ),
    { numRuns: 500 },
  );
  expect(searches).toBeGreaterThan(20);
});

it("does not search among ends that are no numbers", () => {
  const one = dimension("float64", [0, 10]);
  const bounds = {
    kind: "fixed",
    lo: Float64Array.of(0, Number.NaN, 2),
    hi: Float64Array.of(1, 3, 4),
  } as const;
  expect(comparableBounds(one, bounds).sorted).toBe(false);
});
