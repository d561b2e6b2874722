import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { asNumbers, fitValues, roundHalfEven } from "../../src/cellarr/build/fit-values.js";
import { storedColumn } from "../../src/cellarr/frames/column-types.js";
import { pythonFloat, pythonStrings } from "../../src/cellarr/frames/python-text.js";
import { textColumn } from "../../src/util/frame.js";

describe("fitValues", () => {
  it("keeps an array that has the type already", () => {
    const values = Uint16Array.of(1, 2);
    expect(fitValues(values, "uint16", "error").values).toBe(values);
  });

  it("finds the first value that does not fit", () => {
    const misfit = (values: number[], dtype: "uint16" | "int8" | "float32" | "uint64") =>
      fitValues(Float64Array.from(values), dtype, "error").misfit;
    expect(misfit([1, 65535, 70000], "uint16")).toBe(2);
    expect(misfit([1, 1.5], "uint16")).toBe(1);
    expect(misfit([Number.NaN], "uint16")).toBe(0);
    expect(misfit([-1], "uint16")).toBe(0);
    expect(misfit([-128, 127], "int8")).toBe(-1);
    expect(misfit([Number.NaN, Number.POSITIVE_INFINITY], "float32")).toBe(-1);
    expect(misfit([1e39], "float32")).toBe(0);
    expect(misfit([2 ** 53], "uint64")).toBe(0);
  });

  it("rounds and clips only when asked", () => {
    const values = Float64Array.of(0.5, 1.5, -3, 70000.4);
    expect(fitValues(values, "uint16", "round").misfit).toBe(2);
    expect(fitValues(values, "uint16", "clip").misfit).toBe(0);
    const both = fitValues(values, "uint16", "round-clip");
    expect([both.misfit, ...both.values]).toEqual([-1, 0, 2, 0, 65535]);
    expect(fitValues(Float64Array.of(Number.NaN), "uint16", "round-clip").misfit).toBe(0);
    expect(fitValues(Float64Array.of(-1e39), "float32", "clip").values[0]).toBe(-3.4028234663852886e38);
  });

  it("goes to 64-bit integers and back without loss up to 2^53", () => {
    const integers = fc.array(fc.maxSafeInteger(), { maxLength: 20 });
    fc.assert(
      fc.property(integers, (list) => {
        const { values, misfit } = fitValues(Float64Array.from(list), "int64", "error");
        expect(misfit).toBe(-1);
        expect([...values]).toEqual(list.map(BigInt));
        expect([...asNumbers(values)]).toEqual(list.map((value) => value + 0));
      }),
    );
    const unsigned = BigUint64Array.of(2n ** 63n, 5n);
    expect([...asNumbers(unsigned)]).toEqual([2 ** 63, 5]);
    expect(fitValues(asNumbers(unsigned), "uint64", "round-clip").misfit).toBe(0);
  });

  it("rounds halves to even", () => {
    expect([0.5, 1.5, 2.5, -0.5, -1.5, 2.4, 2.6].map(roundHalfEven).map((value) => value + 0)).toEqual([
      0, 2, 2, 0, -2, 2, 3,
    ]);
  });
});

describe("text as Python writes it", () => {
  it("writes numbers as repr does", () => {
    const cases: [number, string][] = [
      [10, "10.0"],
      [0, "0.0"],
      [-0, "-0.0"],
      [36.3, "36.3"],
      [1e15, "1000000000000000.0"],
      [1e16, "1e+16"],
      [1.5e-5, "1.5e-05"],
      [0.0001, "0.0001"],
      [-1234.5678, "-1234.5678"],
      [1e-7, "1e-07"],
      [1.7976931348623157e308, "1.7976931348623157e+308"],
      [Number.NaN, "nan"],
      [Number.NEGATIVE_INFINITY, "-inf"],
    ];
    for (const [value, text] of cases) expect(pythonFloat(value)).toBe(text);
  });

  it("writes float32 with its own shortest digits, which read back the same", () => {
    expect(pythonFloat(Math.fround(0.1), true)).toBe("0.1");
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(Math.fround(Number(pythonFloat(value, true)))).toBe(value);
      }),
    );
  });

  it("writes every kind of column", () => {
    expect(pythonStrings({ kind: "boolean", values: Uint8Array.of(0, 1) })).toEqual(["False", "True"]);
    expect(pythonStrings(textColumn(["a", null, "é"]))).toEqual(["a", "nan", "é"]);
    expect(pythonStrings({ kind: "numeric", values: BigInt64Array.of(-5n) })).toEqual(["-5"]);
    expect(pythonStrings({ kind: "numeric", values: Float64Array.of(10, Number.NaN) })).toEqual([
      "10.0",
      "nan",
    ]);
    const categories = textColumn(["u", "v"]);
    const codes = Int32Array.of(1, -1, 0);
    expect(pythonStrings({ kind: "categorical", codes, categories, ordered: false })).toEqual([
      "v",
      "nan",
      "u",
    ]);
  });
});

describe("storedColumn", () => {
  it("parses numbers of text", () => {
    const column = textColumn(["1", " 2 ", "-3"]);
    expect(storedColumn(column, "int32", "x")).toMatchObject({ values: Int32Array.of(1, 2, -3) });
    const floats = storedColumn(textColumn(["1.5", null, "inf", "NA"]), "float64", "x");
    expect(floats).toMatchObject({
      values: Float64Array.of(1.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NaN),
    });
    expect(storedColumn(textColumn(["True", "false"]), "bool", "x")).toMatchObject({
      values: Uint8Array.of(1, 0),
    });
  });

  it("names column, row and value that do not have the type", () => {
    expect(() => storedColumn(textColumn(["1", "x"]), "int32", "table: column 'a'")).toThrow(
      "table: column 'a': 'x' in row 1 is no number",
    );
    expect(() => storedColumn(textColumn(["1", null]), "int32", "t")).toThrow(
      "a missing value in row 1 is no int32",
    );
    expect(() => storedColumn(textColumn(["300"]), "uint8", "t")).toThrow("'300' in row 0 is no uint8");
    expect(() => storedColumn(textColumn(["a", "é"]), "string_ascii", "t")).toThrow(
      "'é' in row 1 is not ASCII",
    );
  });

  it("keeps 64-bit integers whole", () => {
    const values = BigInt64Array.of(2n ** 62n);
    expect(storedColumn({ kind: "numeric", values }, "int64", "t")).toMatchObject({ values });
  });
});
