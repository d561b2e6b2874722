import fc from "fast-check";
import { describe, expect, test } from "vitest";
import "../../src/node-platform.js";
import { consolidate } from "../../src/array/consolidate/consolidate.js";
import { vacuum } from "../../src/array/consolidate/vacuum.js";
import { openArray } from "../../src/array/open.js";
import { createArray } from "../../src/array/write/create.js";
import { putMetadata } from "../../src/array/write/metadata-io.js";
import { writeDense } from "../../src/array/write/write-dense.js";
import { writeSparse } from "../../src/array/write/write-sparse.js";
import type { SchemaInput } from "../../src/array/write/write-types.js";
import { MemoryStore } from "../../src/storage/memory.js";

const orders = fc.constantFrom("row-major" as const, "col-major" as const);

const schemas = fc.record({
  capacity: fc.integer({ min: 1, max: 7 }),
  cellOrder: orders,
  tileOrder: orders,
  extent: fc.constantFrom(null, 4),
  allowsDuplicates: fc.boolean(),
  text: fc.boolean(),
});

const writes = fc.array(
  fc.uniqueArray(fc.tuple(fc.nat(9), fc.nat(9)), {
    minLength: 1,
    maxLength: 25,
    selector: ([a, b]) => a * 10 + b,
  }),
  { minLength: 2, maxLength: 4 },
);

function schemaOf(
  drawn: { extent: number | null; text: boolean } & Omit<
    SchemaInput,
    "arrayType" | "dimensions" | "attributes"
  >,
): SchemaInput {
  const { extent, text, ...rest } = drawn;
  return {
    ...rest,
    arrayType: "sparse",
    dimensions: [
      { name: "x", datatype: "int64", domain: [0, 99], tileExtent: extent },
      text
        ? { name: "y", datatype: "string_ascii" }
        : { name: "y", datatype: "uint16", domain: [0, 99], tileExtent: extent },
    ],
    attributes: [
      { name: "v", datatype: "int32" },
      { name: "s", datatype: "string_utf8", nullable: true },
    ],
  };
}

async function written(
  schema: SchemaInput,
  cells: readonly (readonly (readonly [number, number])[])[],
  text: boolean,
) {
  const place = { store: new MemoryStore(), path: "a" };
  await createArray(place, schema);
  for (const [w, coordinates] of cells.entries()) {
    await writeSparse(
      place,
      {
        x: coordinates.map(([x]) => x),
        y: coordinates.map(([, y]) => (text ? "y".repeat(y) : y)),
        v: coordinates.map(([x, y]) => w * 10_000 + x * 100 + y),
        s: coordinates.map(([x]) => (x % 3 === 0 ? null : `é${w}`)),
      },
      { timestamp: 10 * (w + 1) },
    );
  }
  return place;
}

describe("consolidate", () => {
  test("changes no cell, at no time, and vacuum neither", async () => {
    await fc.assert(
      fc.asyncProperty(schemas, writes, async (drawn, cells) => {
        const place = await written(schemaOf(drawn), cells, drawn.text);
        const times = [5, ...cells.map((_, w) => 10 * (w + 1)), undefined];
        // Of equal coordinates in an array with duplicates no order is promised: compare all values.
        const read = async (timestamp: number | undefined) => {
          const { columns, cellCount } = await (await openArray(place, { timestamp })).read();
          const v = [...(columns.v as { values: Int32Array }).values];
          return {
            cellCount,
            v: drawn.allowsDuplicates ? v.sort((a, b) => a - b) : v,
            ...(!drawn.allowsDuplicates && columns),
          };
        };
        const before = [];
        for (const time of times) before.push(await read(time));
        await consolidate(place);
        const after = [];
        for (const time of times) after.push(await read(time));
        expect(after).toEqual(before);
        expect((await vacuum(place)).length).toBe(cells.length);
        const vacuumed = [];
        for (const time of times) vacuumed.push(await read(time));
        expect(vacuumed).toEqual(before);
        expect((await openArray(place)).fragments).toHaveLength(1);
      }),
      { numRuns: 15 },
    );
  }, 60_000);

  test("without history keeps the newest cells only", async () => {
    await fc.assert(
      fc.asyncProperty(schemas, writes, async (drawn, cells) => {
        const place = await written(schemaOf({ ...drawn, allowsDuplicates: false }), cells, drawn.text);
        const before = await (await openArray(place)).read();
        await consolidate(place, { keepHistory: false });
        await vacuum(place);
        const array = await openArray(place);
        expect(await array.read()).toEqual(before);
        expect(array.fragments).toMatchObject([
          { cellCount: before.cellCount, timestampRange: [10, cells.length * 10] },
        ]);
      }),
      { numRuns: 12 },
    );
  }, 60_000);

  test("consolidates what was consolidated before", async () => {
    const schema = schemaOf({ capacity: 3, extent: null, text: false });
    const place = await written(
      schema,
      [
        [
          [1, 1],
          [2, 2],
        ],
        [
          [1, 1],
          [3, 3],
        ],
      ],
      false,
    );
    await consolidate(place);
    await writeSparse(place, { x: [1, 9], y: [1, 9], v: [7, 8], s: [null, "z"] }, { timestamp: 50 });
    const expected = [];
    for (const timestamp of [10, 20, 50]) expected.push(await (await openArray(place, { timestamp })).read());
    await consolidate(place);
    expect(await vacuum(place)).toHaveLength(4);
    for (const timestamp of [10, 20, 50]) {
      expect(await (await openArray(place, { timestamp })).read()).toEqual(expected.shift());
    }
  });

  test("does nothing with one fragment or none", async () => {
    const schema = schemaOf({ extent: null, text: false });
    const place = await written(schema, [[[1, 1]]], false);
    expect(await consolidate(place)).toBeNull();
    expect(await vacuum(place)).toEqual([]);
    expect((await openArray(place)).fragments).toHaveLength(1);
  });

  test("keeps the cells of a dense array", async () => {
    const box = fc.tuple(fc.nat(6), fc.nat(6), fc.nat(4), fc.nat(4));
    await fc.assert(
      fc.asyncProperty(
        fc.array(box, { minLength: 2, maxLength: 4 }),
        orders,
        orders,
        async (boxes, cellOrder, tileOrder) => {
          const place = { store: new MemoryStore(), path: "d" };
          await createArray(place, {
            arrayType: "dense",
            cellOrder,
            tileOrder,
            dimensions: [
              { name: "x", datatype: "int32", domain: [0, 11], tileExtent: 3 },
              { name: "y", datatype: "int32", domain: [0, 11], tileExtent: 4 },
            ],
            attributes: [
              { name: "v", datatype: "int16" },
              { name: "s", datatype: "string_ascii", nullable: true },
            ],
          });
          for (const [w, [x, y, dx, dy]] of boxes.entries()) {
            const n = (dx + 1) * (dy + 1);
            const v = Int16Array.from({ length: n }, (_, i) => w * 100 + i);
            const s = Array.from({ length: n }, (_, i) => (i % 3 === 0 ? null : "t".repeat(i % 4)));
            await writeDense(
              place,
              [
                [x, x + dx],
                [y, y + dy],
              ],
              { v, s },
              { timestamp: w + 1 },
            );
          }
          const before = await (await openArray(place)).read();
          await consolidate(place);
          await vacuum(place);
          expect(await (await openArray(place)).read()).toEqual(before);
        },
      ),
      { numRuns: 12 },
    );
  }, 60_000);

  test("consolidates and vacuums metadata", async () => {
    const place = await written(schemaOf({ extent: null, text: false }), [[[1, 1]]], false);
    await putMetadata(place, { a: 1, b: "x", c: Int16Array.of(1, 2) });
    await putMetadata(place, { b: null, d: 2.5 });
    const before = await (await openArray(place)).metadata();
    await consolidate(place, { mode: "metadata" });
    expect(await (await openArray(place)).metadata()).toEqual(before);
    expect(await vacuum(place, { mode: "metadata" })).toHaveLength(2);
    expect(await (await openArray(place)).metadata()).toEqual(before);
    expect([...before.keys()]).toEqual(["a", "c", "d"]);
  });

  test("a vacuum file without its fragment deletes nothing", async () => {
    const schema = schemaOf({ extent: null, text: false });
    const place = await written(schema, [[[1, 1]], [[2, 2]]], false);
    await consolidate(place);
    const commits = await place.store.list("a/__commits");
    const vac = commits.find(({ key }) => key.endsWith(".vac"))!;
    await place.store.delete(vac.key.replace(".vac", ".wrt"));
    expect(await vacuum(place)).toEqual([]);
    await place.store.delete(vac.key);
    expect((await (await openArray(place)).read()).cellCount).toBe(2);
  });
});
