import { expect, it } from "vitest";
import { consolidate } from "../../src/array/consolidate/consolidate.js";
import { openArray } from "../../src/array/open.js";
import { createArray } from "../../src/array/write/create.js";
import { writeDense } from "../../src/array/write/write-dense.js";
import { MemoryStore } from "../../src/storage/memory.js";

/** All of int64 but for one tile, as TileDB-Py makes frames from CSV: no coordinate is near the domain's low end. */
const domain = [-(2n ** 63n), 2n ** 63n - 1n - 10n] as const;

it("reads, writes and consolidates a dense array whose domain starts beyond -2^53", async () => {
  const location = { store: new MemoryStore(), path: "a" };
  await createArray(location, {
    arrayType: "dense",
    dimensions: [{ name: "row", datatype: "int64", domain, tileExtent: 10n }],
    attributes: [{ name: "v", datatype: "int32" }],
  });
  await writeDense(
    location,
    [[-3n, 8n]],
    { v: Int32Array.from({ length: 12 }, (_, at) => at - 3) },
    { timestamp: 1 },
  );
  await writeDense(
    location,
    [[9n, 25n]],
    { v: Int32Array.from({ length: 17 }, (_, at) => at + 9) },
    { timestamp: 2 },
  );
  const read = async () => {
    const array = await openArray(location);
    const { columns } = await array.read({ ranges: { row: [[-3, -1], 4, [7, 20]] }, dimensions: ["row"] });
    return columns;
  };
  const expected = [-3, -2, -1, 4, ...Array.from({ length: 14 }, (_, at) => at + 7)];
  const check = async () => {
    expect(await read()).toMatchObject({
      row: { values: BigInt64Array.from(expected, BigInt) },
      v: { values: Int32Array.from(expected) },
    });
  };
  await check();
  await consolidate(location);
  await check();
  expect((await openArray(location)).nonEmptyDomain()).toEqual([[-3n, 25n]]);
  await expect(writeDense(location, [[domain[0], domain[0]]], { v: Int32Array.of(1) })).rejects.toMatchObject(
    { code: "LIMIT" },
  );
});
