import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openArray } from "../../src/array/open.js";
import { createArray } from "../../src/array/write/create.js";
import { writeSparse } from "../../src/array/write/write-sparse.js";
import { resolveLocation } from "../../src/storage/resolve.js";
import "../../src/node-platform.js";
import { hasPython, runPython } from "../support/python.js";
import { temporaryFolder } from "../support/temporary.js";

/** Lists of floating-point numbers find cells by their bytes: 0 is not -0. */

const ASK = `
import json, sys
import numpy as np
from core_cells import OpenArray, read_cells

asked = json.load(sys.stdin)
found = []
with OpenArray(asked["uri"]) as array:
    for field, values, negated in asked["conditions"]:
        numbers = [float(value) for value in values]
        condition = {"kind": "in", "field": field, "values": numbers, "negated": negated}
        columns = read_cells(array, attributes=[], dimensions=["d"], condition=condition)["columns"]
        found.append(np.frombuffer(columns["d"]["values"], "<i4").tolist())
print(json.dumps(found))
`;

const cells = [0, -0, 1.5, -2, Number.NaN, 0];
const lists = [["0"], ["-0"], ["0", "-0"], ["1.5", "-2"], ["-0", "1.5"], ["nan"], ["nan", "0"]];
/** Numbers as text, since JSON has neither -0 nor NaN. */
const conditions = ["double", "single"].flatMap((field) =>
  lists.flatMap((list) => [[field, list, false] as const, [field, list, true] as const]),
);

describe.skipIf(!hasPython)("lists of floating-point numbers", () => {
  it.each([1, 3])("find what the official library finds, in tiles of %i cells", async (capacity) => {
    const uri = join(await temporaryFolder(), "array");
    const place = resolveLocation(uri);
    await createArray(place, {
      arrayType: "sparse",
      capacity,
      dimensions: [{ name: "d", datatype: "int32", domain: [0, 99], tileExtent: 100 }],
      attributes: [
        { name: "double", datatype: "float64" },
        { name: "single", datatype: "float32" },
      ],
    });
    await writeSparse(place, {
      d: Int32Array.from(cells.keys()),
      double: Float64Array.from(cells),
      single: Float32Array.from(cells),
    });
    const array = await openArray(uri);
    const found: number[][] = [];
    for (const [field, list, negated] of conditions) {
      const values = list.map((text) => (text === "nan" ? Number.NaN : Number(text)));
      const condition = { kind: "in" as const, field, values, negated };
      const { columns } = await array.read({ condition, attributes: [] });
      found.push(columns.d!.kind === "fixed" ? Array.from(columns.d!.values, Number) : []);
    }
    expect(found).toEqual(await runPython(ASK, { uri, conditions }));
  });
});
