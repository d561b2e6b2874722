import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CombineRule, combinerOf } from "../../src/cellarr/build/combine.js";
import { columnMap, remapBlock } from "../../src/cellarr/build/remap.js";
import type { CsrBlock } from "../../src/h5ad/source.js";

interface Entry {
  row: number;
  column: number;
  value: number;
}

function blockOf(entries: readonly Entry[], rowCount: number, firstRow: number): CsrBlock {
  const byRow = Array.from({ length: rowCount }, (_, row) => entries.filter((entry) => entry.row === row));
  const all = byRow.flat();
  const indptr = new Uint32Array(rowCount + 1);
  for (let row = 0; row < rowCount; row++) indptr[row + 1] = indptr[row]! + byRow[row]!.length;
  return {
    firstRow,
    rowCount,
    indptr,
    indices: Int32Array.from(all, ({ column }) => column),
    values: Float32Array.from(all, ({ value }) => value),
  };
}

/** The slow way: a dense row per cell, as Python combines. */
function expected(
  entries: readonly Entry[],
  rows: number,
  genes: Int32Array,
  geneCount: number,
  rule: CombineRule,
) {
  const combine = typeof rule === "function" ? rule : slow[rule];
  const repeated = new Set(genes.filter((gene) => gene >= 0)).size < genes.filter((gene) => gene >= 0).length;
  const cells: [number, number, number][] = [];
  for (let row = 0; row < rows; row++) {
    for (let gene = 0; gene < geneCount; gene++) {
      const columns = [...genes.keys()].filter((column) => genes[column] === gene);
      const stored = entries.filter((entry) => entry.row === row && columns.includes(entry.column));
      if (stored.length === 0) continue;
      const values = columns.map((column) =>
        stored.filter((entry) => entry.column === column).reduce((sum, { value }) => sum + value, 0),
      );
      const value = columns.length === 1 ? values[0]! : combine(values);
      if (!repeated || value !== 0) cells.push([row, gene, value]);
    }
  }
  return cells;
}

const slow: Record<Extract<CombineRule, string>, (values: readonly number[]) => number> = {
  sum: (values) => values.reduce((a, b) => a + b, 0),
  mean: (values) => values.reduce((a, b) => a + b, 0) / values.length,
  max: (values) => Math.max(...values),
  min: (values) => Math.min(...values),
  first: (values) => values[0]!,
};

const file = fc.integer({ min: 1, max: 6 }).chain((columns) =>
  fc.record({
    genes: fc
      .array(fc.integer({ min: -1, max: 5 }), { minLength: columns, maxLength: columns })
      .map((list) => Int32Array.from(list)),
    entries: fc.array(
      fc.record({
        row: fc.integer({ min: 0, max: 3 }),
        column: fc.integer({ min: 0, max: columns - 1 }),
        value: fc.integer({ min: -2, max: 9 }),
      }),
      { maxLength: 14 },
    ),
  }),
);

describe("remapBlock", () => {
  it.each([
    "sum",
    "mean",
    "max",
    "min",
    "first",
    (values: readonly number[]) => values.at(-1)!,
  ] as CombineRule[])("equals the dense way (%s)", (rule) => {
    fc.assert(
      fc.property(file, ({ genes, entries }) => {
        const block = blockOf(entries, 4, 10);
        const map = columnMap(genes, 6);
        const got = remapBlock(block, map, combinerOf(rule), { cellOffset: 100, dropZeros: false });
        const cells = [...got.cells].map((cell, at) => [cell - 110, got.genes[at], got.values[at]]);
        expect(cells).toEqual(expected(entries, 4, genes, 6, rule));
      }),
    );
  });

  it("keeps stored zeros unless told otherwise", () => {
    const block = blockOf([{ row: 0, column: 0, value: 0 }], 1, 0);
    const map = columnMap(Int32Array.of(3), 4);
    const kept = (dropZeros: boolean) =>
      remapBlock(block, map, combinerOf("sum"), { cellOffset: 0, dropZeros }).cells.length;
    expect([kept(false), kept(true)]).toEqual([1, 0]);
  });

  it("reads 64-bit integers", () => {
    const block: CsrBlock = {
      firstRow: 0,
      rowCount: 1,
      indptr: Uint32Array.of(0, 2),
      indices: Int32Array.of(0, 1),
      values: BigInt64Array.of(7n, -1n),
    };
    const map = columnMap(Int32Array.of(1, 0), 2);
    const got = remapBlock(block, map, combinerOf("sum"), { cellOffset: 0, dropZeros: false });
    expect([[...got.genes], [...got.values]]).toEqual([
      [0, 1],
      [-1, 7],
    ]);
  });
});
