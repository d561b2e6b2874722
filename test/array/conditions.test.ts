import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import "../../src/node-platform.js";
import { cellScalars } from "../../src/array/column-values.js";
import { parseCondition } from "../../src/array/condition/query-condition-parser.js";
import { openArray } from "../../src/array/open.js";

const folder = fileURLToPath(new URL("../../spec-fixtures/read/", import.meta.url));

interface Answer {
  readonly condition: string;
  readonly ids: number[];
  readonly x: (number | null)[];
  readonly s: string[];
}

function answers(name: string): Answer[] {
  return JSON.parse(readFileSync(`${folder}${name}/conditions.json`, "utf8"));
}

describe("conditions on a sparse array keep the cells that the official library keeps", () => {
  it.each(answers("conditions").map((answer) => [answer.condition, answer.ids]))(
    "%s",
    async (condition, ids) => {
      const array = await openArray(`${folder}conditions/array`);
      const { columns } = await array.read({ condition, attributes: ["id"], dimensions: [] });
      expect((cellScalars(columns.id!) as number[]).sort((a, b) => a - b)).toEqual(ids);
      expect(Object.keys(columns)).toEqual(["id"]);
    },
  );

  it("together with ranges, in the order asked, with the columns that decided", async () => {
    const array = await openArray(`${folder}conditions/array`);
    const { columns } = await array.read({
      condition: "tissue == 'lung' or x > 20",
      ranges: { d: [[5n, 30n]] },
      attributes: ["tissue", "id", "x"],
    });
    const all = await array.read({ ranges: { d: [[5n, 30n]] } });
    const rows = (from: typeof columns) =>
      cellScalars(from.d!).map((d, i) => [d, cellScalars(from.tissue!)[i], cellScalars(from.x!)[i]]);
    const expected = rows(all.columns).filter(([, tissue, x]) => tissue === "lung" || (x as number) > 20);
    expect(rows(columns)).toEqual(expected);
    expect(expected.length).toBeGreaterThan(3);
  });
});

describe("conditions on a dense array put fill values where the official library does", () => {
  it.each(answers("conditions-dense").map((answer) => [answer.condition, answer]))(
    "%s",
    async (condition, answer) => {
      const array = await openArray(`${folder}conditions-dense/array`);
      const { columns, cellCount } = await array.read({ condition });
      const fill = -(2 ** 31);
      expect(cellCount).toBe(20);
      expect(cellScalars(columns.x!).map((x) => (x === fill ? null : x))).toEqual(answer.x);
      // TileDB-Py shows the fill of text, one NUL, as an empty text.
      expect(cellScalars(columns.s!).map((s) => (s === "\0" ? "" : s))).toEqual(answer.s);
    },
  );
});

describe("conditions that an array cannot answer", () => {
  it.each([
    ["nothing == 1", "NOT_FOUND", /no attribute or dimension 'nothing'.*'tissue'/],
    ["tissue == 1", "ARGUMENT", /'tissue' is string_utf8, 1 is no text/],
    ["x == 'lung'", "ARGUMENT", /'x' is int32, 'lung' is no number/],
    ["kind < 'b'", "ARGUMENT", /'kind' has an unordered enumeration/],
  ])("%s", async (condition, code, message) => {
    const array = await openArray(`${folder}conditions/array`);
    const error = await array.read({ condition }).catch((problem) => problem);
    expect(error.message).toMatch(message);
    expect(error.code).toBe(code);
  });
});

describe("condition text", () => {
  const x = (op: string, value: unknown) => ({ kind: "compare", field: "x", op, value });

  it.each([
    ["x == 1", x("==", 1)],
    ["1 < x", x(">", 1)],
    ["x == -1.5e3", x("==", -1500)],
    ["x == 9223372036854775807", x("==", 9223372036854775807n)],
    ["x == -9223372036854775808", x("==", -9223372036854775808n)],
    ["x == True", x("==", true)],
    ["x == 'it\\'s \"so\"\\n'", x("==", 'it\'s "so"\n')],
    ["x is None", { kind: "null", field: "x", negated: false }],
    ["x is not None", { kind: "null", field: "x", negated: true }],
    ["None != x", { kind: "null", field: "x", negated: true }],
    ["x in (1, 2,)", { kind: "in", field: "x", values: [1, 2], negated: false }],
    ["attr('x') == val(3)", x("==", 3)],
    ["1 < x <= 5", { kind: "and", operands: [x(">", 1), x("<=", 5)] }],
    ["not x == 1", { kind: "not", operand: x("==", 1) }],
    [
      "x == 1 or x == 2 and x == 3",
      { kind: "or", operands: [x("==", 1), { kind: "and", operands: [x("==", 2), x("==", 3)] }] },
    ],
    [
      "(x == 1 or x == 2) and x == 3",
      { kind: "and", operands: [{ kind: "or", operands: [x("==", 1), x("==", 2)] }, x("==", 3)] },
    ],
    ["naïve_1 == 'ü'", { kind: "compare", field: "naïve_1", op: "==", value: "ü" }],
    ["attr == 1", { kind: "compare", field: "attr", op: "==", value: 1 }],
  ])("%s", (text, tree) => {
    expect(parseCondition(text)).toEqual(tree);
  });

  it.each([
    ["", /expected a name or a value, found the end, at character 1/],
    ["x", /expected a comparison, found the end/],
    ["x ==", /expected a name or a value, found the end/],
    ["x == 1 x == 2", /expected 'and', 'or' or the end, found x, at character 8/],
    ["x = 1", /this means nothing here; equality is written ==, at character 3/],
    ["x == 'open", /this means nothing here, at character 6/],
    ["(x == 1", /expected '\)', found the end/],
    ["1 == 2", /a name on one side/],
    ["x == y", /a name on one side/],
    ["x < None", /None has no order/],
    ["x in [1 2]", /expected ',' or '\]', found 2/],
    ["x in [None]", /holds values, at character 7/],
    ["x not in []", /at least one value, at character 10/],
    ["x.y == 1", /a name with a dot is written attr\("\.\.\."\), at character 2/],
    ["x == 1 & y == 2", /& binds closer than comparisons/],
    ["x == 1 & y", /& binds closer than comparisons/],
    ["x == '\\u12'", /an escape or character that it cannot have, at character 6/],
    ["x == 0777", /this is no number, at character 6/],
    ["x is 1", /expected 'None'/],
    ["x == 1; y == 2", /this means nothing here, at character 7/],
    ["__import__('os')", /expected a comparison/],
    [`${"(".repeat(100_000)}x == 1`, /more than 200 conditions inside one another/],
    [`${"not ".repeat(100_000)}x == 1`, /more than 200 conditions inside one another/],
  ])("refuses %.40j", (text, message) => {
    expect(() => parseCondition(text)).toThrow(message);
  });
});

it("has a test for every fixture of reading", () => {
  expect(readdirSync(folder).sort()).toEqual(["conditions", "conditions-dense", "deleted"]);
});
