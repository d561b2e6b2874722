import { expect, test } from "vitest";
import { openArray } from "../../src/array/open.js";
import type { DimensionSelection } from "../../src/array/query.js";
import { createArray } from "../../src/array/write/create.js";
import { writeSparse } from "../../src/array/write/write-sparse.js";
import { ArgumentError } from "../../src/errors.js";
import { MemoryStore } from "../../src/storage/memory.js";

/** From JavaScript: a single number instead of a list used to select nothing, others failed without saying why. */

async function smallArray() {
  const location = { store: new MemoryStore(), path: "array" };
  await createArray(location, {
    arrayType: "sparse",
    dimensions: [
      { name: "x", datatype: "int32", domain: [0, 9] },
      { name: "s", datatype: "string_ascii" },
    ],
    attributes: [],
  });
  await writeSparse(location, { x: Int32Array.of(0, 5), s: ["a", "abc"] });
  return location;
}

test.each<[string, unknown]>([
  ["x", 5],
  ["x", null],
  ["x", [[0]]],
  ["x", [null]],
  ["x", [true]],
  ["x", [[0, undefined]]],
  ["x", ["5"]],
  ["s", "abc"],
  ["s", [["a", "b", "c"]]],
  ["s", [5]],
])("a selection of %s by %j is refused", async (dimension, selection) => {
  const array = await openArray(await smallArray());
  const ranges = { [dimension]: selection as DimensionSelection };
  await expect(array.read({ ranges })).rejects.toThrow(ArgumentError);
});

test("a timestamp that is no number is refused", async () => {
  const timestamp = new Date(5) as unknown as number;
  await expect(openArray(await smallArray(), { timestamp })).rejects.toThrow(ArgumentError);
});
