import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GeneSorter } from "../../src/cellarr/by-gene/gene-sorter.js";
import { RunFile } from "../../src/cellarr/by-gene/run-file.js";
import { MemoryStore } from "../../src/storage/memory.js";
import { type TypedArray, viewAs } from "../../src/util/typed-arrays.js";

type Cell = readonly [cell: number, gene: number, bits: number];

const types = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array } as const;

function column(cells: readonly Cell[], width: 1 | 2 | 4 | 8): TypedArray {
  // Bits of a NaN among them: values must come through as they are.
  if (width === 8) return BigUint64Array.from(cells, ([, , bits]) => (0x7ff0n << 48n) + BigInt(bits));
  return new types[width](cells.map(([, , bits]) => bits));
}

function valuesOf(bytes: Uint8Array, width: 1 | 2 | 4 | 8): TypedArray {
  return width === 8 ? viewAs(bytes, BigUint64Array) : viewAs<TypedArray>(bytes, types[width]);
}

/** Row-major cells of a matrix, each once. */
const matrices = fc
  .record({ genes: fc.integer({ min: 1, max: 9 }), rows: fc.integer({ min: 0, max: 12 }) })
  .chain(({ genes, rows }) =>
    fc
      .array(fc.array(fc.boolean(), { minLength: genes, maxLength: genes }), {
        minLength: rows,
        maxLength: rows,
      })
      .map((filled) => ({
        genes,
        cells: filled.flatMap((row, cell) =>
          row.flatMap((there, gene): Cell[] => (there ? [[cell, gene, (cell * 31 + gene * 7) % 251]] : [])),
        ),
      })),
  );

describe("sorting by gene", () => {
  it("gives the same cells gene after gene, in one run or many, whatever the blocks", async () => {
    await fc.assert(
      fc.asyncProperty(
        matrices,
        fc.constantFrom(1 as const, 2 as const, 4 as const, 8 as const),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 30 }),
        async ({ genes, cells }, width, runCells, blockCells, pieceCells) => {
          const store = new MemoryStore();
          const runs = new RunFile({ store, path: "runs" }, width, undefined);
          const sorter = new GeneSorter({ geneCount: genes, valueBytes: width, runs, runCells, blockCells });
          for (let at = 0; at < cells.length; at += pieceCells) {
            const piece = cells.slice(at, at + pieceCells);
            const pick = (index: 0 | 1) => Uint32Array.from(piece, (cell) => cell[index]);
            await sorter.append(pick(0), pick(1), column(piece, width));
          }
          expect(sorter.cellCount).toBe(cells.length);
          const sorted: unknown[] = [];
          for await (const block of sorter.sorted()) {
            expect(block.cells.length).toBeLessThanOrEqual(blockCells);
            const values = valuesOf(block.values, width);
            for (const [at, cell] of block.cells.entries()) sorted.push([cell, block.genes[at], values[at]]);
          }
          const expected = [...cells].sort((a, b) => a[1] - b[1] || a[0] - b[0]);
          const values = column(expected, width);
          expect(sorted).toEqual(expected.map(([cell, gene], at) => [cell, gene, values[at]]));
          // Only what does not fit in memory is written, and nothing of it stays.
          expect((await store.list("")).length).toBe(cells.length >= runCells ? 1 : 0);
          await runs.remove();
          expect(await store.list("")).toEqual([]);
        },
      ),
      { numRuns: 150 },
    );
  });
});
