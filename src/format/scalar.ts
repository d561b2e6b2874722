import type { TypedArray } from "../util/typed-arrays.js";
import { viewAs } from "../util/typed-arrays.js";
import type { ByteReader } from "./byte-reader.js";
import type { ByteWriter } from "./byte-writer.js";
import { type Datatype, datatypeInfo } from "./datatype.js";

/** One value of a fixed-size datatype: bigint for 64-bit integers, datetimes and times, else number. */
export function readScalar(reader: ByteReader, datatype: Datatype, field: string): number | bigint {
  const info = datatypeInfo(datatype);
  return viewAs(reader.take(info.bytes, field), info.array)[0]!;
}

export function writeScalar(writer: ByteWriter, datatype: Datatype, value: number | bigint): void {
  writer.raw(scalarBytes(datatype, value));
}

/** The little-endian bytes of one value. A number that the datatype cannot hold wraps as typed arrays wrap. */
export function scalarBytes(datatype: Datatype, value: number | bigint): Uint8Array {
  const one = new (datatypeInfo(datatype).array)(1);
  setScalar(one, 0, value);
  return new Uint8Array(one.buffer);
}

/** Stores a number or bigint in an array of either kind. */
export function setScalar(array: TypedArray, index: number, value: number | bigint): void {
  if (array instanceof BigInt64Array || array instanceof BigUint64Array) array[index] = BigInt(value);
  else array[index] = Number(value);
}

/**
 * `count` unsigned 64-bit numbers that are offsets, sizes or counts, as doubles, which hold them exactly up to
 * 2^53 - 1; a larger one is a FormatError. The bytes are checked before memory is taken.
 */
export function readUint64s(reader: ByteReader, count: number, field: string): Float64Array {
  const bytes = reader.take(count * 8, field);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const high = view.getUint32(i * 8 + 4, true);
    if (high > 0x1fffff) {
      throw reader.error(`${field} ${i} is ${view.getBigUint64(i * 8, true)}, beyond 2^53 - 1`);
    }
    values[i] = high * 0x100000000 + view.getUint32(i * 8, true);
  }
  return values;
}

export function writeUint64s(writer: ByteWriter, values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i++) writer.u64n(values[i]!);
}
