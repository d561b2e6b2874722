import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openArray } from "../../src/array/open.js";
import { MemoryStore } from "../../src/storage/memory.js";
import { asSet, build, cellsOf, expectedCells, keyOf, models, selections } from "./model.js";

const cases = models.chain((model) =>
  fc.record({
    model: fc.constant(model),
    ranges: selections(model),
    order: fc.constantFrom(
      "row-major" as const,
      "col-major" as const,
      "global" as const,
      "unordered" as const,
    ),
  }),
);

describe("reading a sparse array", () => {
  it("gives the cells that looking at every cell gives, in the order asked", async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ model, ranges, order }) => {
        const array = await build(model);
        const found = cellsOf(await array.read({ ranges, order }), model.schema.dimensions.length);
        const expected = expectedCells(model, ranges, order);
        expect(asSet(found)).toEqual(asSet(expected));
        if (order === "row-major" || order === "col-major") {
          expect(found.map(({ at }) => keyOf(at))).toEqual(expected.map(({ at }) => keyOf(at)));
        }
      }),
      { numRuns: 80 },
    );
  });

  it("gives the state of any time", async () => {
    await fc.assert(
      fc.asyncProperty(cases, fc.nat(5), fc.nat(5), async ({ model, ranges }, x, y) => {
        const store = new MemoryStore();
        await build(model, store);
        const [from, to] = [Math.min(x, y), Math.max(x, y)];
        const array = await openArray({ store, path: "array" }, { timestamp: [from, to] });
        const expected = expectedCells(model, ranges, "row-major", (w) => w + 1 >= from && w + 1 <= to);
        const found = cellsOf(await array.read({ ranges }), model.schema.dimensions.length);
        expect(asSet(found)).toEqual(asSet(expected));
      }),
      { numRuns: 60 },
    );
  });

  it("gives the same columns whichever others are asked for", async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ model, ranges, order }) => {
        const array = await build(model);
        const all = await array.read({ ranges, order });
        for (const name of Object.keys(all.columns)) {
          const isDimension = name.startsWith("d");
          const one = await array.read({
            ranges,
            order,
            dimensions: isDimension ? [name] : [],
            attributes: isDimension ? [] : [name],
          });
          expect(Object.keys(one.columns)).toEqual([name]);
          expect(one.columns[name]).toEqual(all.columns[name]);
        }
      }),
      { numRuns: 25 },
    );
  });

  it("fetches no more requests and bytes than it planned", async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ model, ranges, order }) => {
        const array = await build(model);
        const { totals } = await array.plan({ ranges, order });
        let fetched = 0;
        const result = await array.read({ ranges, order, onProgress: ({ bytes }) => (fetched = bytes) });
        expect(result.cellCount).toBeLessThanOrEqual(totals.cellsAtMost);
        expect(fetched).toBeLessThanOrEqual(totals.bytes);
      }),
      { numRuns: 60 },
    );
  });
});
