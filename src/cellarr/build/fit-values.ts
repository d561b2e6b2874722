import { datatypeInfo } from "../../format/datatype.js";
import type { MatrixDtype } from "../../h5ad/matrix.js";
import { ReusedArrays } from "../../util/reused-arrays.js";
import type { BigArray, NumberArray, TypedArray } from "../../util/typed-arrays.js";

/**
 * Values of a file into the dtype of a matrix. Nothing is wrapped, truncated or lost silently: a value that the dtype
 * does not have is a misfit, and the caller decides what becomes of it. Between floating-point types a value is
 * rounded to the nearest one, as NumPy does; only a finite value beyond the range is a misfit.
 */

/**
 * What to do with a value that the dtype does not have.
 * - "error": refuse the build.
 * - "round": to the nearest integer, halves to even; out of range is still an error.
 * - "clip": to the nearest end of the range; fractions are still an error.
 * - "round-clip": both.
 * NaN into an integer is an error always.
 */
export type MisfitRule = "error" | "round" | "clip" | "round-clip";

export interface FittedValues {
  readonly values: TypedArray;
  /** Position of the first value that does not fit, -1 where all do; `values` is unfinished then. */
  readonly misfit: number;
}

interface IntegerRange {
  readonly low: number;
  readonly high: number;
  /** Where clipping stops; not `high` for 64 bits, which have more values than numbers tell apart. */
  readonly clipHigh?: number;
}

const integerRanges: Partial<Record<MatrixDtype, IntegerRange>> = {
  int8: { low: -128, high: 127 },
  uint8: { low: 0, high: 255 },
  int16: { low: -32768, high: 32767 },
  uint16: { low: 0, high: 65535 },
  int32: { low: -2147483648, high: 2147483647 },
  uint32: { low: 0, high: 4294967295 },
  // Beyond 2^53 a number no longer says which integer it is.
  int64: { low: Number.MIN_SAFE_INTEGER, high: Number.MAX_SAFE_INTEGER, clipHigh: Infinity },
  uint64: { low: 0, high: Number.MAX_SAFE_INTEGER, clipHigh: Infinity },
};

/** Largest finite float32. */
const MAX_SINGLE = 3.4028234663852886e38;

/**
 * Converts `values` to `dtype`; the same array where it has that type already. Fitted integers of up to 32 bits lie in
 * `memory`, where that is given, until it is used for the next.
 */
export function fitValues(
  values: NumberArray,
  dtype: MatrixDtype,
  rule: MisfitRule,
  memory: ReusedArrays = new ReusedArrays(),
): FittedValues {
  const target = datatypeInfo(dtype).array;
  if (values instanceof target) return { values, misfit: -1 };
  const range = integerRanges[dtype];
  if (range === undefined) return fitFloats(values, dtype === "float32", rule);
  if (dtype === "int64" || dtype === "uint64") {
    const numbers = new Float64Array(values.length);
    const misfit = fitIntegers(values, numbers, range, rule);
    return { values: toBig(numbers, dtype), misfit };
  }
  const fitted = memory.take("fitted", target, values.length) as NumberArray;
  return { values: fitted, misfit: fitIntegers(values, fitted, range, rule) };
}

function fitIntegers(values: NumberArray, into: NumberArray, range: IntegerRange, rule: MisfitRule): number {
  const { low, high, clipHigh = high } = range;
  const round = rule === "round" || rule === "round-clip";
  const clip = rule === "clip" || rule === "round-clip";
  for (let at = 0; at < values.length; at++) {
    let value = values[at]!;
    if (clip && value < low) value = low;
    if (clip && value > clipHigh) value = clipHigh;
    if (round && !Number.isInteger(value)) value = roundHalfEven(value);
    if (!(value >= low && value <= high && Number.isInteger(value))) return at;
    into[at] = value;
  }
  return -1;
}

function fitFloats(values: NumberArray, single: boolean, rule: MisfitRule): FittedValues {
  if (!single) return { values: Float64Array.from(values), misfit: -1 };
  const fitted = new Float32Array(values.length);
  const clip = rule === "clip" || rule === "round-clip";
  for (let at = 0; at < values.length; at++) {
    const value = values[at]!;
    fitted[at] = value;
    if (Math.abs(fitted[at]!) !== Number.POSITIVE_INFINITY || Math.abs(value) === Number.POSITIVE_INFINITY) {
      continue;
    }
    if (!clip) return { values: fitted, misfit: at };
    fitted[at] = Math.sign(value) * MAX_SINGLE;
  }
  return { values: fitted, misfit: -1 };
}

/** As NumPy's rint. */
export function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  const part = value - below;
  if (part !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}

/** Safe integers as 64-bit integers, by 32-bit halves: no BigInt per value. */
function toBig(numbers: Float64Array, dtype: "int64" | "uint64"): BigArray {
  const words = new Uint32Array(numbers.length * 2);
  for (let at = 0; at < numbers.length; at++) {
    const value = numbers[at]!;
    words[2 * at] = value % 4294967296;
    words[2 * at + 1] = Math.floor(value / 4294967296);
  }
  return dtype === "int64" ? new BigInt64Array(words.buffer) : new BigUint64Array(words.buffer);
}

/**
 * Values as numbers: the same array unless they are 64-bit integers, which become float64. Those beyond 2^53 are
 * rounded; they are a misfit for every integer type, and what NumPy makes of them for floating-point ones.
 */
export function asNumbers(values: TypedArray): NumberArray {
  if (!(values instanceof BigInt64Array) && !(values instanceof BigUint64Array)) return values;
  const signed = values instanceof BigInt64Array;
  const words = new Int32Array(values.buffer, values.byteOffset, values.length * 2);
  const numbers = new Float64Array(values.length);
  for (let at = 0; at < values.length; at++) {
    const high = signed ? words[2 * at + 1]! : words[2 * at + 1]! >>> 0;
    numbers[at] = high * 4294967296 + (words[2 * at]! >>> 0);
  }
  return numbers;
}
