import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createArray, type DimensionSelection, openArray, writeSparse } from "../../src/tiledb-node.js";
import { jsonRows } from "../support/cells-json.js";
import { hasPython, runPython } from "../support/python.js";
import { temporaryFolder } from "../support/temporary.js";

/** Slices with an end left out, as TileDB-Py's multi_index takes them. */
const SCRIPT = `
import json, sys
import tiledb
asked = json.load(sys.stdin)
answers = []
for x, name in asked["slices"]:
    with tiledb.open(asked["uri"]) as array:
        found = array.multi_index[slice(*x), slice(*name)]
        answers.append(sorted(int(value) for value in found["a"]))
print(json.dumps(answers))
`;

type Ends<T> = readonly [T | null, T | null];

const slices: readonly (readonly [Ends<number>, Ends<string>])[] = [
  [
    [null, null],
    [null, null],
  ],
  [
    [-3, null],
    [null, null],
  ],
  [
    [null, -4],
    [null, null],
  ],
  [
    [null, null],
    ["b", null],
  ],
  [
    [null, null],
    [null, "bb"],
  ],
  [
    [null, 0],
    ["ab", null],
  ],
  [
    [-7, 3],
    [null, "c"],
  ],
];

describe.skipIf(!hasPython)("ranges with an open end", () => {
  it("select what TileDB-Py selects, of negative numbers and of texts", async () => {
    const uri = join(await temporaryFolder(), "array");
    await createArray(uri, {
      arrayType: "sparse",
      capacity: 4,
      dimensions: [
        { name: "x", datatype: "int32", domain: [-10, 10], tileExtent: 4 },
        { name: "name", datatype: "string_ascii" },
      ],
      attributes: [{ name: "a", datatype: "int32" }],
    });
    const texts = ["", "a", "ab", "b", "bb", "c", "~~"];
    const count = 21 * texts.length;
    await writeSparse(uri, {
      x: Int32Array.from({ length: count }, (_, i) => Math.floor(i / texts.length) - 10),
      name: Array.from({ length: count }, (_, i) => texts[i % texts.length]!),
      a: Int32Array.from({ length: count }, (_, i) => i),
    });
    const expected = await runPython(SCRIPT, { uri, slices });
    const array = await openArray(uri);
    const found: number[][] = [];
    for (const [x, name] of slices) {
      const ranges: Record<string, DimensionSelection> = { x: [x], name: [name] };
      found.push(
        jsonRows(await array.read({ ranges }))
          .map((row) => Number(row.a))
          .sort((a, b) => a - b),
      );
    }
    expect(found).toEqual(expected);
    expect(new Set(found.map((cells) => cells.length)).size).toBe(slices.length);
  });

  it("join others and keep to the domain, in a dense array too", async () => {
    const uri = join(await temporaryFolder(), "array");
    const dimension = { name: "x", datatype: "int64", domain: [-5n, 5n], tileExtent: 3n } as const;
    await createArray(uri, {
      arrayType: "dense",
      dimensions: [dimension],
      attributes: [{ name: "a", datatype: "int8" }],
    });
    const array = await openArray(uri);
    const shape = async (x: DimensionSelection) => (await array.read({ ranges: { x } })).shape;
    expect(await shape([[null, -4n]])).toEqual([2]);
    expect(await shape([[4n, null], [null, -5n], -5n, [3n, 5n]])).toEqual([4]);
    expect(await shape([[null, null]])).toEqual([11]);
    expect((await array.plan({ ranges: { x: [[null, 0]] } })).ranges).toEqual([[[-5n, 0n]]]);
    await expect(array.read({ ranges: { x: [null as never] } })).rejects.toMatchObject({ code: "ARGUMENT" });
  });
});
