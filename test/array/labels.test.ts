import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeEach, describe, expect, it } from "vitest";
import "../../src/node-platform.js";
import { cellScalars } from "../../src/array/column-values.js";
import { openArray, type TileDBArray } from "../../src/array/open.js";
import type { ReadQuery } from "../../src/array/query.js";
import { LabelOrderCheck } from "../../src/array/read/label-order.js";
import { checkLabelArray, labelPath, withoutLabelRanges } from "../../src/array/read/label-ranges.js";
import { createArray } from "../../src/array/write/create.js";
import { writeDense } from "../../src/array/write/write-dense.js";
import { type DimensionLabel, readArraySchema, writeArraySchema } from "../../src/format/array-schema.js";
import { MemoryStore } from "../../src/storage/memory.js";

const fixtures = fileURLToPath(new URL("../../spec-fixtures/", import.meta.url));
const json = (path: string) => JSON.parse(readFileSync(path, "utf8"));

interface LabelCell {
  readonly index: number;
  readonly label: number | string;
}

describe.each(["v18", "v22"])("dimension labels of official %s files", (version) => {
  const folder = `${fixtures}${version}/dimension-labels`;
  // By folder below __labels.
  const { l0, l1, l2 }: Record<string, LabelCell[]> = json(`${folder}/labels.json`);
  const expected: Record<string, LabelCell[]> = { weight: l0!, down: l1!, name: l2! };
  const cells: { d: number; a: number }[] = json(`${folder}/cells.json`);
  let array: TileDBArray;

  beforeEach(async () => {
    array = await openArray(`${folder}/array`);
  });

  const indexes = async (labelRanges: ReadQuery["labelRanges"]) =>
    cellScalars((await array.read({ labelRanges, dimensions: ["d"] })).columns.d!);

  /** Indexes of the labels that pass, by the fixture's own list. */
  const passing = (name: string, passes: (label: never) => boolean) =>
    expected[name]!.filter(({ label }) => passes(label as never)).map(({ index }) => index);

  it("are listed with their dimensions", () => {
    expect(array.labels).toEqual([
      { name: "weight", dimension: "d", order: "increasing", datatype: "float64" },
      { name: "down", dimension: "d", order: "decreasing", datatype: "int32" },
      { name: "name", dimension: "d", order: "increasing", datatype: "string_ascii" },
    ]);
  });

  it("are read as columns, whole and for a selection", async () => {
    for (const [name, list] of Object.entries(expected)) {
      expect(cellScalars(await array.readLabel(name))).toEqual(list.map(({ label }) => label));
      const some = await array.readLabel(name, { ranges: { d: [[2, 4], 8] } });
      expect(cellScalars(some)).toEqual([2, 3, 4, 8].map((i) => list[i]!.label));
    }
    const byOther = await array.readLabel("name", { labelRanges: { down: [[20, 31]] } });
    expect(cellScalars(byOther)).toEqual(["ee", "fff", "g"]);
    expect(cellScalars(await array.readLabel("down", { ranges: { d: [] } }))).toEqual([]);
  });

  it("select increasing numbers", async () => {
    const inside = passing("weight", (label: number) => label >= -0.5 && label <= 0.4);
    expect(inside).toEqual([3, 4, 5, 6]);
    expect(await indexes({ weight: [[-0.5, 0.4]] })).toEqual(inside);
    expect(await indexes({ weight: [[-1, -1], 1] })).toEqual([0, 9]);
    expect(await indexes({ weight: Float64Array.of(expected.weight![7]!.label as number) })).toEqual([7]);
  });

  it("select decreasing numbers", async () => {
    const inside = passing("down", (label: number) => label >= 11 && label <= 25);
    expect(inside).toEqual([5, 6, 7]);
    expect(await indexes({ down: [[11, 25]] })).toEqual(inside);
    expect(await indexes({ down: [50, [5, 10]] })).toEqual([0, 8, 9]);
  });

  it("select texts, by bytes", async () => {
    const inside = passing("name", (label: string) => label >= "bb" && label <= "eezz");
    expect(await indexes({ name: [["bb", "eezz"]] })).toEqual(inside);
    expect(await indexes({ name: ["j", "a", "b"] })).toEqual([0, 9]);
  });

  it("have ranges with open ends", async () => {
    expect(await indexes({ weight: [[0.5, null]] })).toEqual([7, 8, 9]);
    expect(await indexes({ down: [[null, 12]] })).toEqual([8, 9]);
    expect(await indexes({ down: [[41, null]] })).toEqual([0, 1]);
    expect(await indexes({ name: [[null, "c"]] })).toEqual([0, 1]);
    expect(await indexes({ name: [[null, null]] })).toHaveLength(10);
  });

  it("select nothing where no label lies in the range", async () => {
    expect(await indexes({ weight: [[0.12, 0.13]] })).toEqual([]);
    expect(await indexes({ down: [7, [51, 99]] })).toEqual([]);
    expect(await indexes({ name: [["k", "z"]] })).toEqual([]);
    expect(await indexes({ name: [] })).toEqual([]);
  });

  it("give the cells at them, in reads, batches, aggregates and plans alike", async () => {
    const query = { labelRanges: { down: [[30, 40]] } } as const;
    const wanted = [2, 3, 4].map((i) => cells[i]!.a);
    const { columns, shape } = await array.read(query);
    expect(shape).toEqual([3]);
    expect(cellScalars(columns.a!)).toEqual(wanted);
    const pieces: unknown[] = [];
    for await (const piece of array.batches(query, { memoryBudget: 1 })) {
      pieces.push(...cellScalars(piece.columns.a!));
    }
    expect(pieces).toEqual(wanted);
    const { fields } = await array.aggregate({ ...query, attributes: ["a"] });
    expect(fields.a!.sum).toBe(BigInt(wanted.reduce((sum, a) => sum + a, 0)));
    expect((await array.plan(query)).ranges).toEqual([[[2, 4]]]);
  });

  it("are refused where the query makes no sense", async () => {
    await expect(indexes({ nope: [1] })).rejects.toMatchObject({
      code: "NOT_FOUND",
      problem: "no dimension label 'nope', the array has 'weight', 'down', 'name'",
    });
    await expect(array.readLabel("d")).rejects.toMatchObject({ code: "NOT_FOUND" });
    const both = array.read({ labelRanges: { down: [5] }, ranges: { d: [1] } });
    await expect(both).rejects.toMatchObject({ code: "ARGUMENT", problem: expect.stringContaining("'d'") });
    const two = indexes({ down: [5], weight: [1] });
    await expect(two).rejects.toMatchObject({ code: "ARGUMENT", problem: expect.stringContaining("'down'") });
    await expect(indexes({ down: ["x"] })).rejects.toMatchObject({ code: "ARGUMENT" });
    await expect(indexes({ down: [[9, 5]] })).rejects.toMatchObject({ code: "ARGUMENT" });
    await expect(indexes({ name: [5] })).rejects.toMatchObject({ code: "ARGUMENT" });
    await expect(array.readLabel("weight", { ranges: { e: [1] } })).rejects.toMatchObject({
      code: "NOT_FOUND",
    });
  });

  it("of an unordered label, or of a place elsewhere, are refused", async () => {
    const [first] = array.schema.labels;
    const open = () => Promise.reject(new Error("not to be opened"));
    const unordered = { ...array.schema, labels: [{ ...first!, order: "unordered" as const }] };
    await expect(
      withoutLabelRanges(unordered, { labelRanges: { weight: [1] } }, open, "x"),
    ).rejects.toMatchObject({
      code: "UNSUPPORTED",
      problem: expect.stringContaining("'weight' is unordered"),
    });
    expect(labelPath(first!, "x")).toBe("__labels/l0");
    expect(() => labelPath({ ...first!, relative: false }, "x")).toThrow("outside the array");
    expect(labelPath({ ...first!, external: true }, "x")).toBe("__labels/l0");
    expect(() => labelPath({ ...first!, uri: "__labels/../../b" }, "x")).toThrow("no path below");
    expect(() => checkLabelArray(first!, array.schema.dimensions[0]!, array)).toThrow(
      "has not one dimension",
    );
  });
});

it("a schema whose label is of a dimension that it has not is refused", async () => {
  const { schema } = await openArray(`${fixtures}v22/dimension-labels/array`);
  const bytes = (dimension: number) =>
    writeArraySchema({ ...schema, labels: schema.labels.map((label) => ({ ...label, dimension })) });
  expect(readArraySchema(bytes(0), "x").labels).toEqual(schema.labels);
  expect(() => readArraySchema(bytes(1), "x")).toThrow("label weight is of dimension 1, there are 1");
});

it("an array without labels says so", async () => {
  const place = { store: new MemoryStore("mem://test"), path: "plain" };
  await createArray(place, {
    arrayType: "dense",
    dimensions: [{ name: "d", datatype: "int32", domain: [0, 9], tileExtent: 5 }],
    attributes: [{ name: "a", datatype: "int32" }],
  });
  await writeDense(place, [[0, 9]], { a: Int32Array.from({ length: 10 }, (_, i) => i) });
  const array = await openArray(place);
  expect(array.labels).toEqual([]);
  await expect(array.read({ labelRanges: { l: [1] } })).rejects.toMatchObject({
    code: "NOT_FOUND",
    problem: "no dimension label 'l', the array has none",
  });
  const { columns } = await array.read({ labelRanges: {}, ranges: { d: [[3, 4]] } });
  expect(cellScalars(columns.a!)).toEqual([3, 4]);
});

describe("labels of both dimensions of a sparse array of the official library", () => {
  const folder = `${fixtures}v22/dimension-labels.two-dimensions`;
  const all: { r: number; c: number; a: number }[] = json(`${folder}/cells.json`);
  const cellsOf = async (query: ReadQuery, timestamp?: number) => {
    const array = await openArray(`${folder}/array`, { timestamp });
    return cellScalars((await array.read(query)).columns.a!);
  };
  const expected = (passes: (r: number, c: number) => boolean) =>
    all
      .filter(({ r, c }) => passes(Number(r), Number(c)))
      .sort((x, y) => Number(x.r) - Number(y.r) || Number(x.c) - Number(y.c))
      .map(({ a }) => a);

  it("select with one another and with plain ranges", async () => {
    const rows = expected((r) => r * 7 >= 10 && r * 7 <= 60);
    expect(rows.length).toBeGreaterThan(5);
    expect(await cellsOf({ labelRanges: { when: [[10n, 60n]] } })).toEqual(rows);
    expect(await cellsOf({ labelRanges: { when: [[10n, 60n]], name: [["3", "6"]] } })).toEqual(
      expected((r, c) => r * 7 >= 10 && r * 7 <= 60 && 9 - c >= 3 && 9 - c <= 6),
    );
    expect(await cellsOf({ labelRanges: { name: ["2", "7"] }, ranges: { r: [[3n, 12n]] } })).toEqual(
      expected((r, c) => r >= 3 && r <= 12 && (c === 7 || c === 2)),
    );
  });

  it("with a gap are refused, but not of the time before it", async () => {
    const query: ReadQuery = { labelRanges: { gaps: [[4, 5]] } };
    await expect(cellsOf(query)).rejects.toMatchObject({
      code: "FORMAT",
      problem: expect.stringContaining(
        "'gaps' has no ranges: the coordinates between 7 and 12 have no labels",
      ),
    });
    // (20 - r) / 4 from 4 to 5.
    expect(await cellsOf(query, 1)).toEqual(expected((r) => r <= 4));
  });
});

it("labels out of order are refused, across pieces too", () => {
  const label: DimensionLabel = {
    dimension: 0,
    name: "l",
    relative: true,
    uri: "__labels/l0",
    attribute: "label",
    order: "increasing",
    datatype: "float64",
    cellValNum: 1,
    external: false,
  };
  const column = (...values: number[]) =>
    ({ kind: "fixed", datatype: "float64", cellValNum: 1, values: Float64Array.from(values) }) as const;
  const rising = new LabelOrderCheck(label, "x");
  rising.check(column(1, 2, 3), Int32Array.of(0, 1, 2));
  expect(() => rising.check(column(3, 4), Int32Array.of(3, 4))).toThrow("not increasing at coordinate 3");
  const falling = new LabelOrderCheck({ ...label, order: "decreasing" }, "x");
  expect(() => falling.check(column(3, 2, 2.5), Int32Array.of(0, 1, 2))).toThrow(
    "not decreasing at coordinate 2",
  );
});
