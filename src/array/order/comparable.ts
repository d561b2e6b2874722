import type { Dimension } from "../../format/array-schema.js";
import { datatypeInfo, isBigDatatype } from "../../format/datatype.js";
import { isLittleEndian, type TypedArray, type TypedArrayConstructor } from "../../util/typed-arrays.js";

/**
 * Coordinates in the type in which they are compared: their own, except that 64-bit ones whose domain lies within
 * +-2^53 become doubles, which hold them exactly and compare without a BigInt per cell.
 */

const SAFE = 2n ** 53n;

export function comparableType(dimension: Dimension): TypedArrayConstructor<TypedArray> {
  return usesDoubles(dimension) ? Float64Array : datatypeInfo(dimension.datatype).array;
}

/** Coordinates of the dimension's own type, converted if need be. */
export function comparable(dimension: Dimension, values: TypedArray): TypedArray {
  if (values instanceof BigInt64Array || values instanceof BigUint64Array) {
    return usesDoubles(dimension) ? asDoubles(values) : values;
  }
  return values;
}

function usesDoubles({ datatype, domain }: Dimension): boolean {
  if (!isBigDatatype(datatype) || domain === null) return false;
  return BigInt(domain[0]) >= -SAFE && BigInt(domain[1]) <= SAFE;
}

/** 64-bit integers as doubles, by 32-bit halves. */
export function asDoubles(values: BigInt64Array | BigUint64Array): Float64Array {
  const doubles = new Float64Array(values.length);
  const [low, high] = isLittleEndian ? [0, 1] : [1, 0];
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
  const signed = values instanceof BigInt64Array;
  for (let i = 0; i < values.length; i++) {
    const top = words[2 * i + high]!;
    doubles[i] = (signed ? top | 0 : top) * 0x100000000 + words[2 * i + low]!;
  }
  return doubles;
}
