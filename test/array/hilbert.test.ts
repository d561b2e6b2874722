import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import "../../src/node-platform.js";
import { cellScalars } from "../../src/array/column-values.js";
import { openArray } from "../../src/array/open.js";

const fixtures = fileURLToPath(new URL("../../spec-fixtures/v22/", import.meta.url));

it("cells along a Hilbert curve: sorted by coordinates, as they lie, but not merged along the curve", async () => {
  const single = await openArray(`${fixtures}sparse-2d.cells-hilbert.tiles-row-major/array`);
  const names = single.schema.dimensions.map(({ name }) => name);
  const places = async (order: "row-major" | "global") => {
    const { columns, cellCount } = await single.read({ order });
    const coordinates = names.map((name) => cellScalars(columns[name]!));
    return Array.from({ length: cellCount }, (_, i) => coordinates.map((column) => column[i]).join());
  };
  const sorted = await places("row-major");
  const stored = await places("global");
  expect([...stored].sort()).toEqual([...sorted].sort());
  expect(stored).not.toEqual(sorted);
  const several = await openArray(`${fixtures}fragments.hilbert/array`);
  expect(several.fragments.length).toBeGreaterThan(1);
  await expect(several.read({ order: "global" })).rejects.toMatchObject({ code: "UNSUPPORTED" });
  const { cellCount } = await several.read({ order: "unordered" });
  expect(cellCount).toBe((await several.read()).cellCount);
});
