import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CellCache, type CellRows } from "../../src/ml/loader/cell-cache.js";
import { DataModule } from "../../src/ml.js";
import { collect, columns, drawLabels, storeOf } from "./stores.js";

/** Cells that are kept for further epochs. */

/** Cell n has n % 5 values, n * 10 and so on. */
function rowsOf(cells: Uint32Array): CellRows {
  const indptr = [0];
  const indices: number[] = [];
  const data: number[] = [];
  for (const cell of cells) {
    for (let at = 0; at < cell % 5; at++) {
      indices.push(at * 3);
      data.push(cell * 10 + at);
    }
    indptr.push(data.length);
  }
  return {
    indptr: Uint32Array.from(indptr),
    indices: Int32Array.from(indices),
    data: Uint16Array.from(data),
  };
}

describe("the cache", () => {
  it("gives what reading gives, whatever is kept, and stays below its limit", async () => {
    const total = 1000;
    const cells = fc
      .uniqueArray(fc.integer({ min: 0, max: total - 1 }), { minLength: 1, maxLength: 60 })
      .map((some) => Uint32Array.from(some).sort());
    await fc.assert(
      fc.asyncProperty(
        fc.array(cells, { maxLength: 8 }),
        fc.integer({ min: 1, max: 20_000 }),
        async (wanted, limit) => {
          const cache = new CellCache(limit, total, 2);
          for (const some of wanted) {
            expect(await cache.fetch(some, async (those) => rowsOf(those))).toEqual(rowsOf(some));
            expect(cache.bytes).toBeLessThanOrEqual(limit);
          }
        },
      ),
    );
  });

  it("reads nothing twice where there is room, and not more than is asked where there is none", async () => {
    const read: number[] = [];
    const reader = async (cells: Uint32Array) => {
      read.push(cells.length);
      return rowsOf(cells);
    };
    const large = new CellCache(1e6, 300, 2);
    await large.fetch(Uint32Array.of(3, 290), reader);
    // Two blocks of 128 cells, the last cut at the end.
    expect(read).toEqual([128 + 44]);
    await large.fetch(Uint32Array.of(0, 100, 299), reader);
    expect(read).toHaveLength(1);
    expect(large.bytes).toBeGreaterThan(0);
    const none = new CellCache(10, 300, 2);
    await none.fetch(Uint32Array.of(3, 290), reader);
    await none.fetch(Uint32Array.of(3, 290), reader);
    expect(read.slice(1)).toEqual([2, 2]);
    expect(none.bytes).toBe(0);
  });

  it("keeps nothing of a read that failed", async () => {
    const cache = new CellCache(1e6, 300, 2);
    const failing = cache.fetch(Uint32Array.of(3), () => Promise.reject(new Error("lost")));
    await expect(failing).rejects.toThrow("lost");
    expect(await cache.fetch(Uint32Array.of(3), async (cells) => rowsOf(cells))).toEqual(
      rowsOf(Uint32Array.of(3)),
    );
  });
});

describe("cacheBytes", () => {
  it("changes no batch", async () => {
    const samples = Array.from({ length: 4 }, (_, at) => ({
      study: `s${at % 2}`,
      sample: `${at}`,
      labels: drawLabels(150, ["x", "y"], at),
    }));
    const dataset = await storeOf(samples);
    const options = { ...columns, batchSize: 2, sampleSize: 40, valStudies: ["s1"] };
    for (const cacheBytes of [1, 9000, 1e7]) {
      for (const more of [{}, { geneOrder: ["gene_4", "gene_2"], sparse: true }]) {
        const expected = await DataModule.open(dataset, { ...options, ...more });
        const module = await DataModule.open(dataset, { ...options, ...more, cacheBytes });
        for (const epoch of [0, 1, 0]) {
          expect(await collect(module.train({ epoch }))).toEqual(await collect(expected.train({ epoch })));
        }
        expect(await collect(module.val())).toEqual(await collect(expected.val()));
      }
    }
    await expect(DataModule.open(dataset, { ...options, cacheBytes: -1 })).rejects.toThrow(
      "cacheBytes is -1",
    );
  });
});
