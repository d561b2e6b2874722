import { UnsupportedError } from "../errors.js";
import type { TypedArray, TypedArrayConstructor } from "../util/typed-arrays.js";
import { H5_CLASS, type H5Metadata } from "./h5-file.js";
import type { MatrixDtype } from "./matrix.js";

/** HDF5 element types as this package reads them, from h5wasm's description of them. */

export interface NumberType {
  readonly kind: "number";
  readonly dtype: MatrixDtype;
  /** Bytes of an element in the file. */
  readonly size: number;
  /** float16, read as float32. */
  readonly half: boolean;
  /** Enumeration FALSE, TRUE, as h5py writes numpy's bool; read as uint8. */
  readonly boolean: boolean;
}

export interface TextType {
  readonly kind: "text";
  /** Variable length: elements are pointers into the library's heap. */
  readonly variable: boolean;
  readonly size: number;
  /** Of fixed length: filled up after a terminator (0), with zeros (1) or with blanks (2). */
  readonly padding: number;
}

/** An element of several values of one type. */
export interface ArrayType {
  readonly kind: "array";
  readonly element: NumberType | TextType;
  readonly shape: readonly number[];
  readonly size: number;
}

export interface Member {
  readonly name: string;
  readonly offset: number;
  readonly type: H5Type;
}

/** A record: numpy's structured arrays, obs and var of old files. */
export interface CompoundType {
  readonly kind: "compound";
  readonly members: readonly Member[];
  readonly size: number;
}

/** An object reference: the address of another object of the file. */
export interface ReferenceType {
  readonly kind: "reference";
  readonly size: number;
}

export interface OtherType {
  readonly kind: "other";
  /** For messages. */
  readonly description: string;
  readonly size: number;
}

export type H5Type = NumberType | TextType | ArrayType | CompoundType | ReferenceType | OtherType;

const SIGNED: Readonly<Record<number, MatrixDtype>> = { 1: "int8", 2: "int16", 4: "int32", 8: "int64" };
const UNSIGNED: Readonly<Record<number, MatrixDtype>> = {
  1: "uint8",
  2: "uint16",
  4: "uint32",
  8: "uint64",
};
const FLOATS: Readonly<Record<number, MatrixDtype>> = { 2: "float32", 4: "float32", 8: "float64" };

const ARRAYS: Readonly<Record<MatrixDtype, TypedArrayConstructor>> = {
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  float32: Float32Array,
  float64: Float64Array,
};

/** The typed array of a dtype. */
export function arrayOf(dtype: MatrixDtype): TypedArrayConstructor {
  return ARRAYS[dtype];
}

/** A zero-filled array of a dtype. */
export function newArray(dtype: MatrixDtype, length: number): TypedArray {
  return new ARRAYS[dtype](length);
}

/** A typed array of `dtype` over a copy of `bytes`. */
function copyAs(dtype: MatrixDtype, bytes: Uint8Array): TypedArray {
  const type = ARRAYS[dtype];
  return new type(bytes.slice().buffer, 0, bytes.length / type.BYTES_PER_ELEMENT);
}

type TypeMetadata = Pick<
  H5Metadata,
  "type" | "size" | "signed" | "vlen" | "strpad" | "enum_type" | "compound_type" | "array_type"
>;

export function typeOf(metadata: TypeMetadata): H5Type {
  const { type, size } = metadata;
  if (type === H5_CLASS.integer) {
    return numberType((metadata.signed ? SIGNED : UNSIGNED)[size], size, "integer");
  }
  if (type === H5_CLASS.float) return numberType(FLOATS[size], size, "float");
  if (type === H5_CLASS.string) {
    return { kind: "text", variable: metadata.vlen, size, padding: metadata.strpad ?? 0 };
  }
  if (type === H5_CLASS.enum) return enumType(metadata);
  if (type === H5_CLASS.compound) return compoundType(metadata);
  if (type === H5_CLASS.array) return arrayType(metadata);
  if (type === H5_CLASS.reference) return { kind: "reference", size };
  return { kind: "other", description: `HDF5 class ${type}`, size };
}

function numberType(dtype: MatrixDtype | undefined, size: number, what: string): H5Type {
  if (dtype === undefined) return { kind: "other", description: `${what} of ${size} bytes`, size };
  return { kind: "number", dtype, size, half: dtype === "float32" && size === 2, boolean: false };
}

function enumType(metadata: TypeMetadata): H5Type {
  const members = metadata.enum_type?.members ?? {};
  const boolean = Object.keys(members).length === 2 && members.FALSE === 0 && members.TRUE === 1;
  if (boolean && metadata.size === 1) {
    return { kind: "number", dtype: "uint8", size: 1, half: false, boolean: true };
  }
  return { kind: "other", description: "enumeration", size: metadata.size };
}

function compoundType(metadata: TypeMetadata): H5Type {
  const members = (metadata.compound_type?.members ?? []).map(
    (member): Member => ({ name: member.name, offset: member.offset, type: memberType(member) }),
  );
  return { kind: "compound", members, size: metadata.size };
}

/** The library swaps bytes of plain big-endian data, not those within records. */
function memberType(member: TypeMetadata & { littleEndian: boolean }): H5Type {
  const type = typeOf(member);
  const swapped = !member.littleEndian && type.kind === "number" && type.size > 1;
  return swapped ? { kind: "other", description: "big-endian record member", size: type.size } : type;
}

function arrayType(metadata: TypeMetadata): H5Type {
  const element = metadata.array_type === undefined ? undefined : typeOf(metadata.array_type);
  if (element?.kind !== "number" && element?.kind !== "text") {
    return { kind: "other", description: "array of records", size: metadata.size };
  }
  return { kind: "array", element, shape: metadata.array_type?.shape ?? [], size: metadata.size };
}

/** Elements of a number type from their bytes in the file; the result is a copy. */
export function decodeNumbers(type: NumberType, bytes: Uint8Array): TypedArray {
  return type.half ? decodeHalf(bytes) : copyAs(type.dtype, bytes);
}

/** IEEE 754 binary16 to float32, exact. */
export function decodeHalf(bytes: Uint8Array): Float32Array {
  const halves = new Uint16Array(bytes.slice().buffer);
  const values = new Float32Array(halves.length);
  for (let at = 0; at < halves.length; at++) {
    const bits = halves[at]!;
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    let value: number;
    if (exponent === 0) value = fraction * 2 ** -24;
    else if (exponent === 31) value = fraction === 0 ? Number.POSITIVE_INFINITY : Number.NaN;
    else value = (1 + fraction / 1024) * 2 ** (exponent - 15);
    values[at] = bits & 0x8000 ? -value : value;
  }
  return values;
}

export function describeType(type: H5Type): string {
  if (type.kind === "number") return type.boolean ? "bool" : type.half ? "float16" : type.dtype;
  return type.kind === "other" ? type.description : type.kind;
}

export function expectNumbers(type: H5Type, what: string, where: string): NumberType {
  if (type.kind === "number") return type;
  throw new UnsupportedError(`${what}: expected numbers, found ${describeType(type)}`, { where });
}
