import {
  bytesOf,
  isLittleEndian,
  type TypedArray,
  type TypedArrayConstructor,
} from "../../util/typed-arrays.js";
import { IntegerSet } from "./integer-set.js";
import type { ComparisonOperator } from "./query-condition.js";

/**
 * Comparisons of many numbers with one, and membership in a set. A mask has a byte per cell. Of 64-bit integers the two
 * halves are compared: a BigInt per cell would cost many times as much.
 */

/** Writes 1 where the test holds, 0 elsewhere. */
export type NumberTest = (values: TypedArray, mask: Uint8Array) => void;

export function comparisonTest(op: ComparisonOperator, operand: number | bigint): NumberTest {
  if (typeof operand === "bigint") return (values, mask) => compareWide(op, values, operand, mask);
  return (values, mask) => {
    // A fraction, or NaN: mixed comparison is exact.
    if (isWide(values))
      for (let i = 0; i < mask.length; i++) mask[i] = holds(op, values[i]!, operand) ? 1 : 0;
    else compareNumbers[op](values, operand, mask);
  };
}

function holds(op: ComparisonOperator, a: number | bigint, b: number): boolean {
  if (op === "<") return a < b;
  if (op === "<=") return a <= b;
  if (op === ">") return a > b;
  if (op === ">=") return a >= b;
  return op === "!=";
}

type CompareNumbers = (
  values: Exclude<TypedArray, BigInt64Array | BigUint64Array>,
  x: number,
  mask: Uint8Array,
) => void;

const compareNumbers: Readonly<Record<ComparisonOperator, CompareNumbers>> = {
  "==": (values, x, mask) => {
    for (let i = 0; i < mask.length; i++) mask[i] = values[i] === x ? 1 : 0;
  },
  "!=": (values, x, mask) => {
    for (let i = 0; i < mask.length; i++) mask[i] = values[i] !== x ? 1 : 0;
  },
  "<": (values, x, mask) => {
    for (let i = 0; i < mask.length; i++) mask[i] = values[i]! < x ? 1 : 0;
  },
  "<=": (values, x, mask) => {
    for (let i = 0; i < mask.length; i++) mask[i] = values[i]! <= x ? 1 : 0;
  },
  ">": (values, x, mask) => {
    for (let i = 0; i < mask.length; i++) mask[i] = values[i]! > x ? 1 : 0;
  },
  ">=": (values, x, mask) => {
    for (let i = 0; i < mask.length; i++) mask[i] = values[i]! >= x ? 1 : 0;
  },
};

/** 1 for yes; each pair of operators is one loop, the second with the answers turned round. */
function compareWide(op: ComparisonOperator, values: TypedArray, x: bigint, mask: Uint8Array): void {
  const low = Number(BigInt.asUintN(32, x));
  const high = Number(x >> 32n);
  const words = halvesOf(values);
  const highs =
    values instanceof BigInt64Array ? words : new Uint32Array(words.buffer, words.byteOffset, words.length);
  const lows = new Uint32Array(words.buffer, words.byteOffset, words.length);
  const yes = op === "==" || op === "<" || op === ">" ? 1 : 0;
  for (let i = 0; i < mask.length; i++) {
    const h = highs[2 * i + 1]!;
    const l = lows[2 * i]!;
    const order = h === high ? l - low : h - high;
    const found =
      op === "==" || op === "!=" ? order === 0 : op === "<" || op === ">=" ? order < 0 : order > 0;
    mask[i] = found ? yes : 1 - yes;
  }
}

export function membershipTest(
  type: TypedArrayConstructor,
  members: readonly (number | bigint)[],
  negated: boolean,
): NumberTest {
  const [inside, outside] = negated ? [0, 1] : [1, 0];
  const typed = membersAs(type, members);
  const set = new IntegerSet(keysOf(typed));
  return (values, mask) => fillMembership(set, values, mask, inside, outside);
}

/** Members as cells of the type; fractions, infinities and NaN are no integers. */
function membersAs(type: TypedArrayConstructor, members: readonly (number | bigint)[]): TypedArray {
  const typed = new type(members.length);
  const isFloat = typed instanceof Float32Array || typed instanceof Float64Array;
  const kept = members.filter((one) => (isFloat ? true : typeof one === "bigint" || Number.isInteger(one)));
  for (const [i, one] of kept.entries()) typed[i] = one;
  return typed.subarray(0, kept.length);
}

/** Low and high half of each value; of narrower types the high half is 0. */
function keysOf(values: TypedArray): Int32Array {
  const keys = new Int32Array(2 * values.length);
  const { words, isPair } = keyWords(values);
  if (isPair) keys.set(words);
  else for (let i = 0; i < values.length; i++) keys[2 * i] = Number(words[i]!);
  return keys;
}

/** What is looked up in a set: pairs of halves, the bits of float32, or small integers themselves. */
function keyWords(values: TypedArray): {
  words: Exclude<TypedArray, BigInt64Array | BigUint64Array>;
  isPair: boolean;
} {
  if (values instanceof Float64Array || isWide(values)) return { words: halvesOf(values), isPair: true };
  return { words: values instanceof Float32Array ? halvesOf(values) : values, isPair: false };
}

/** By bytes, as the official library does: 0 is not -0, and NaN is the NaN of the same bits. */
function fillMembership(
  set: IntegerSet,
  values: TypedArray,
  mask: Uint8Array,
  inside: number,
  outside: number,
): void {
  const { words, isPair } = keyWords(values);
  if (isPair) {
    for (let i = 0; i < mask.length; i++) {
      mask[i] = set.has(words[2 * i]!, words[2 * i + 1]!) ? inside : outside;
    }
    return;
  }
  for (let i = 0; i < mask.length; i++) mask[i] = set.has(words[i]! | 0, 0) ? inside : outside;
}

function isWide(values: TypedArray): values is BigInt64Array | BigUint64Array {
  return values instanceof BigInt64Array || values instanceof BigUint64Array;
}

/** The 32-bit words of the values, low half first. */
function halvesOf(values: TypedArray): Int32Array {
  const bytes = bytesOf(values);
  if (isLittleEndian) return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  const words = new Int32Array(bytes.slice().buffer);
  if (values.BYTES_PER_ELEMENT === 8)
    for (let i = 0; i < words.length; i += 2) words.subarray(i, i + 2).reverse();
  return words;
}
