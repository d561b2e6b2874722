import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import "../../src/node-platform.js";
import type { Column } from "../../src/array/columns.js";
import { consolidate } from "../../src/array/consolidate/consolidate.js";
import { openArray, type TileDBArray } from "../../src/array/open.js";
import { hilbertWords } from "../../src/array/order/hilbert.js";
import { firstUnsorted } from "../../src/array/order/sort-cells.js";
import { sortKeys } from "../../src/array/order/sort-keys.js";
import { createArray } from "../../src/array/write/create.js";
import { openFragmentWriter } from "../../src/array/write/fragment-writer.js";
import { writeSparse } from "../../src/array/write/write-sparse.js";
import { MemoryStore } from "../../src/storage/memory.js";
import { jsonRows } from "../support/cells-json.js";

const fixtures = fileURLToPath(new URL("../../spec-fixtures/v22/", import.meta.url));

const coordinatesOf = (array: TileDBArray, columns: Readonly<Record<string, Column>>) =>
  array.schema.dimensions.map(({ name }) => columns[name]!);

const numbers = (values: Int32Array): Column => ({ kind: "fixed", datatype: "int32", cellValNum: 1, values });

it("places along the curve ascend in the order in which the official library stored the cells", async () => {
  const array = await openArray(`${fixtures}sparse-2d.cells-hilbert.tiles-row-major/array`);
  expect(array.fragments.length).toBe(1);
  const { columns, cellCount } = await array.read({ order: "global" });
  const coordinates = coordinatesOf(array, columns);
  expect(firstUnsorted(hilbertWords(array.schema, coordinates))).toBe(-1);
  const byRows = await array.read();
  expect(firstUnsorted(hilbertWords(array.schema, coordinatesOf(array, byRows.columns)))).toBeGreaterThan(0);
  expect(cellCount).toBe(byRows.cellCount);
});

it("neighbours on the curve are neighbours in space, to the ends of two and three axes", async () => {
  for (const [n, side] of [
    [2, 16],
    [3, 8],
  ] as const) {
    const dimensions = Array.from({ length: n }, (_, d) => ({
      name: `d${d}`,
      datatype: "int32" as const,
      domain: [-side / 2, side / 2 - 1] as const,
    }));
    const place = { store: new MemoryStore(), path: "a" };
    await createArray(place, { arrayType: "sparse", cellOrder: "hilbert", dimensions, attributes: [] });
    const { schema } = await openArray(place);
    const count = side ** n;
    const axes = dimensions.map((_, d) =>
      Int32Array.from({ length: count }, (_, i) => (Math.floor(i / side ** d) % side) - side / 2),
    );
    const [high, low] = hilbertWords(schema, axes.map(numbers));
    const order = Array.from({ length: count }, (_, i) => i).sort(
      (a, b) => high![a]! - high![b]! || low![a]! - low![b]!,
    );
    for (let i = 1; i < count; i++) {
      const steps = axes.map((axis) => Math.abs(axis[order[i]!]! - axis[order[i - 1]!]!));
      expect(steps.reduce((sum, step) => sum + step, 0)).toBe(1);
    }
  }
});

it("fragments are merged along the curve, and the newest of equal cells is kept", async () => {
  const array = await openArray(`${fixtures}fragments.hilbert/array`);
  expect(array.fragments.length).toBeGreaterThan(1);
  const { columns, ...rest } = await array.read({ order: "global" });
  expect(firstUnsorted(sortKeys(array.schema, coordinatesOf(array, columns)))).toBe(-1);
  const lines = (rows: readonly unknown[]) => rows.map((row) => JSON.stringify(row)).sort();
  expect(lines(jsonRows({ columns, ...rest }))).toEqual(lines(jsonRows(await array.read())));
});

it("writes along the curve, refuses cells against it, consolidates along it", async () => {
  const place = { store: new MemoryStore(), path: "a" };
  const dimensions = ["x", "y"].map((name) => ({
    name,
    datatype: "int32" as const,
    domain: [0, 99] as const,
  }));
  await createArray(place, {
    arrayType: "sparse",
    cellOrder: "hilbert",
    capacity: 3,
    dimensions,
    attributes: [{ name: "a", datatype: "int32" }],
  });
  const axis = (step: number) => Int32Array.from({ length: 90 }, (_, i) => (i * step) % 97);
  const cells = (steps: readonly [number, number], value: number) => ({
    x: axis(steps[0]),
    y: axis(steps[1]),
    a: new Int32Array(90).fill(value),
  });
  await writeSparse(place, cells([7, 13], 1), { timestamp: 1 });
  await writeSparse(place, cells([7, 11], 2), { timestamp: 2 });
  const before = await openArray(place);
  const expected = await before.read({ order: "global" });
  expect(expected.cellCount).toBe(179);
  await consolidate(place);
  const after = await openArray(place);
  expect(jsonRows(await after.read({ order: "global" }))).toEqual(jsonRows(expected));
  const writer = await openFragmentWriter(place);
  const backwards = { x: Int32Array.of(99, 0), y: Int32Array.of(0, 0), a: Int32Array.of(1, 2) };
  await expect(writer.append(backwards)).rejects.toThrow(/against the array's global order/);
});
