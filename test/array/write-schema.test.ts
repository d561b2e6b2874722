import { describe, expect, test } from "vitest";
import { openArray } from "../../src/array/open.js";
import { createArray } from "../../src/array/write/create.js";
import { createGroup } from "../../src/array/write/group-io.js";
import { defineSchema } from "../../src/array/write/schema-input.js";
import type { SchemaInput } from "../../src/array/write/write-types.js";
import { ArgumentError, ExistsError } from "../../src/errors.js";
import { VAR_NUM } from "../../src/format/datatype.js";
import { MemoryStore } from "../../src/storage/memory.js";

const row = { name: "row", datatype: "uint32", domain: [0, 99] } as const;
const count = { name: "count", datatype: "int32" } as const;
const sparse: SchemaInput = { arrayType: "sparse", dimensions: [row], attributes: [count] };

describe("defineSchema", () => {
  test("has the official library's defaults", () => {
    const schema = defineSchema(sparse);
    expect(schema).toMatchObject({ capacity: 10_000, cellOrder: "row-major", tileOrder: "row-major" });
    expect(schema.coordsFilters).toEqual({ maxChunkSize: 65_536, filters: [{ type: "zstd", level: -1 }] });
    expect(schema.offsetsFilters.filters).toEqual([{ type: "zstd", level: -1 }]);
    expect(schema.validityFilters.filters).toEqual([{ type: "rle", level: -1 }]);
    expect(schema.dimensions[0]).toMatchObject({ tileExtent: 100, filters: { filters: [] } });
    expect(schema.attributes[0]).toMatchObject({ cellValNum: 1, nullable: false, filters: { filters: [] } });
    expect(schema.attributes[0]!.fill).toEqual(Uint8Array.of(0, 0, 0, 0x80));
  });

  test("makes text variable-length and keeps 64-bit domains as bigint", () => {
    const schema = defineSchema({
      ...sparse,
      dimensions: [{ name: "t", datatype: "datetime_ms", domain: [0, 5] }],
      attributes: [{ name: "s", datatype: "string_utf8" }],
    });
    expect(schema.dimensions[0]).toMatchObject({ domain: [0n, 5n], tileExtent: 6n });
    expect(schema.attributes[0]).toMatchObject({ cellValNum: VAR_NUM, fill: Uint8Array.of(0) });
  });

  test.each<[string, Partial<SchemaInput>, RegExp]>([
    ["no dimensions", { dimensions: [] }, /no dimensions/],
    ["names twice", { attributes: [count, { ...count, datatype: "int8" }] }, /two fields are named 'count'/],
    ["a dimension and an attribute of one name", { attributes: [{ ...count, name: "row" }] }, /'row'/],
    ["capacity 0", { capacity: 0 }, /capacity 0/],
    ["capacity 1.5", { capacity: 1.5 }, /capacity 1.5/],
    ["a domain backwards", { dimensions: [{ ...row, domain: [5, 4] }] }, /\[5, 4\]/],
    ["a domain beyond the type", { dimensions: [{ ...row, domain: [0, 2 ** 32] }] }, /uint32/],
    ["a domain of all values", { dimensions: [{ ...row, domain: [0, 2 ** 32 - 1] }] }, /leave out/],
    ["an extent of 0", { dimensions: [{ ...row, tileExtent: 0 }] }, /tile extent 0/],
    ["an extent above the domain", { dimensions: [{ ...row, tileExtent: 101 }] }, /tile extent 101/],
    [
      "an extent that leads out of the type",
      { dimensions: [{ ...row, domain: [0, 2 ** 32 - 2], tileExtent: 1000 }] },
      /beyond uint32/,
    ],
    ["no domain", { dimensions: [{ name: "row", datatype: "int8" }] }, /no domain/],
    ["a domain of strings", { dimensions: [{ ...row, datatype: "string_ascii" }] }, /neither domain/],
    [
      "a float dimension of infinite domain",
      { dimensions: [{ name: "x", datatype: "float64", domain: [0, Number.POSITIVE_INFINITY] }] },
      /finite/,
    ],
    ["a bool dimension", { dimensions: [{ name: "x", datatype: "bool", domain: [0, 1] }] }, /bool cannot be/],
    ["an unknown filter", { attributes: [{ ...count, filters: ["lzma" as "gzip"] }] }, /'lzma'/],
    ["an unknown datatype", { attributes: [{ name: "x", datatype: "int3" as "int8" }] }, /'int3'/],
    ["a reserved name", { attributes: [{ ...count, name: "__x" }] }, /reserved/],
    [
      "an enumeration that is not there",
      { attributes: [{ ...count, enumeration: "e" }] },
      /no enumeration 'e'/,
    ],
    [
      "a fill outside the type",
      { attributes: [{ ...count, datatype: "uint8", fill: 256 }] },
      /fill value 256/,
    ],
    ["a fill of the wrong length", { attributes: [{ ...count, fill: "abc" }] }, /3 bytes, expected 4/],
    [
      "double delta of float coordinates",
      { dimensions: [{ name: "x", datatype: "float32", domain: [0, 1] }], coordsFilters: ["double_delta"] },
      /double_delta/,
    ],
    [
      "dense with a string dimension",
      { arrayType: "dense", dimensions: [{ name: "s", datatype: "string_ascii" }] },
      /sparse arrays only/,
    ],
    [
      "dense with a float dimension",
      { arrayType: "dense", dimensions: [{ name: "x", datatype: "float32", domain: [0, 1] }] },
      /float32/,
    ],
    ["dense without attributes", { arrayType: "dense", attributes: [] }, /at least one attribute/],
    ["dense with duplicates", { arrayType: "dense", allowsDuplicates: true }, /duplicates/],
    ["dense in hilbert order", { arrayType: "dense", cellOrder: "hilbert" }, /hilbert/],
    [
      "dense with two datatypes",
      { arrayType: "dense", dimensions: [row, { ...row, name: "c", datatype: "int32" }] },
      /one datatype/,
    ],
  ])("refuses %s", (_, change, message) => {
    const define = () => defineSchema({ ...sparse, ...change });
    expect(define).toThrow(ArgumentError);
    expect(define).toThrow(message);
  });
});

describe("createArray", () => {
  test("makes an array that opens with the schema", async () => {
    const place = { store: new MemoryStore(), path: "a/b" };
    await createArray(place, sparse);
    const array = await openArray(place);
    expect(array.schema).toEqual(defineSchema(sparse));
    expect(array.fragments).toEqual([]);
  });

  test("refuses what is there, and replaces it when told to", async () => {
    const store = new MemoryStore();
    await createArray({ store, path: "x" }, sparse);
    await createGroup({ store, path: "g" });
    await expect(createArray({ store, path: "x" }, sparse)).rejects.toThrow(ExistsError);
    await expect(createArray({ store, path: "g" }, sparse)).rejects.toThrow(/a group is already there/);
    await expect(createGroup({ store, path: "x" })).rejects.toThrow(/an array is already there/);
    const other = { ...sparse, capacity: 7 };
    await createArray({ store, path: "x" }, other, { overwrite: true });
    expect((await openArray({ store, path: "x" })).schema.capacity).toBe(7);
    expect((await store.list("x/__schema", { recursive: false })).length).toBe(1);
  });

  test("does not touch what is there when the schema is wrong", async () => {
    const place = { store: new MemoryStore(), path: "x" };
    await createArray(place, sparse);
    const wrong = createArray(place, { ...sparse, capacity: 0 }, { overwrite: true });
    await expect(wrong).rejects.toThrow(ArgumentError);
    expect((await openArray(place)).schema.capacity).toBe(10_000);
  });
});
