import { expect, it } from "vitest";
import type { Column } from "../../src/array/columns.js";
import { openArray } from "../../src/array/open.js";
import { firstUnsorted } from "../../src/array/order/sort-cells.js";
import { sortKeys } from "../../src/array/order/sort-keys.js";
import { createArray } from "../../src/array/write/create.js";
import { writeDense } from "../../src/array/write/write-dense.js";
import { MemoryStore } from "../../src/storage/memory.js";
import { jsonRows } from "../support/cells-json.js";

const orders = ["row-major", "col-major"] as const;

it.each(orders.flatMap((cells) => orders.map((tiles) => [cells, tiles] as const)))(
  "dense cells in global order: cells %s, tiles %s, several ranges and a condition",
  async (cellOrder, tileOrder) => {
    const place = { store: new MemoryStore(), path: "a" };
    await createArray(place, {
      arrayType: "dense",
      cellOrder,
      tileOrder,
      dimensions: [
        { name: "x", datatype: "int32", domain: [-3, 9], tileExtent: 4 },
        { name: "y", datatype: "int32", domain: [2, 9], tileExtent: 3 },
      ],
      attributes: [{ name: "a", datatype: "int32" }],
    });
    await writeDense(
      place,
      [
        [-3, 9],
        [2, 9],
      ],
      { a: Int32Array.from({ length: 104 }, (_, i) => i) },
    );
    const array = await openArray(place);
    const query = {
      dimensions: ["x", "y"],
      ranges: {
        x: [[-3, -2], 0, [2, 8]],
        y: [
          [3, 4],
          [6, 6],
          [8, 9],
        ],
      },
      condition: "a != 30",
    } as const;
    const { columns, ...rest } = await array.read({ ...query, order: "global" });
    const coordinates: Column[] = [columns.x!, columns.y!];
    expect(firstUnsorted(sortKeys(array.schema, coordinates))).toBe(-1);
    const lines = (rows: readonly unknown[]) => rows.map((row) => JSON.stringify(row)).sort();
    const byRows = await array.read(query);
    expect(firstUnsorted(sortKeys(array.schema, [byRows.columns.x!, byRows.columns.y!]))).toBeGreaterThan(0);
    expect(lines(jsonRows({ columns, ...rest }))).toEqual(lines(jsonRows(byRows)));
  },
);
