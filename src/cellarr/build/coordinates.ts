import { datatypeInfo } from "../../format/datatype.js";
import type { TypedArray } from "../../util/typed-arrays.js";
import type { IndexType } from "../layout.js";

/** Numbers of cells and genes, 32 bits wide here, from and to the type of a dimension. */

/** Indices in a dimension's type, which must have them all; the same array where that is uint32. */
export function coordinatesOf(indices: Uint32Array, type: IndexType): TypedArray {
  const array = datatypeInfo(type).array;
  if (indices instanceof array) return indices;
  const converted = new array(indices.length);
  if (converted instanceof BigInt64Array || converted instanceof BigUint64Array) {
    const words = new Uint32Array(converted.buffer);
    for (let at = 0; at < indices.length; at++) words[2 * at] = indices[at]!;
    return converted;
  }
  converted.set(indices);
  return converted;
}

/** Coordinates, all below 2^32, as indices; the same array where they are uint32. */
export function indicesOf(coordinates: TypedArray): Uint32Array {
  if (coordinates instanceof Uint32Array) return coordinates;
  if (!(coordinates instanceof BigInt64Array) && !(coordinates instanceof BigUint64Array)) {
    return Uint32Array.from(coordinates);
  }
  const words = new Uint32Array(coordinates.buffer, coordinates.byteOffset, coordinates.length * 2);
  const indices = new Uint32Array(coordinates.length);
  for (let at = 0; at < indices.length; at++) indices[at] = words[2 * at]!;
  return indices;
}
