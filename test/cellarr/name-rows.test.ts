import fc from "fast-check";
import { expect, it } from "vitest";
import { NameRows } from "../../src/cellarr/frames/name-rows.js";
import { textColumn } from "../../src/util/frame.js";

const name = fc.oneof(
  fc.constantFrom("", "a", "b", "ab", "ba", "é", "\u0000", "gene_1", "gene_2", "𝒳"),
  fc.string({ unit: "grapheme" }),
);

it("finds the first row of each name, whichever way it looks", () => {
  const column = fc.array(fc.option(name), { maxLength: 30 });
  fc.assert(
    fc.property(column, fc.array(name, { maxLength: 8 }), (rows, wanted) => {
      const few = new NameRows(textColumn(rows));
      const many = new NameRows(textColumn(rows));
      // From a hundred names on a table is made.
      many.find(Array.from({ length: 100 }, () => "x"));
      for (const one of wanted) {
        const expected = rows.findIndex((row) => (row ?? "") === one);
        expect(few.find(wanted).get(one) ?? -1).toBe(expected);
        expect(many.find(wanted).get(one) ?? -1).toBe(expected);
      }
    }),
  );
});
