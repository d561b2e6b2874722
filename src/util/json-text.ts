import type { FrameValue } from "./frame.js";
import type { TypedArray } from "./typed-arrays.js";

/** Values as JSON text, as all answers of this package write them. */

/** One number as JSON text; what JSON has no number for is a string. */
export function jsonNumber(value: number): string {
  if (value === 0 && Object.is(value, -0)) return "-0.0";
  return Number.isFinite(value) ? `${value}` : `"${value}"`;
}

/** A value of metadata: 64-bit integers are decimal strings. */
export function jsonValue(value: FrameValue): string {
  if (typeof value === "number") return jsonNumber(value);
  return typeof value === "bigint" ? `"${value}"` : JSON.stringify(value);
}

/** JSON texts of the values of a matrix. */
export function jsonFormatterOf(values: TypedArray): (i: number) => string {
  if (values instanceof BigInt64Array || values instanceof BigUint64Array) return (i) => `"${values[i]}"`;
  return (i) => jsonNumber(values[i]!);
}
