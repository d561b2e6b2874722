import { parse } from "csv-parse/sync";
import { stringify } from "csv-stringify/sync";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseCsv, parseCsvText } from "../../src/cellarr/frames/csv.js";
import { columnValues } from "../../src/util/frame.js";

async function rowsOf(text: string): Promise<(string | null)[][]> {
  const frame = await parseCsvText(text);
  const columns = [...frame.columns.values()].map(columnValues);
  return Array.from({ length: frame.rowCount }, (_, row) =>
    columns.map((column) => column[row] as string | null),
  );
}

describe("parseCsv", () => {
  it("reads what csv-stringify writes, and the same as csv-parse", async () => {
    const cell = fc.oneof(
      fc.string({ maxLength: 5 }),
      fc.constantFrom("a,b", 'say "x"', "two\nlines", "é", "\r\n"),
    );
    const table = fc
      .integer({ min: 2, max: 4 })
      .chain((width) => fc.array(fc.array(cell, { minLength: width, maxLength: width }), { maxLength: 6 }));
    await fc.assert(
      fc.asyncProperty(
        table,
        fc.constantFrom("\n", "\r\n"),
        fc.boolean(),
        async (rows, record_delimiter, quoted) => {
          const width = rows[0]?.length ?? 2;
          const header = Array.from({ length: width }, (_, at) => `h${at}`);
          const text = stringify([header, ...rows], { record_delimiter, quoted, quoted_match: /[\r\n]/ });
          const expected = (parse(text) as string[][]).slice(1);
          expect(expected).toEqual(rows);
          expect(await rowsOf(text)).toEqual(
            rows.map((row) => row.map((value) => (value === "" ? null : value))),
          );
        },
      ),
    );
  });

  it("keeps values as they are written", async () => {
    expect(await rowsOf("a,b\n007,1.50\nTrue, x \n")).toEqual([
      ["007", "1.50"],
      ["True", " x "],
    ]);
  });

  it("takes the first column as row names", async () => {
    const frame = await parseCsvText("gene,name\nENSG1,A\nENSG2,B", { indexColumn: true });
    expect(columnValues(frame.index)).toEqual(["ENSG1", "ENSG2"]);
    expect(frame.indexName).toBe("gene");
    expect(frame.columnNames).toEqual(["name"]);
    expect((await parseCsvText(",name\n1,A", { indexColumn: true })).indexName).toBeNull();
  });

  it("names a nameless column, skips blank lines and a byte order mark", async () => {
    const frame = await parseCsvText("\ufeff\r\n,b\r\n\r\n0,x\r\n\r\n1,y\r\n");
    expect(frame.columnNames).toEqual(["Unnamed: 0", "b"]);
    expect(columnValues(frame.columns.get("b")!)).toEqual(["x", "y"]);
  });

  it.each([
    ["a,b\n1\n", "CSV row 2: 1 values, expected 2"],
    ["a,b\n1,2,3\n", "CSV row 2: 3 values, expected 2"],
    ['a\n"x\ny', "CSV row 2: Quoted field unterminated"],
    ['a\n"x"y\n', "CSV row 2: Trailing quote on quoted field is malformed"],
    ["a,a\n", "column 'a' is in the header twice"],
    ["\n\n", "the file is empty"],
  ])("refuses %j", async (text, message) => {
    await expect(parseCsvText(text)).rejects.toThrow(message);
  });

  it("refuses bytes that are not UTF-8, and more than a string holds", async () => {
    const latin = Uint8Array.from("id\nm\u00fcller\n", (letter) => letter.charCodeAt(0));
    await expect(parseCsv(latin, { where: "cells.csv" })).rejects.toThrow("CSV is not UTF-8 (cells.csv)");
    await expect(parseCsv(new Uint8Array(2 ** 29))).rejects.toThrow("CSV of 536870912 bytes");
  });
});
