import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareCodePoints, GeneSet } from "../../src/cellarr/build/gene-set.js";
import { resolveFrameNames, resolveMatrices } from "../../src/cellarr/build/options.js";

describe("gene order", () => {
  it("is by code point, as the order of UTF-8 bytes", () => {
    const bytes = (text: string) => Buffer.from(text, "utf8");
    const text = fc.string({ unit: "binary", maxLength: 4 });
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(compareCodePoints(a, b))).toBe(Math.sign(Buffer.compare(bytes(a), bytes(b))));
      }),
    );
    expect(GeneSet.sorted(["b", "B", "a10", "a2", "\u{1F9EC}", "\uFB01", "B"]).names).toEqual([
      "B",
      "a10",
      "a2",
      "b",
      "\uFB01",
      "\u{1F9EC}",
    ]);
  });

  it("refuses a gene given twice", () => {
    expect(() => new GeneSet(["a", "b", "a"])).toThrow("'a' is in rows 0 and 2");
  });

  it("finds positions", () => {
    expect([...new GeneSet(["x", "a"]).positionsOf(["a", "q", "x"])]).toEqual([1, -1, 0]);
  });
});

describe("options", () => {
  it("names the store of a matrix after the matrix", () => {
    const names = resolveMatrices([{}, { matrixName: "log-norm" }, { matrixName: "raw/X" }]);
    expect(names.map(({ tiledbStoreName, dtype }) => [tiledbStoreName, dtype])).toEqual([
      ["counts", "uint16"],
      ["log-norm", "uint16"],
      ["raw_X", "uint16"],
    ]);
  });

  it("refuses matrices and stores given twice, and unknown values", () => {
    expect(() => resolveMatrices([{}, {}])).toThrow("matrix 'counts' is given twice");
    expect(() => resolveMatrices([{ matrixName: "a" }, { matrixName: "b", tiledbStoreName: "a" }])).toThrow(
      "store name of matrices 'a' is given twice",
    );
    const wrong = (options: object) => () => resolveMatrices(options);
    expect(wrong({ dtype: "float16" })).toThrow("dtype is 'float16', expected int8");
    expect(wrong({ onMisfit: "wrap" })).toThrow("onMisfit is 'wrap'");
    expect(wrong({ consolidateDuplicateGeneFunc: "median" })).toThrow("'median'");
    expect(wrong({ tiledbStoreName: "../x" })).toThrow("cannot be a store's name");
    expect(wrong({ tiledbStoreName: "__meta" })).toThrow("cannot be a store's name");
  });

  it("refuses frames in one folder", () => {
    const options = { outputPath: "x", files: [], cellMetadataOptions: { tiledbStoreName: "assays" } };
    expect(() => resolveFrameNames(options)).toThrow("store name 'assays' is given twice");
  });
});
