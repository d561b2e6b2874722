import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fixedColumn, takeCells } from "../../src/array/column-ops.js";
import type { Datatype } from "../../src/format/datatype.js";
import { datatypeInfo } from "../../src/format/datatype.js";
import { bytesOf } from "../../src/util/typed-arrays.js";

const datatypes: readonly Datatype[] = ["int8", "uint16", "float32", "int64", "uint64", "float64"];

describe("taking cells", () => {
  test("keeps every bit of fixed cells of any width, NaN payloads too", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...datatypes),
        fc.integer({ min: 1, max: 3 }),
        fc.uint8Array({ minLength: 240, maxLength: 240 }),
        fc.array(fc.nat(9), { maxLength: 20 }),
        (datatype, perCell, drawn, cells) => {
          const width = perCell * datatypeInfo(datatype).bytes;
          const bytes = drawn.slice(0, 10 * width);
          const column = takeCells(fixedColumn(datatype, perCell, bytes), Uint32Array.from(cells));
          const expected = cells.flatMap((cell) => [...bytes.subarray(cell * width, (cell + 1) * width)]);
          expect(column.kind === "fixed" && [...bytesOf(column.values)]).toEqual(expected);
        },
      ),
    );
  });
});
