import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TileDBArray } from "../../src/array/open.js";
import type { ReadQuery } from "../../src/array/query.js";
import { readRowBatches } from "../../src/cli/row-batches.js";

type Range = readonly [number, number];

/** An array of which only the rows of its cells are known; `tileRows` as tiles span that many rows. */
function fakeArray(rows: readonly number[], tileRows = 1): { array: TileDBArray; reads: Range[][] } {
  const reads: Range[][] = [];
  const asked = (query: ReadQuery): Range[] => query.ranges!.row as unknown as Range[];
  const within = (ranges: readonly Range[], row: number): boolean =>
    ranges.some(([a, b]) => a <= row && row <= b);
  const array = {
    schema: { dimensions: [{ name: "row" }] },
    plan: async (query: ReadQuery) => {
      const touched = new Set(
        rows.filter((row) => within(asked(query), row)).map((row) => Math.floor(row / tileRows)),
      );
      const cells = rows.filter((row) => touched.has(Math.floor(row / tileRows))).length;
      return { totals: { cellsAtMost: cells } };
    },
    read: async (query: ReadQuery) => {
      reads.push(asked(query));
      const found = rows.filter((row) => within(asked(query), row));
      return { cellCount: found.length, columns: {}, shape: null, found };
    },
  };
  return { array: array as unknown as TileDBArray, reads };
}

async function cells(array: TileDBArray, ranges: readonly Range[], most: number): Promise<number[]> {
  const all: number[] = [];
  for await (const result of readRowBatches(array, {}, ranges, most)) {
    all.push(...(result as unknown as { found: number[] }).found);
  }
  return all;
}

describe("readRowBatches", () => {
  it("gives every cell once and in order, in batches as small as asked", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: -50, max: 50 }), { maxLength: 60 }),
        fc.integer({ min: 1, max: 20 }),
        async (unsorted, most) => {
          const rows = [...unsorted].sort((a, b) => a - b);
          const { array, reads } = fakeArray(rows);
          const ranges: Range[] = [
            [-50, -10],
            [-3, 50],
          ];
          const expected = rows.filter((row) => row <= -10 || row >= -3);
          expect(await cells(array, ranges, most)).toEqual(expected);
          for (const read of reads) {
            const size = rows.filter((row) => read.some(([a, b]) => a <= row && row <= b)).length;
            const single = read.length === 1 && read[0]![0] === read[0]![1];
            expect(size <= most || single).toBe(true);
          }
        },
      ),
    );
  });

  it("does not split where every half touches all tiles", async () => {
    const rows = Array.from({ length: 100 }, (_, i) => i);
    const { array, reads } = fakeArray(rows, 1000);
    expect(await cells(array, [[0, 99]], 10)).toEqual(rows);
    expect(reads).toHaveLength(1);
  });

  it("finds a few rows in a huge range", async () => {
    const { array, reads } = fakeArray([1, 2, 3]);
    expect(await cells(array, [[0, 4_294_967_294]], 2)).toEqual([1, 2, 3]);
    expect(reads).toHaveLength(2);
  });
});
