import { describe, expect, it } from "vitest";
import { openArray } from "../../src/array/open.js";
import { ColumnCache } from "../../src/cellarr/frames/column-cache.js";
import { storedColumn } from "../../src/cellarr/frames/column-types.js";
import { numberedIndex } from "../../src/cellarr/frames/frame-parts.js";
import { FrameReader } from "../../src/cellarr/frames/frame-reader.js";
import { FrameWriter } from "../../src/cellarr/frames/frame-writer.js";
import { repeatedText } from "../../src/cellarr/frames/text-builder.js";
import { MemoryStore } from "../../src/storage/memory.js";
import { columnValues, type FrameColumn, textColumn, textValues } from "../../src/util/frame.js";

it("writes frames of any number of rows in fragments of whole tiles", async () => {
  const location = { store: new MemoryStore(), path: "frame" };
  const attributes = [
    { name: "n", datatype: "int32" },
    { name: "text", datatype: "string_ascii" },
  ] as const;
  const parts = [150_000, 0, 90_003, 1];
  const writer = await FrameWriter.create(location, attributes, 240_004);
  let row = 0;
  for (const [part, rows] of parts.entries()) {
    const first = row;
    const n: FrameColumn = {
      kind: "numeric",
      values: Int32Array.from({ length: rows }, (_, at) => first + at),
    };
    await writer.append([
      storedColumn(n, "int32", "n"),
      storedColumn(repeatedText(`part${part}`, rows), "string_ascii", "text"),
    ]);
    row += rows;
  }
  expect(await writer.finish()).toBe(2);
  const array = await openArray(location);
  expect(array.fragments.map(({ nonEmptyDomain }) => nonEmptyDomain)).toEqual([
    [[0n, 239_999n]],
    [[240_000n, 240_003n]],
  ]);
  const reader = new FrameReader(array);
  expect(reader.rowCount).toBe(240_004);
  const rows = Uint32Array.of(240_003, 0, 149_999, 150_000, 239_999, 240_000, 0);
  const frame = await reader.rows(rows);
  expect(columnValues(frame.columns.get("n")!)).toEqual([...rows]);
  expect(columnValues(frame.columns.get("text")!)).toEqual([
    "part3",
    "part0",
    "part0",
    "part2",
    "part2",
    "part2",
    "part0",
  ]);
  expect(columnValues(frame.index)).toEqual([...rows].map(String));
});

it("reads rows that lie close together with those between, and gives the same as apart", async () => {
  const location = { store: new MemoryStore(), path: "frame" };
  const attributes = [
    { name: "n", datatype: "int32" },
    { name: "text", datatype: "string_utf8" },
  ] as const;
  const count = 20_000;
  const texts = Array.from({ length: count }, (_, row) => "é".repeat(row % 4) + (row % 3 === 0 ? "" : row));
  const writer = await FrameWriter.create(location, attributes, count);
  const n: FrameColumn = { kind: "numeric", values: Int32Array.from({ length: count }, (_, row) => -row) };
  await writer.append([
    storedColumn(n, "int32", "n"),
    storedColumn(textColumn(texts), "string_utf8", "text"),
  ]);
  await writer.finish();
  const reader = new FrameReader(await openArray(location));
  // Below 64 runs, above it; too far apart for that; in another order.
  const cases = [
    { step: 3, many: 60 },
    { step: 3, many: 400 },
    { step: 31, many: 500 },
    { step: 150, many: 120 },
  ];
  for (const { step, many } of cases) {
    const rows = Uint32Array.from({ length: many }, (_, at) => 17 + at * step);
    for (const asked of [rows, rows.slice().reverse()]) {
      const { columns, index } = await reader.rows(asked);
      expect(columnValues(columns.get("n")!)).toEqual(Array.from(asked, (row) => -row));
      expect(textValues(columns.get("text") as ReturnType<typeof textColumn>)).toEqual(
        Array.from(asked, (row) => texts[row]),
      );
      expect(textValues(index)).toEqual(Array.from(asked, String));
    }
  }
});

it("refuses to end with other than the number of rows it was made for", async () => {
  const location = { store: new MemoryStore(), path: "frame" };
  const writer = await FrameWriter.create(location, [{ name: "n", datatype: "int32" }], 3);
  await writer.append([{ kind: "fixed", datatype: "int32", cellValNum: 1, values: Int32Array.of(1) }]);
  await expect(writer.finish()).rejects.toThrow("1 rows were written, expected 3");
});

describe("numbered rows", () => {
  it("are named by their decimal digits", () => {
    const numbers = Uint32Array.of(0, 9, 10, 99, 100, 4294967295, 1234567, 1000000000);
    expect(textValues(numberedIndex(numbers))).toEqual(Array.from(numbers, String));
    expect(textValues(numberedIndex(12))).toEqual(Array.from({ length: 12 }, (_, row) => `${row}`));
    expect(textValues(numberedIndex(0))).toEqual([]);
  });
});

describe("columns that are kept", () => {
  const text = textColumn(["a", null, "bcd"]);
  const numeric = { kind: "numeric", values: Float64Array.of(1, 2) } as const;
  const categorical = {
    kind: "categorical",
    codes: Int32Array.of(1, 0),
    categories: text,
    ordered: false,
  } as const;

  it.each([text, numeric, categorical])("come back as they were whatever callers write: $kind", (column) => {
    const expected = structuredClone(column);
    const given = structuredClone(column);
    const cache = new ColumnCache(1000);
    expect(cache.get("x")).toBeUndefined();
    cache.keep("x", given);
    const scribble = (one: FrameColumn | undefined) => {
      if (one?.kind === "text") one.data.fill(0);
      if (one?.kind === "numeric") one.values.fill(0 as never);
      if (one?.kind === "categorical") one.codes.fill(-1);
    };
    scribble(given);
    expect(cache.get("x")).toEqual(expected);
    scribble(cache.get("x"));
    expect(cache.get("x")).toEqual(expected);
  });

  it("take no more room than there is", () => {
    const cache = new ColumnCache(20);
    cache.keep("first", numeric);
    cache.keep("second", numeric);
    expect([cache.has("first"), cache.has("second")]).toEqual([true, false]);
  });
});
