import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Column } from "../../src/array/columns.js";
import { jsonFormatter } from "../../src/cli/json-cells.js";
import type { Datatype } from "../../src/format/datatype.js";
import { bytesOfText } from "../../src/format/text-bytes.js";
import { jsonNumber } from "../../src/util/json-text.js";
import type { TypedArray } from "../../src/util/typed-arrays.js";

function fixed(datatype: Datatype, values: TypedArray, cellValNum = 1, validity?: Uint8Array): Column {
  const column = { kind: "fixed", datatype, values, cellValNum } as const;
  return validity === undefined ? column : { ...column, validity };
}

function variable(datatype: Datatype, cells: readonly Uint8Array[], validity?: Uint8Array): Column {
  const offsets = Uint32Array.from([0, ...cells.map(() => 0)]);
  cells.forEach((cell, i) => {
    offsets[i + 1] = offsets[i]! + cell.byteLength;
  });
  const column = { kind: "var", datatype, offsets, data: new Uint8Array(Buffer.concat(cells)) } as const;
  return validity === undefined ? column : { ...column, validity };
}

function texts(column: Column, cells: number): string[] {
  const format = jsonFormatter(column);
  return Array.from({ length: cells }, (_, cell) => format(cell));
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

describe("jsonFormatter", () => {
  it("prints numbers, and what JSON has no number for as text", () => {
    const values = Float64Array.of(
      1.5,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      -0,
      1e21,
    );
    expect(texts(fixed("float64", values), 6)).toEqual([
      "1.5",
      '"NaN"',
      '"Infinity"',
      '"-Infinity"',
      "-0.0",
      "1e+21",
    ]);
    expect(texts(fixed("int8", Int8Array.of(-128, 0)), 2)).toEqual(["-128", "0"]);
    expect(texts(fixed("bool", bytes(0, 1)), 2)).toEqual(["false", "true"]);
  });

  it("prints float32 so that the same float32 comes back", () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(JSON.parse(jsonNumber(Math.fround(value)))).toBe(Math.fround(value));
      }),
    );
  });

  it("prints 64-bit integers and datetimes as decimal strings", () => {
    const most = 2n ** 64n - 1n;
    expect(texts(fixed("uint64", BigUint64Array.of(most, 0n)), 2)).toEqual([`"${most}"`, '"0"']);
    const nat = -(2n ** 63n);
    expect(texts(fixed("datetime_ns", BigInt64Array.of(nat)), 1)).toEqual([`"${nat}"`]);
  });

  it("prints null where the validity says so", () => {
    expect(texts(fixed("int32", Int32Array.of(1, 2), 1, bytes(1, 0)), 2)).toEqual(["1", "null"]);
    expect(texts(variable("string_utf8", [text("a"), text("")], bytes(0, 1)), 2)).toEqual(["null", '""']);
  });

  it("prints several values a cell as an array, and variable numbers always so", () => {
    expect(texts(fixed("int16", Int16Array.of(1, 2, 3, 4), 2), 2)).toEqual(["[1,2]", "[3,4]"]);
    const cells = [
      new Uint8Array(Int32Array.of(5).buffer),
      bytes(),
      new Uint8Array(Int32Array.of(6, 7).buffer),
    ];
    expect(texts(variable("int32", cells), 3)).toEqual(["[5]", "[]", "[6,7]"]);
    const wide = [new Uint8Array(BigInt64Array.of(-1n, 2n).buffer)];
    expect(texts(variable("int64", wide), 1)).toEqual(['["-1","2"]']);
  });

  it("prints text, also of wide characters and fixed length", () => {
    const cells = [text('quote " and \\'), text("é漢"), text("")];
    expect(texts(variable("string_utf8", cells), 3).map((line) => JSON.parse(line))).toEqual([
      'quote " and \\',
      "é漢",
      "",
    ]);
    expect(texts(variable("string_ascii", [text("ab"), text("c")]), 2)).toEqual(['"ab"', '"c"']);
    expect(texts(fixed("char", bytes(97, 98, 0, 99, 0, 0), 3), 2)).toEqual(['"ab"', '"c"']);
    const wide = new Uint8Array(Uint16Array.of(0xd83d, 0xde00).buffer);
    expect(texts(variable("string_utf16", [wide]), 1).map((line) => JSON.parse(line))).toEqual(["😀"]);
    const wider = new Uint8Array(Uint32Array.of(0x1f600).buffer);
    expect(texts(variable("string_utf32", [wider]), 1).map((line) => JSON.parse(line))).toEqual(["😀"]);
  });

  it("prints blobs as base64", () => {
    expect(texts(variable("blob", [bytes(0, 255), bytes()]), 2)).toEqual(['"AP8="', '""']);
    expect(texts(fixed("blob", bytes(1, 2, 3, 4), 2), 2)).toEqual(['"AQI="', '"AwQ="']);
  });

  it("loses no byte of text that is not UTF-8", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 8 }), { minLength: 1, maxLength: 5 }), (cells) => {
        const lines = texts(variable("string_ascii", cells), cells.length);
        expect(lines.map((line) => [...bytesOfText(JSON.parse(line))])).toEqual(
          cells.map((cell) => [...cell]),
        );
      }),
    );
  });
});
