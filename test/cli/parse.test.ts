import { describe, expect, it } from "vitest";
import {
  parseCells,
  parseCoordinate,
  parseCount,
  parseNames,
  parseRange,
  parseTimestamp,
  parseTypedName,
} from "../../src/cli/parse.js";
import { UsageError } from "../../src/cli/usage.js";
import type { Dimension } from "../../src/format/array-schema.js";
import type { Datatype } from "../../src/format/datatype.js";

function dimension(datatype: Datatype): Dimension {
  const filters = { maxChunkSize: 65536, filters: [] };
  return { name: "d", datatype, cellValNum: 1, filters, domain: null, tileExtent: null };
}

describe("parseRange", () => {
  it.each([
    ["row=0:10", { dimension: "row", low: "0", high: "10" }],
    ["row=-5:-1", { dimension: "row", low: "-5", high: "-1" }],
    ["row=7", { dimension: "row", low: "7", high: "7" }],
    ["row=3:", { dimension: "row", low: "3", high: undefined }],
    ["row=:3", { dimension: "row", low: undefined, high: "3" }],
    ["name=", { dimension: "name", low: "", high: "" }],
    ["name=a=b", { dimension: "name", low: "a=b", high: "a=b" }],
    ["time=12\\:30:12\\:45", { dimension: "time", low: "12:30", high: "12:45" }],
  ])("%s", (text, expected) => {
    expect(parseRange(text)).toEqual(expected);
  });

  it.each(["row", "=1:2", "row=1:2:3"])("refuses %s", (text) => {
    expect(() => parseRange(text)).toThrow(UsageError);
  });
});

describe("parseCoordinate", () => {
  it("has the dimension's type", () => {
    expect(parseCoordinate("-7", dimension("int32"))).toBe(-7);
    expect(parseCoordinate("9223372036854775807", dimension("int64"))).toBe(9223372036854775807n);
    expect(parseCoordinate("-5", dimension("datetime_day"))).toBe(-5n);
    expect(parseCoordinate("1e-3", dimension("float64"))).toBe(0.001);
    expect(parseCoordinate("12", dimension("string_ascii"))).toBe("12");
  });

  it.each([
    ["1.5", "int32"],
    ["", "float32"],
    ["x", "float64"],
    ["0x10", "uint64"],
    ["90071992547409930", "uint32"],
  ] as const)("refuses '%s' for %s", (text, datatype) => {
    expect(() => parseCoordinate(text, dimension(datatype))).toThrow(/--range d: /);
  });
});

describe("parseTimestamp", () => {
  it.each([
    ["12", 12],
    ["5:12", [5, 12]],
    ["5:", [5, Number.MAX_SAFE_INTEGER]],
    [":12", [0, 12]],
  ] as const)("%s", (text, expected) => {
    expect(parseTimestamp(text)).toEqual(expected);
  });

  it.each(["", ":", "a", "1:2:3", "12:5", "-1", "1.5"])("refuses '%s'", (text) => {
    expect(() => parseTimestamp(text)).toThrow(UsageError);
  });
});

describe("parseCells", () => {
  it("keeps the order and open ends", () => {
    expect(parseCells("5,300,17")).toEqual([
      { start: 5, end: 5 },
      { start: 300, end: 300 },
      { start: 17, end: 17 },
    ]);
    expect(parseCells("0:10, 50,7:")).toEqual([
      { start: 0, end: 10 },
      { start: 50, end: 50 },
      { start: 7, end: null },
    ]);
    expect(parseCells(":3")).toEqual([{ start: 0, end: 3 }]);
  });

  it.each(["", "1,", "-1", "3:1", "1:2:3", "a"])("refuses '%s'", (text) => {
    expect(() => parseCells(text)).toThrow(UsageError);
  });
});

describe("names and counts", () => {
  it("splits names", () => {
    expect(parseNames("A, B,C", "--genes")).toEqual(["A", "B", "C"]);
    expect(() => parseNames("A,,B", "--genes")).toThrow(/--genes A,,B: a name is empty/);
  });

  it("takes the type after the last colon", () => {
    const types = ["uint16", "float32"] as const;
    expect(parseTypedName("counts", "--matrix", types)).toEqual({ name: "counts", type: undefined });
    expect(parseTypedName("a:b:float32", "--matrix", types)).toEqual({ name: "a:b", type: "float32" });
    expect(() => parseTypedName("a:b", "--matrix", types)).toThrow(
      /unknown type 'b', expected uint16, float32/,
    );
    expect(() => parseTypedName(":uint16", "--matrix", types)).toThrow(UsageError);
  });

  it("checks counts", () => {
    expect(parseCount("0", "--limit")).toBe(0);
    expect(() => parseCount("0", "--threads", 1)).toThrow("--threads 0: expected a whole number from 1 on");
    expect(() => parseCount("1e3", "--limit")).toThrow(UsageError);
  });
});
