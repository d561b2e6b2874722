import type { BigArray, NumberArray, TypedArray } from "../../util/typed-arrays.js";

/** Smallest, largest and sum of a run of fixed cells, in loops that know the array's type and make no object a cell. */

export interface NumberScan {
  /** null where no cell is valid or all are NaN. */
  readonly min: number | bigint | null;
  readonly max: number | bigint | null;
  /** Of integers, exact; of floats, `floatSum` and the cells in their order, held at the ends of the doubles. */
  readonly sum: number | bigint;
  readonly nullCount: number;
}

/** A block in which sums of 32-bit integers stay exact in a double: 2^20 x 2^32 is below 2^53. */
const EXACT_BLOCK = 1 << 20;

/**
 * Cells [start, end) of one value each. NaN counts for the sum but not for smallest and largest: the official writer
 * lets a NaN forget the values before it, which then are no bounds any more.
 */
export function scanValues(
  values: TypedArray,
  validity: Uint8Array | undefined,
  start: number,
  end: number,
  floatSum = 0,
): NumberScan {
  if (values instanceof BigInt64Array || values instanceof BigUint64Array) {
    return scanWide(values, validity, start, end);
  }
  if (values instanceof Float32Array || values instanceof Float64Array) {
    return scanFloats(values, validity, start, end, floatSum);
  }
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let sum = 0n;
  let nullCount = 0;
  for (let from = start; from < end; from += EXACT_BLOCK) {
    const block = scanBlock(values, validity, from, Math.min(end, from + EXACT_BLOCK), 0);
    if (block.min < min) min = block.min;
    if (block.max > max) max = block.max;
    sum += BigInt(block.sum);
    nullCount += block.nullCount;
  }
  return min <= max ? { min, max, sum, nullCount } : { min: null, max: null, sum, nullCount };
}

function scanBlock(
  values: NumberArray,
  validity: Uint8Array | undefined,
  start: number,
  end: number,
  initial: number,
) {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let sum = initial;
  let nullCount = 0;
  if (validity === undefined) {
    for (let i = start; i < end; i++) {
      const value = values[i]!;
      if (value < min) min = value;
      if (value > max) max = value;
      sum += value;
    }
    return { min, max, sum, nullCount };
  }
  for (let i = start; i < end; i++) {
    if (validity[i] === 0) {
      nullCount++;
      continue;
    }
    const value = values[i]!;
    if (value < min) min = value;
    if (value > max) max = value;
    sum += value;
  }
  return { min, max, sum, nullCount };
}

function scanFloats(
  values: Float32Array | Float64Array,
  validity: Uint8Array | undefined,
  start: number,
  end: number,
  initial: number,
): NumberScan {
  const { min, max, sum, nullCount } = scanBlock(values, validity, start, end, initial);
  const exact = Number.isFinite(sum) ? sum : clampedSum(values, validity, start, end, initial);
  return min <= max ? { min, max, sum: exact, nullCount } : { min: null, max: null, sum: exact, nullCount };
}

/** The official writer's sum stops at the largest double of its sign, and at an infinity. */
function clampedSum(
  values: Float32Array | Float64Array,
  validity: Uint8Array | undefined,
  start: number,
  end: number,
  initial: number,
): number {
  let sum = initial;
  for (let i = start; i < end; i++) {
    if (validity?.[i] === 0) continue;
    const next = addClamped(sum, values[i]!);
    if (next === null) return sum < 0 ? -Number.MAX_VALUE : Number.MAX_VALUE;
    sum = next;
  }
  return sum;
}

/** The sum, or null where it would leave the doubles on the side of `sum`. */
export function addClamped(sum: number, value: number): number | null {
  const sameSide = sum < 0 === value < 0;
  return sameSide && Math.abs(sum) > Number.MAX_VALUE - Math.abs(value) ? null : sum + value;
}

/** 64-bit integers by their 32-bit halves. */
function scanWide(
  values: BigArray,
  validity: Uint8Array | undefined,
  start: number,
  end: number,
): NumberScan {
  const signed = values instanceof BigInt64Array;
  const low = new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
  const high = signed ? new Int32Array(values.buffer, values.byteOffset, values.length * 2) : low;
  let [smallest, largest] = [-1, -1];
  let [sumLow, sumHigh] = [0, 0];
  let sum = 0n;
  let nullCount = 0;
  for (let i = start; i < end; i++) {
    if (validity?.[i] === 0) {
      nullCount++;
      continue;
    }
    if (smallest < 0) smallest = largest = i;
    const top = high[2 * i + 1]!;
    const bottom = low[2 * i]!;
    const belowTop = top - high[2 * smallest + 1]!;
    if (belowTop < 0 || (belowTop === 0 && bottom < low[2 * smallest]!)) smallest = i;
    const aboveTop = top - high[2 * largest + 1]!;
    if (aboveTop > 0 || (aboveTop === 0 && bottom > low[2 * largest]!)) largest = i;
    sumLow += bottom;
    sumHigh += top;
    if (((i - start) & (EXACT_BLOCK - 1)) === EXACT_BLOCK - 1) {
      sum += (BigInt(sumHigh) << 32n) + BigInt(sumLow);
      sumLow = sumHigh = 0;
    }
  }
  sum += (BigInt(sumHigh) << 32n) + BigInt(sumLow);
  if (smallest < 0) return { min: null, max: null, sum, nullCount };
  return { min: values[smallest]!, max: values[largest]!, sum, nullCount };
}
