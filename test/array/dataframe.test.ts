import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as arrow from "apache-arrow";
import { Table, Vector } from "apache-arrow";
import { describe, expect, test } from "vitest";
import type { Column } from "../../src/array/columns.js";
import { arrowData, arrowDictionary } from "../../src/array/dataframe/arrow-data.js";
import { createArray } from "../../src/array/write/create.js";
import { putMetadata } from "../../src/array/write/metadata-io.js";
import { writeSparse } from "../../src/array/write/write-sparse.js";
import { FormatError, NotFoundError } from "../../src/errors.js";
import type { Datatype } from "../../src/format/datatype.js";
import { fixedEnumeration, textEnumeration } from "../../src/format/enumeration.js";
import { MemoryStore } from "../../src/storage/memory.js";
import { readDataFrame } from "../../src/tiledb-node.js";

const vector = (column: Column) => new Vector([arrowData(arrow, column)]);
const values = (column: Column) => JSON.parse(shown(vector(column).toArray())) as unknown;
const shown = (value: unknown) =>
  JSON.stringify(value, (_key, item: unknown) => (typeof item === "bigint" ? String(item) : item));
const cells = (column: Column) =>
  [...vector(column)].map((cell) => (cell instanceof Vector ? [...cell] : cell));

describe("columns as Arrow data", () => {
  test("keep their memory where layouts agree", () => {
    const numbers = new Float32Array([1, 2, 3]);
    const fixed = arrowData(arrow, { kind: "fixed", datatype: "float32", cellValNum: 1, values: numbers });
    expect(fixed.values).toBe(numbers);
    const times = new BigInt64Array([1n, 2n]);
    const dates = arrowData(arrow, { kind: "fixed", datatype: "datetime_ns", cellValNum: 1, values: times });
    expect(dates.values).toBe(times);
    const offsets = new Uint32Array([0, 2, 3]);
    const data = new TextEncoder().encode("abc");
    const text = arrowData(arrow, { kind: "var", datatype: "string_utf8", offsets, data });
    expect(text.values.buffer).toBe(data.buffer);
    expect(text.valueOffsets.buffer).toBe(offsets.buffer);
    const codes = new Int8Array([0, 1]);
    const positions: Column = { kind: "fixed", datatype: "int8", cellValNum: 1, values: codes };
    expect(arrowDictionary(arrow, positions, textEnumeration("e", ["x", "y"])).values).toBe(codes);
  });

  test.each([
    ["datetime_year", [50n, -1n, -370n], ["2020-01-01", "1969-01-01", "1600-01-01"]],
    ["datetime_month", [1n, -10n, 602n], ["1970-02-01", "1969-03-01", "2020-03-01"]],
    ["datetime_week", [1n, -1n], ["1970-01-08", "1969-12-25"]],
    ["datetime_day", [18321n, -1n], ["2020-02-29", "1969-12-31"]],
    ["datetime_hr", [25n], ["1970-01-02T01:00"]],
    ["datetime_min", [-1n], ["1969-12-31T23:59"]],
  ] as const)("%s becomes seconds", (datatype, given, dates) => {
    const column: Column = { kind: "fixed", datatype, cellValNum: 1, values: BigInt64Array.from(given) };
    expect(String(vector(column).type)).toBe("Timestamp<SECOND>");
    expect(values(column)).toEqual(
      Object.fromEntries(
        dates.map((date, i) => [i, String(Date.parse(`${date}${date.length > 10 ? "Z" : ""}`) / 1000)]),
      ),
    );
  });

  test("times without a unit in Arrow, or beyond it, stay integers; NaT is null", () => {
    const type = (datatype: Datatype, ...list: bigint[]) =>
      String(vector({ kind: "fixed", datatype, cellValNum: 1, values: BigInt64Array.from(list) }).type);
    expect(type("datetime_as", 1n)).toBe("Int64");
    expect(type("datetime_week", 2n ** 62n)).toBe("Int64");
    expect(type("time_hr", 1n)).toBe("Duration<SECOND>");
    expect(type("time_ms", 1n)).toBe("Duration<MILLISECOND>");
    const missing = BigInt64Array.of(-(2n ** 63n), 5n);
    const column: Column = { kind: "fixed", datatype: "datetime_day", cellValNum: 1, values: missing };
    expect([vector(column).nullCount, vector(column).get(0), vector(column).isValid(1)]).toEqual([
      1,
      null,
      true,
    ]);
  });

  test("validity becomes a bitmap", () => {
    const validity = Uint8Array.from({ length: 19 }, (_, i) => (i % 3 === 0 ? 0 : 1));
    const numbers = Int16Array.from({ length: 19 }, (_, i) => i);
    const column: Column = { kind: "fixed", datatype: "int16", cellValNum: 1, values: numbers, validity };
    expect(cells(column)).toEqual(Array.from(numbers, (value, i) => (i % 3 === 0 ? null : value)));
    expect(vector(column).nullCount).toBe(7);
  });

  test("several values a cell are lists, bytes are binary, wide text is UTF-8", () => {
    const pairs: Column = {
      kind: "fixed",
      datatype: "int32",
      cellValNum: 2,
      values: Int32Array.of(1, 2, 3, 4),
    };
    expect(cells(pairs)).toEqual([
      [1, 2],
      [3, 4],
    ]);
    const lists: Column = {
      kind: "var",
      datatype: "uint16",
      offsets: Uint32Array.of(0, 4, 4, 6),
      data: new Uint8Array(Uint16Array.of(7, 8, 9).buffer),
    };
    expect(cells(lists)).toEqual([[7, 8], [], [9]]);
    const codes: Column = {
      kind: "fixed",
      datatype: "char",
      cellValNum: 2,
      values: Uint8Array.of(1, 2, 3, 4),
    };
    expect(cells(codes)).toEqual([Uint8Array.of(1, 2), Uint8Array.of(3, 4)]);
    const wide: Column = {
      kind: "var",
      datatype: "string_utf32",
      offsets: Uint32Array.of(0, 4, 12),
      data: new Uint8Array(Uint32Array.of(0x1f600, 0x61, 0xe9).buffer),
    };
    expect(cells(wide)).toEqual(["😀", "aé"]);
  });

  test("positions outside their enumeration are null, wide ones 32 bits", () => {
    const enumeration = fixedEnumeration("e", "int64", BigInt64Array.of(10n, 20n), true);
    for (const codes of [Int32Array.of(-1, 1, 2, 0), BigInt64Array.of(-1n, 1n, 2n ** 40n, 0n)]) {
      const datatype = codes instanceof Int32Array ? "int32" : "int64";
      const column: Column = { kind: "fixed", datatype, cellValNum: 1, values: codes };
      const found = new Vector([arrowDictionary(arrow, column, enumeration)]);
      expect([...found]).toEqual([null, 20n, null, 10n]);
      expect(found.type.isOrdered).toBe(true);
    }
  });
});

describe("readDataFrame", () => {
  const schema = {
    arrayType: "sparse",
    dimensions: [{ name: "row", datatype: "int32", domain: [0, 99] }],
    attributes: [{ name: "flag", datatype: "uint8" }],
  } as const;

  async function array() {
    const place = { store: new MemoryStore(), path: "a" };
    await createArray(place, schema);
    await writeSparse(place, { row: Int32Array.of(3, 1), flag: Uint8Array.of(0, 1) }, { timestamp: 10 });
    return place;
  }

  test("reads arrays that are no frames, at a time, with a condition", async () => {
    const place = await array();
    const table = await readDataFrame(place);
    expect(table).toBeInstanceOf(Table);
    expect(table.toArray().map((row) => ({ ...row.toJSON() }))).toEqual([
      { row: 1, flag: 1 },
      { row: 3, flag: 0 },
    ]);
    expect((await readDataFrame(place, { condition: "flag == 0" })).numRows).toBe(1);
    expect((await readDataFrame(place, { timestamp: 9 })).numRows).toBe(0);
  });

  test("truth values kept as uint8, as old releases did", async () => {
    const place = await array();
    await putMetadata(place, { __pandas_attribute_repr: '{"flag": "bool"}' });
    expect([...(await readDataFrame(place)).getChild("flag")!]).toEqual([true, false]);
  });

  test("metadata that is no JSON object of texts is a FormatError, no array a NotFoundError", async () => {
    for (const text of ["{", "[]", "null", '{"flag": 1}']) {
      const place = await array();
      await putMetadata(place, { __pandas_index_dims: text });
      await expect(readDataFrame(place)).rejects.toThrow(FormatError);
    }
    await expect(readDataFrame({ store: new MemoryStore(), path: "a" })).rejects.toThrow(NotFoundError);
  });
});

/** Frames as the official library wrote them, against what it says of them. */
describe("frames of spec-fixtures", () => {
  const root = fileURLToPath(new URL("../../spec-fixtures", import.meta.url));
  const frames = readdirSync(root)
    .map((version) => `${version}/dense-1d.frame`)
    .filter((name) => existsSync(join(root, name)));

  test("are there", () => expect(frames.length).toBeGreaterThanOrEqual(5));

  test.each(frames)("%s", async (name) => {
    const cells = JSON.parse(readFileSync(join(root, name, "cells.json"), "utf8")) as unknown[];
    const table = await readDataFrame(join(root, name, "array"));
    const rows = table.toArray().map((row) => JSON.parse(shown(row.toJSON())) as unknown);
    expect(rows).toEqual(cells);
  });
});
