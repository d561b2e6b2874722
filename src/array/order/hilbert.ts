import type { ArraySchema, Dimension } from "../../format/array-schema.js";
import type { TypedArray } from "../../util/typed-arrays.js";
import type { Column, VarColumn } from "../columns.js";
import { asDoubles } from "./comparable.js";

/**
 * Places of cells along the Hilbert curve, as the official library computes them. Of n dimensions each coordinate is
 * mapped to floor(63 / n) bits: numbers by their place in the domain, texts by their first bytes. The bits are then
 * turned into the curve's by Skilling's method ("Programming the Hilbert curve", AIP 2004) and interleaved to at most
 * 63 bits, the first dimension's highest bit first. Cells of the same place are ordered by their coordinates.
 */

/** The upper and the lower 32 bits of each cell's place; none with one dimension of numbers, whose curve is their order. */
export function hilbertWords(schema: ArraySchema, coordinates: readonly Column[]): Uint32Array[] {
  const n = schema.dimensions.length;
  const first = coordinates[0]!;
  if (n === 1) return first.kind === "var" ? longTextWords(first) : [];
  const bits = Math.floor(63 / n);
  const axes = schema.dimensions.map((dimension, d) => bucketsOf(dimension, coordinates[d]!, bits));
  const count = axes[0]!.length;
  const high = new Uint32Array(count);
  const low = new Uint32Array(count);
  const cell = new Int32Array(n);
  for (let i = 0; i < count; i++) {
    for (let d = 0; d < n; d++) cell[d] = axes[d]![i]!;
    toTranspose(cell, bits);
    interleave(cell, bits, i, high, low);
  }
  return [high, low];
}

/** A coordinate's place on its axis, of `bits` (at most 31) bits. */
function bucketsOf(dimension: Dimension, column: Column, bits: number): Uint32Array {
  if (column.kind === "var") return textBuckets(column, bits);
  return numberBuckets(column.values, dimension, 2 ** bits - 1);
}

/** In doubles, like the official library: neighbours of wide domains share a place. */
function numberBuckets(values: TypedArray, { domain }: Dimension, most: number): Uint32Array {
  const start = Number(domain![0]);
  const range = Number(domain![1]) - start;
  const numbers =
    values instanceof BigInt64Array || values instanceof BigUint64Array ? asDoubles(values) : values;
  const buckets = new Uint32Array(numbers.length);
  // A domain of one coordinate gives NaN, which is stored as 0.
  for (let i = 0; i < buckets.length; i++) buckets[i] = Math.floor(((numbers[i]! - start) / range) * most);
  return buckets;
}

/**
 * The first bits of the text. The official library takes bytes as signed: one from 128 on sets all bits before it. Four
 * bytes hold all bits that are kept, but a later byte may still set them.
 */
function textBuckets({ offsets, data }: VarColumn, bits: number): Uint32Array {
  const buckets = new Uint32Array(offsets.length - 1);
  for (let i = 0; i < buckets.length; i++) {
    const start = offsets[i]!;
    const size = Math.min(8, offsets[i + 1]! - start);
    let first = 0;
    for (let b = 0; b < size; b++) {
      const byte = data[start + b]!;
      if (byte >= 0x80) first = b < 4 ? first | signBits(b) : -1;
      if (b < 4) first |= byte << (24 - 8 * b);
    }
    buckets[i] = first >>> (32 - bits);
  }
  return buckets;
}

/**
 * The same of a single dimension, whose 63 bits are those of eight bytes but the last bit: up to bytes from 128 on it is
 * the order of the texts.
 */
function longTextWords({ offsets, data }: VarColumn): Uint32Array[] {
  const count = offsets.length - 1;
  const high = new Uint32Array(count);
  const low = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    const start = offsets[i]!;
    const size = Math.min(8, offsets[i + 1]! - start);
    let [upper, lower] = [0, 0];
    for (let b = 0; b < size; b++) {
      const byte = data[start + b]!;
      if (byte >= 0x80) upper = b < 4 ? upper | signBits(b) : -1;
      if (byte >= 0x80 && b >= 4) lower |= signBits(b - 4);
      if (b < 4) upper |= byte << (24 - 8 * b);
      else lower |= byte << (56 - 8 * b);
    }
    high[i] = upper;
    low[i] = lower & ~1;
  }
  return [high, low];
}

/** All bits before byte `b` of four. */
function signBits(b: number): number {
  return b === 0 ? 0 : -1 << (32 - 8 * b);
}

/** Coordinates of one cell to the transpose of its place on the curve, in place. */
function toTranspose(x: Int32Array, bits: number): void {
  const n = x.length;
  for (let q = 2 ** (bits - 1); q > 1; q >>>= 1) {
    const below = q - 1;
    for (let d = 0; d < n; d++) {
      if ((x[d]! & q) !== 0) {
        x[0] = x[0]! ^ below;
        continue;
      }
      const swapped = (x[0]! ^ x[d]!) & below;
      x[0] = x[0]! ^ swapped;
      x[d] = x[d]! ^ swapped;
    }
  }
  for (let d = 1; d < n; d++) x[d] = x[d]! ^ x[d - 1]!;
  let gray = x[n - 1]!;
  for (let shift = 1; shift < bits; shift <<= 1) gray ^= gray >>> shift;
  const flips = gray ^ x[n - 1]!;
  for (let d = 0; d < n - 1; d++) x[d] = x[d]! ^ flips;
  x[n - 1] = gray;
}

/** Bit j of dimension d is bit j * n + n - 1 - d of the place. */
function interleave(x: Int32Array, bits: number, i: number, high: Uint32Array, low: Uint32Array): void {
  const n = x.length;
  let [upper, lower] = [0, 0];
  let at = 0;
  for (let bit = 0; bit < bits; bit++) {
    for (let d = n - 1; d >= 0; d--, at++) {
      const value = (x[d]! >>> bit) & 1;
      if (at < 32) lower |= value << at;
      else upper |= value << (at - 32);
    }
  }
  high[i] = upper;
  low[i] = lower;
}
