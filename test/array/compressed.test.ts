import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { consolidate } from "../../src/array/consolidate/consolidate.js";
import { openArray } from "../../src/array/open.js";
import { createArray } from "../../src/array/write/create.js";
import { writeSparse } from "../../src/array/write/write-sparse.js";
import type { SchemaInput } from "../../src/array/write/write-types.js";
import { MemoryStore } from "../../src/storage/memory.js";

/** Compressed rows straight from tiles equal those made of all cells that `read` gives. */

const ROWS = 12;
const COLUMNS = 40;

interface Matrix {
  readonly schema: SchemaInput;
  /** Cells as row * COLUMNS + column; a fragment each. */
  readonly writes: readonly (readonly number[])[];
  readonly consolidated: boolean;
}

const datatypes = ["uint32", "int32", "int64", "uint64", "uint16", "int8"] as const;

function dimension(name: string, datatype: (typeof datatypes)[number]) {
  const big = datatype === "int64" || datatype === "uint64";
  return { name, datatype, domain: big ? ([0n, 1000n] as const) : ([0, 100] as const), tileExtent: null };
}

const filters = fc.constantFrom([], ["zstd"], ["delta", "byteshuffle", "zstd"]);

const matrices: fc.Arbitrary<Matrix> = fc
  .record({
    types: fc.tuple(fc.constantFrom(...datatypes), fc.constantFrom(...datatypes)),
    value: fc.constantFrom("uint16" as const, "float64" as const, "int64" as const),
    cellOrder: fc.constantFrom("row-major" as const, "col-major" as const),
    capacity: fc.constantFrom(1, 3, 7, 30, 1000),
    allowsDuplicates: fc.boolean(),
    filters,
    writes: fc.array(
      // Crowded rows, and a few cells that leave rows empty.
      fc.oneof(
        fc.uniqueArray(fc.nat(ROWS * COLUMNS - 1), { minLength: 1, maxLength: 300 }),
        fc.uniqueArray(fc.nat(ROWS * COLUMNS - 1), { minLength: 1, maxLength: 6 }),
      ),
      { minLength: 1, maxLength: 2 },
    ),
    consolidated: fc.boolean(),
  })
  .map(({ types, value, filters: drawn, writes, consolidated, ...schema }) => ({
    schema: {
      arrayType: "sparse",
      ...schema,
      coordsFilters: drawn as SchemaInput["coordsFilters"],
      dimensions: [dimension("r", types[0]), dimension("c", types[1])],
      attributes: [{ name: "v", datatype: value }],
    } as SchemaInput,
    writes,
    consolidated,
  }));

function typed(datatype: string, values: readonly number[]) {
  if (datatype === "int64") return BigInt64Array.from(values, BigInt);
  if (datatype === "uint64") return BigUint64Array.from(values, BigInt);
  const types = { uint32: Uint32Array, int32: Int32Array, uint16: Uint16Array, int8: Int8Array };
  return (types[datatype as keyof typeof types] ?? Float64Array).from(values);
}

async function open({ schema, writes, consolidated }: Matrix) {
  const location = { store: new MemoryStore(), path: "m" };
  await createArray(location, schema);
  const [rows, columns] = schema.dimensions;
  let time = 1;
  for (const cells of writes) {
    const values = cells.map((_, i) => i + 100 * time);
    await writeSparse(
      location,
      {
        r: typed(
          rows!.datatype,
          cells.map((cell) => Math.floor(cell / COLUMNS)),
        ),
        c: typed(
          columns!.datatype,
          cells.map((cell) => cell % COLUMNS),
        ),
        v: typed(schema.attributes[0]!.datatype, values),
      },
      { timestamp: time++ },
    );
  }
  if (consolidated) await consolidate(location);
  return openArray(location);
}

/** The slow way: every cell by its coordinates. */
async function slowly(matrix: Matrix, rows: Uint32Array, columns: Uint32Array | null) {
  const array = await open(matrix);
  const order = matrix.schema.cellOrder as "row-major" | "col-major";
  const [major, minor] = order === "row-major" ? ["r", "c"] : ["c", "r"];
  const { columns: read } = await array.read({ order });
  const numbers = (name: string) => Array.from((read[name] as { values: ArrayLike<number> }).values, Number);
  const [a, b, v] = [numbers(major!), numbers(minor!), numbers("v")];
  const cells: [number, number, number][] = [];
  for (let i = 0; i < a.length; i++) {
    const row = rows.indexOf(a[i]!);
    const column = columns === null ? b[i]! : columns.indexOf(b[i]!);
    if (row >= 0 && column >= 0) cells.push([row, column, v[i]!]);
  }
  return cells;
}

const subset = (below: number) =>
  fc
    .uniqueArray(fc.nat(below - 1), { minLength: 1, maxLength: below })
    .map((all) => Uint32Array.from(all).sort());

describe("compressed rows", () => {
  it("equal what all cells give", async () => {
    const cases = matrices.chain((matrix) => {
      const isRows = matrix.schema.cellOrder === "row-major";
      const [across, along] = isRows ? [ROWS, COLUMNS] : [COLUMNS, ROWS];
      const every = Uint32Array.from({ length: across }, (_, i) => i);
      return fc.record({
        matrix: fc.constant(matrix),
        rows: fc.oneof(subset(across), fc.constant(every), fc.constant(every.subarray(2, 7))),
        columns: fc.oneof(subset(along), fc.constant(null)),
        total: fc.constant(along),
      });
    });
    let fast = 0;
    await fc.assert(
      fc.asyncProperty(cases, async ({ matrix, rows, columns, total }) => {
        const array = await open(matrix);
        const read = await array.readCompressed({ rows, columns, columnCount: total, attribute: "v" });
        // Only cells written twice, or fragments that overlap, are for the general way.
        if (matrix.writes.length === 1) expect(read).not.toBeNull();
        if (read === null) return;
        fast++;
        const cells: [number, number, number][] = [];
        for (let row = 0; row < rows.length; row++) {
          for (let i = read.indptr[row]!; i < read.indptr[row + 1]!; i++) {
            cells.push([row, read.indices[i]!, Number(read.values[i])]);
          }
        }
        const order = (a: readonly number[], b: readonly number[]) =>
          a[0]! - b[0]! || a[1]! - b[1]! || a[2]! - b[2]!;
        expect(cells.sort(order)).toEqual((await slowly(matrix, rows, columns)).sort(order));
        expect(read.indices.length).toBe(read.indptr[rows.length]);
      }),
      { numRuns: 80 },
    );
    expect(fast).toBeGreaterThan(40);
  });

  const schema: SchemaInput = {
    arrayType: "sparse",
    capacity: 4,
    cellOrder: "row-major",
    dimensions: [dimension("r", "uint32"), dimension("c", "uint32")],
    attributes: [{ name: "v", datatype: "uint16" }],
  };
  const all = Uint32Array.of(0, 1, 2);

  it.each([1, 2, 4, 100])(
    "of a place written twice are left to the general way, capacity %d",
    async (capacity) => {
      const matrix = { schema: { ...schema, capacity }, writes: [[0, 3, 41], [3]], consolidated: true };
      const array = await open(matrix);
      expect(array.fragments).toHaveLength(1);
      const query = { rows: all, columns: null, columnCount: COLUMNS, attribute: "v" };
      expect(await array.readCompressed(query)).toBeNull();
    },
  );

  it("have no place for columns beyond those there may be", async () => {
    const array = await open({ schema, writes: [[0, 39]], consolidated: false });
    const query = { rows: all, columns: null, columnCount: 39, attribute: "v" };
    await expect(array.readCompressed(query)).rejects.toMatchObject({ code: "FORMAT" });
  });
});
