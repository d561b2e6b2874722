/** Typed arrays that hold cells, and the small operations that all layers need on them. */

export type NumberArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array;

export type BigArray = BigInt64Array | BigUint64Array;

export type TypedArray = NumberArray | BigArray;

export interface TypedArrayConstructor<T extends TypedArray = TypedArray> {
  readonly BYTES_PER_ELEMENT: number;
  new (length: number): T;
  new (buffer: ArrayBufferLike, byteOffset?: number, length?: number): T;
}

/** Types of numbers, by the names that NumPy has for them. */
export const numberTypes = [
  "int8",
  "uint8",
  "int16",
  "uint16",
  "int32",
  "uint32",
  "int64",
  "uint64",
  "float32",
  "float64",
] as const;

export type NumberType = (typeof numberTypes)[number];

/** The type of a typed array's numbers. */
export function numberTypeOf(values: TypedArray): NumberType {
  if (values instanceof Int8Array) return "int8";
  if (values instanceof Uint8Array) return "uint8";
  if (values instanceof Int16Array) return "int16";
  if (values instanceof Uint16Array) return "uint16";
  if (values instanceof Int32Array) return "int32";
  if (values instanceof Uint32Array) return "uint32";
  if (values instanceof BigInt64Array) return "int64";
  if (values instanceof BigUint64Array) return "uint64";
  return values instanceof Float32Array ? "float32" : "float64";
}

/** True on every platform Node and browsers run on; the format is little-endian. */
export const isLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/**
 * A typed array over the same memory where alignment allows, otherwise over a copy.
 * `bytes.byteLength` must be a multiple of the element size.
 */
export function viewAs<T extends TypedArray>(bytes: Uint8Array, type: TypedArrayConstructor<T>): T {
  const length = bytes.byteLength / type.BYTES_PER_ELEMENT;
  if (bytes.byteOffset % type.BYTES_PER_ELEMENT === 0) {
    return new type(bytes.buffer, bytes.byteOffset, length);
  }
  return new type(new Uint8Array(bytes).buffer, 0, length);
}

/**
 * The same bytes as a Uint8Array and no more: a `slice` of Node's Buffer, which stores may well return, is no copy, and
 * its memory that of other Buffers too.
 */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  return bytes.constructor === Uint8Array ? bytes : bytesOf(bytes);
}

/** The bytes of a typed array, over the same memory. */
export function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** One array of all parts, in order. A single part is returned as it is. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  let length = 0;
  for (const part of parts) length += part.byteLength;
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.byteLength;
  }
  return all;
}

/** The same for 32-bit numbers; always new memory. */
export function concatUint32(parts: readonly Uint32Array[]): Uint32Array {
  const all = new Uint32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Whether both are the same bytes. */
export function isSame(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a?.byteLength === b.byteLength && a.every((byte, at) => byte === b[at]);
}
