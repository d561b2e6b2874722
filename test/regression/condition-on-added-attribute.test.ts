import "../../src/node-platform.js";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openArray } from "../../src/array/open.js";
import { hasPython, runPython } from "../support/python.js";
import { temporaryFolder } from "../support/temporary.js";

/** Cells written before an attribute was added used to be compared by its fill value, which the core does not do. */

const script = `
import json, sys, numpy as np, pandas as pd, tiledb
given = json.load(sys.stdin)
uri = given["uri"]
x = tiledb.Dim("x", domain=(0, 10), tile=11, dtype="int64")
tiledb.Array.create(uri, tiledb.ArraySchema(
    domain=tiledb.Domain(x), attrs=[tiledb.Attr("a", dtype="int32")], sparse=True, capacity=3))
with tiledb.open(uri, "w") as array:
    array[np.arange(5)] = np.arange(5, dtype="int32")
evolution = tiledb.ArraySchemaEvolution()
evolution.add_attribute(tiledb.Attr("b", dtype="float64", fill=7.5))
evolution.add_attribute(tiledb.Attr("s", dtype="ascii", var=True))
evolution.add_attribute(tiledb.Attr("n", dtype="int16", nullable=True))
evolution.array_evolve(uri)
with tiledb.open(uri, "w") as array:
    array[np.arange(3, 8)] = {
        "a": np.arange(50, 55, dtype="int32"),
        "b": np.arange(5.0),
        "s": np.array(["a", "", "b", "c", "d"], dtype=object),
        "n": pd.array([1, None, 3, 4, 5], dtype="Int16"),
    }
with tiledb.open(uri) as array:
    found = [
        array.query(cond=condition, attrs=["a"], order="C").multi_index[:]["x"].tolist()
        for condition in given["conditions"]
    ]
print(json.dumps(found))
`;

const conditions = [
  "b == 7.5",
  "b != 7.5",
  "b < 100.0",
  "n == None",
  "n != None",
  "s != 'a'",
  "s in ['', 'c']",
  "b != 3.0 and a < 100",
  "b == 7.5 or a >= 0",
];

describe.skipIf(!hasPython)("conditions on an attribute that older fragments lack", () => {
  test("find the cells that the official library finds", { timeout: 60_000 }, async () => {
    const uri = join(await temporaryFolder(), "evolved");
    const expected = await runPython(script, { uri, conditions }, "newest");
    const array = await openArray(uri);
    const found = [];
    for (const condition of conditions) {
      const { columns } = await array.read({ condition, attributes: ["a"] });
      const { x } = columns;
      found.push(x?.kind === "fixed" ? Array.from(x.values, Number) : null);
    }
    expect(found).toEqual(expected);
    expect(found[0]).toEqual([]);
  });
});
