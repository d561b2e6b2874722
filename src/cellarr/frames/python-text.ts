import { type FrameColumn, type TextColumn, textValues } from "../../util/frame.js";
import type { TypedArray } from "../../util/typed-arrays.js";
import { TextBuilder } from "./text-builder.js";

/**
 * Values as text, as Python writes them into ascii columns: a store must not tell from its text which language built
 * it, and conditions such as `age == '36.0'` must find the same rows.
 */

/** Text of a missing value, as NumPy writes NaN (pandas also writes `None` and `<NA>`, by the column's type). */
export const MISSING_TEXT = "nan";

/** A floating-point number as Python's `repr` writes it: the shortest digits that read back the same. */
export function pythonFloat(value: number, single = false): string {
  if (Number.isNaN(value)) return "nan";
  if (value === Number.POSITIVE_INFINITY) return "inf";
  if (value === Number.NEGATIVE_INFINITY) return "-inf";
  if (Object.is(value, -0)) return "-0.0";
  const [mantissa, exponentText] = (single ? shortestSingle(value) : value.toExponential()).split("e") as [
    string,
    string,
  ];
  const exponent = Number(exponentText);
  if (exponent < -4 || exponent >= 16) return scientific(mantissa, exponent);
  const sign = value < 0 ? "-" : "";
  return sign + positional(mantissa.replace("-", "").replace(".", ""), exponent);
}

function scientific(mantissa: string, exponent: number): string {
  const digits = `${Math.abs(exponent)}`.padStart(2, "0");
  return `${mantissa}e${exponent < 0 ? "-" : "+"}${digits}`;
}

function positional(digits: string, exponent: number): string {
  if (exponent < 0) return `0.${"0".repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, "0");
  return `${whole}.${digits.slice(exponent + 1) || "0"}`;
}

/** The shortest scientific form that is the same float32. */
function shortestSingle(value: number): string {
  for (let digits = 0; digits < 9; digits++) {
    const text = value.toExponential(digits);
    if (Math.fround(Number(text)) === value) return text.replace(/\.?0+e/, "e");
  }
  return value.toExponential();
}

/** A column as text without missing values. Text and categories of text are taken as they are. */
export function pythonText(column: FrameColumn): TextColumn {
  switch (column.kind) {
    case "text":
      return fillMissing(column);
    case "categorical":
      return categoricalText(column.codes, pythonText(column.categories));
    case "boolean":
      return mapText(column.values, column.validity, (value) => (value === 0 ? "False" : "True"));
    case "numeric":
      return mapText(column.values, column.validity, numberFormat(column.values));
  }
}

function numberFormat(values: TypedArray): (value: number | bigint) => string {
  if (values instanceof Float64Array) return (value) => pythonFloat(Number(value));
  if (values instanceof Float32Array) return (value) => pythonFloat(Number(value), true);
  return (value) => value.toString();
}

function mapText(
  values: TypedArray,
  validity: Uint8Array | undefined,
  format: (value: number | bigint) => string,
): TextColumn {
  const builder = new TextBuilder();
  for (let row = 0; row < values.length; row++) {
    builder.push(validity?.[row] === 0 ? MISSING_TEXT : format(values[row]!));
  }
  return builder.finish();
}

function fillMissing(column: TextColumn): TextColumn {
  if (column.validity === undefined) return column;
  const builder = new TextBuilder();
  const { offsets, data, validity } = column;
  for (let row = 0; row + 1 < offsets.length; row++) {
    if (validity?.[row] === 0) builder.push(MISSING_TEXT);
    else builder.pushBytes(data, offsets[row], offsets[row + 1]);
  }
  return builder.finish();
}

function categoricalText(codes: Int32Array, categories: TextColumn): TextColumn {
  return fillMissing(textOfCodes(codes, categories));
}

function textOfCodes(codes: Int32Array, { offsets, data, validity }: TextColumn): TextColumn {
  const builder = new TextBuilder();
  for (const code of codes) {
    if (code < 0 || validity?.[code] === 0) builder.pushMissing();
    else builder.pushBytes(data, offsets[code], offsets[code + 1]);
  }
  return builder.finish();
}

/** A column as text that is missing where the column's value is; a NaN among numbers is the text "nan". */
export function nullableText(column: FrameColumn): TextColumn {
  if (column.kind === "text") return column;
  if (column.kind === "categorical") return textOfCodes(column.codes, nullableText(column.categories));
  const { offsets, data } = pythonText(column);
  if (column.validity === undefined) return { kind: "text", offsets, data };
  const builder = new TextBuilder();
  for (const [row, valid] of column.validity.entries()) {
    if (valid === 0) builder.pushMissing();
    else builder.pushBytes(data, offsets[row], offsets[row + 1]);
  }
  return builder.finish();
}

/** All strings of a column as `pythonText` writes them. */
export function pythonStrings(column: FrameColumn): string[] {
  return textValues(pythonText(column)).map((value) => value ?? MISSING_TEXT);
}
