import { describe, expect, test } from "vitest";
import { openArray } from "../../src/array/open.js";
import { createArray } from "../../src/array/write/create.js";
import { openFragmentWriter } from "../../src/array/write/fragment-writer.js";
import { writeDense } from "../../src/array/write/write-dense.js";
import { writeSparse } from "../../src/array/write/write-sparse.js";
import type { CellsInput, SchemaInput } from "../../src/array/write/write-types.js";
import { ArgumentError, NotFoundError, OutOfDomainError, ValueError } from "../../src/errors.js";
import { MemoryStore } from "../../src/storage/memory.js";

const schema: SchemaInput = {
  arrayType: "sparse",
  capacity: 3,
  dimensions: [
    { name: "row", datatype: "uint32", domain: [0, 99] },
    { name: "gene", datatype: "string_ascii" },
  ],
  attributes: [
    { name: "count", datatype: "uint16" },
    { name: "note", datatype: "string_ascii", nullable: true },
    { name: "plain", datatype: "string_utf8" },
  ],
};

async function sparseArray(change: Partial<SchemaInput> = {}) {
  const place = { store: new MemoryStore(), path: "a" };
  await createArray(place, { ...schema, ...change });
  return place;
}

const good: CellsInput = {
  row: Uint32Array.of(5, 1, 5, 0),
  gene: ["b", "z", "a", ""],
  count: Uint16Array.of(1, 2, 3, 65535),
  note: ["x", null, "", "y"],
  plain: ["é", "", "ü", "z"],
};

describe("writeSparse", () => {
  test("sorts cells and keeps all values", async () => {
    const place = await sparseArray();
    const uri = await writeSparse(place, good, { timestamp: 12 });
    const array = await openArray(place);
    expect(array.fragments).toMatchObject([{ uri, cellCount: 4, timestampRange: [12, 12] }]);
    expect(array.nonEmptyDomain()).toEqual([
      [0, 5],
      ["", "z"],
    ]);
    const { columns } = await array.read();
    expect(columns.row).toMatchObject({ values: Uint32Array.of(0, 1, 5, 5) });
    expect(columns.gene).toMatchObject({ offsets: Uint32Array.of(0, 0, 1, 2, 3) });
    expect(columns.count).toMatchObject({ values: Uint16Array.of(65535, 2, 3, 1) });
    expect(columns.note).toMatchObject({ validity: Uint8Array.of(1, 0, 1, 1) });
    expect(new TextDecoder().decode((columns.plain as { data: Uint8Array }).data)).toBe("züé");
  });

  test.each<[string, CellsInput, new (...args: never[]) => Error, RegExp]>([
    [
      "a wrong array type",
      { ...good, count: Int32Array.of(1, 2, 3, 4) },
      ArgumentError,
      /'count'.*Uint16Array.*found Int32Array/,
    ],
    [
      "columns of two lengths",
      { ...good, count: Uint16Array.of(1) },
      ArgumentError,
      /'count' has 1 cells, 'row' has 4/,
    ],
    ["an unknown field", { ...good, cuont: [1, 2, 3, 4] }, ArgumentError, /no field 'cuont'.*'count'/],
    [
      "a value that does not fit",
      { ...good, count: [1, 2, 70_000, 4] },
      ValueError,
      /'count', cell 2: 70000/,
    ],
    ["a fraction", { ...good, count: [1, 1.5, 3, 4] }, ValueError, /'count', cell 1: 1.5/],
    ["text for numbers", { ...good, count: [1, "2", 3, 4] }, ValueError, /'count', cell 1: '2'/],
    ["null where it cannot be", { ...good, count: [1, 2, 3, null] }, ValueError, /not nullable, cell 3/],
    [
      "text that is no ASCII",
      { ...good, note: ["a", null, "é", "b"] },
      ValueError,
      /'note' is ASCII, cell 2/,
    ],
    [
      "a coordinate outside",
      { ...good, row: Uint32Array.of(5, 1, 100, 0) },
      OutOfDomainError,
      /cell 2 has row = 100/,
    ],
    ["the same coordinates twice", { ...good, gene: ["b", "z", "b", ""] }, ValueError, /\(row=5, gene='b'\)/],
  ])("refuses %s and writes nothing", async (_, cells, error, message) => {
    const place = await sparseArray();
    const before = (await place.store.list("a")).length;
    const writing = writeSparse(place, cells);
    await expect(writing).rejects.toThrow(error);
    await expect(writing).rejects.toThrow(message);
    expect((await place.store.list("a")).length).toBe(before);
  });

  test("refuses a field that is missing", async () => {
    const { count: _, ...rest } = good;
    await expect(writeSparse(await sparseArray(), rest)).rejects.toThrow(/'count' are missing/);
  });

  test("refuses NaN as a coordinate", async () => {
    const place = { store: new MemoryStore(), path: "a" };
    const dimensions = [{ name: "x", datatype: "float64", domain: [-1, 1] } as const];
    await createArray(place, { arrayType: "sparse", dimensions, attributes: [] });
    const cells = { x: Float64Array.of(0.5, Number.NaN, 0.25) };
    await expect(writeSparse(place, cells)).rejects.toThrow(/cell 1 has x = NaN/);
  });

  test("takes the same coordinates twice where the array allows it", async () => {
    const place = await sparseArray({ allowsDuplicates: true });
    await writeSparse(place, { ...good, gene: ["b", "z", "b", ""] });
    expect((await (await openArray(place)).read()).cellCount).toBe(4);
  });

  test("makes no fragment of no cells", async () => {
    const place = await sparseArray();
    expect(await writeSparse(place, { row: [], gene: [], count: [], note: [], plain: [] })).toBeNull();
    expect((await openArray(place)).fragments).toEqual([]);
  });

  test("refuses dense arrays and places without an array", async () => {
    const nowhere = { store: new MemoryStore(), path: "a" };
    await expect(writeSparse(nowhere, good)).rejects.toThrow(NotFoundError);
    await expect(writeDense(await sparseArray(), [[0, 1]], {})).rejects.toThrow(/use writeSparse/);
  });

  test("a later write of the same millisecond wins", async () => {
    const place = await sparseArray();
    for (const value of [1, 2, 3, 4, 5]) {
      const one = { row: [1], gene: ["g"], count: [value], note: [null], plain: [""] };
      await writeSparse(place, one, { timestamp: 77 });
    }
    const { columns } = await (await openArray(place)).read();
    expect(columns.count).toMatchObject({ values: Uint16Array.of(5) });
  });
});

describe("openFragmentWriter", () => {
  const cells = (rows: number[]): CellsInput => ({
    row: Uint32Array.from(rows),
    gene: rows.map(() => "g"),
    count: Uint16Array.from(rows),
    note: rows.map((row) => (row % 2 === 0 ? null : "odd")),
    plain: rows.map(String),
  });

  test("cuts blocks of any size into the tiles that one write makes", async () => {
    const rows = Array.from({ length: 23 }, (_, i) => i);
    const whole = await sparseArray();
    await writeSparse(whole, cells(rows));
    const expected = await (await openArray(whole)).read();
    for (const block of [1, 2, 3, 4, 7, 23]) {
      const place = await sparseArray();
      const writer = await openFragmentWriter(place);
      for (let at = 0; at < rows.length; at += block) await writer.append(cells(rows.slice(at, at + block)));
      expect(await writer.finish()).toBe(writer.uri);
      const array = await openArray(place);
      expect(await array.read()).toEqual(expected);
      const [size] = (await openArray(whole)).fragments.map((fragment) => fragment.cellCount);
      expect(array.fragments[0]!.cellCount).toBe(size);
    }
  });

  test.each<[string, number[][], RegExp]>([
    ["within a block", [[1, 3, 2]], /row=2.*comes after.*row=3/],
    ["between blocks", [[1, 2, 3, 4], [3]], /row=3.*comes after.*row=4/],
    ["that is equal within a block", [[1, 2, 2]], /two cells.*row=2/],
    ["that is equal between blocks", [[1, 2], [2]], /two cells.*row=2/],
  ])("refuses a cell out of order %s and leaves nothing", async (_, blocks, message) => {
    const place = await sparseArray();
    const before = (await place.store.list("a")).length;
    const writer = await openFragmentWriter(place);
    const appendAll = async () => {
      for (const rows of blocks) await writer.append(cells(rows));
    };
    await expect(appendAll()).rejects.toThrow(message);
    expect((await place.store.list("a")).length).toBe(before);
    await expect(writer.finish()).rejects.toThrow(/aborted before/);
  });

  test("leaves nothing when aborted, or when nothing was appended", async () => {
    const place = await sparseArray();
    const before = (await place.store.list("a")).length;
    const writer = await openFragmentWriter(place);
    await writer.append(cells([1, 2, 3, 4]));
    await writer.abort();
    expect(await (await openFragmentWriter(place)).finish()).toBeNull();
    expect((await place.store.list("a")).length).toBe(before);
  });

  test("an abort signal ends it without a trace", async () => {
    const place = await sparseArray();
    const control = new AbortController();
    const writer = await openFragmentWriter(place, { signal: control.signal });
    await writer.append(cells([1, 2, 3, 4]));
    control.abort();
    await expect(writer.finish()).rejects.toMatchObject({ code: "ABORTED" });
    expect((await openArray(place)).fragments).toEqual([]);
  });
});

describe("writeDense", () => {
  const dense: SchemaInput = {
    arrayType: "dense",
    dimensions: [
      { name: "x", datatype: "int64", domain: [-5, 20], tileExtent: 4 },
      { name: "y", datatype: "int64", domain: [1, 9], tileExtent: 3 },
    ],
    attributes: [{ name: "v", datatype: "int16" }],
  };

  test.each(["row-major", "col-major"] as const)(
    "puts each cell of the box in its place, %s",
    async (order) => {
      const place = { store: new MemoryStore(), path: "d" };
      await createArray(place, { ...dense, cellOrder: order, tileOrder: order });
      const v = Int16Array.from({ length: 5 * 6 }, (_, i) => i);
      await writeDense(
        place,
        [
          [-2, 2],
          [3, 8],
        ],
        { v },
      );
      const array = await openArray(place);
      expect(array.nonEmptyDomain()).toEqual([
        [-2n, 2n],
        [3n, 8n],
      ]);
      expect((await array.read()).columns.v).toMatchObject({ values: v });
      const part = await array.read({ ranges: { x: [[0n, 0n]], y: [[2n, 4n]] } });
      expect(part.columns.v).toMatchObject({ values: Int16Array.of(-32768, 12, 13) });
    },
  );

  test.each<[string, Parameters<typeof writeDense>[1], number, RegExp]>([
    [
      "a box outside the domain",
      [
        [-6, 0],
        [1, 1],
      ],
      7,
      /'x' from -6 to 0 is outside/,
    ],
    [
      "a box backwards",
      [
        [1, 0],
        [1, 1],
      ],
      0,
      /'x' from 1 to 0/,
    ],
    ["a range too few", [[1, 1]], 1, /1 ranges for 2 dimensions/],
    [
      "too few cells",
      [
        [0, 1],
        [1, 2],
      ],
      3,
      /3 cells for a box of 4/,
    ],
    [
      "a text coordinate",
      [
        ["a", "b"],
        [1, 2],
      ],
      4,
      /a is no int64/,
    ],
  ])("refuses %s", async (_, box, cells, message) => {
    const place = { store: new MemoryStore(), path: "d" };
    await createArray(place, dense);
    await expect(writeDense(place, box, { v: new Int16Array(cells) })).rejects.toThrow(message);
    expect((await openArray(place)).fragments).toEqual([]);
  });
});
