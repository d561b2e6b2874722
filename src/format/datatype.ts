import { FormatError } from "../errors.js";
import type { TypedArray, TypedArrayConstructor } from "../util/typed-arrays.js";

/** What a datatype's values are, which decides ordering, fill value and text form. */
export type DatatypeKind =
  | "int"
  | "uint"
  | "float"
  | "char"
  | "string"
  | "blob"
  | "bool"
  | "datetime"
  | "time";

export interface DatatypeInfo {
  readonly name: Datatype;
  /** The byte that stands for it in files. */
  readonly code: number;
  /** Bytes of one value; of a string type, of one code unit. */
  readonly bytes: number;
  readonly kind: DatatypeKind;
  readonly array: TypedArrayConstructor<TypedArray>;
}

const T = <N extends string>(
  code: number,
  name: N,
  kind: DatatypeKind,
  array: TypedArrayConstructor<TypedArray>,
) => ({ code, name, kind, array, bytes: array.BYTES_PER_ELEMENT }) as const;

/** TileDB's Datatype enumeration, in the order of its codes. */
const rows = [
  T(0, "int32", "int", Int32Array),
  T(1, "int64", "int", BigInt64Array),
  T(2, "float32", "float", Float32Array),
  T(3, "float64", "float", Float64Array),
  T(4, "char", "char", Uint8Array),
  T(5, "int8", "int", Int8Array),
  T(6, "uint8", "uint", Uint8Array),
  T(7, "int16", "int", Int16Array),
  T(8, "uint16", "uint", Uint16Array),
  T(9, "uint32", "uint", Uint32Array),
  T(10, "uint64", "uint", BigUint64Array),
  T(11, "string_ascii", "string", Uint8Array),
  T(12, "string_utf8", "string", Uint8Array),
  T(13, "string_utf16", "string", Uint16Array),
  T(14, "string_utf32", "string", Uint32Array),
  T(15, "string_ucs2", "string", Uint16Array),
  T(16, "string_ucs4", "string", Uint32Array),
  T(17, "any", "blob", Uint8Array),
  T(18, "datetime_year", "datetime", BigInt64Array),
  T(19, "datetime_month", "datetime", BigInt64Array),
  T(20, "datetime_week", "datetime", BigInt64Array),
  T(21, "datetime_day", "datetime", BigInt64Array),
  T(22, "datetime_hr", "datetime", BigInt64Array),
  T(23, "datetime_min", "datetime", BigInt64Array),
  T(24, "datetime_sec", "datetime", BigInt64Array),
  T(25, "datetime_ms", "datetime", BigInt64Array),
  T(26, "datetime_us", "datetime", BigInt64Array),
  T(27, "datetime_ns", "datetime", BigInt64Array),
  T(28, "datetime_ps", "datetime", BigInt64Array),
  T(29, "datetime_fs", "datetime", BigInt64Array),
  T(30, "datetime_as", "datetime", BigInt64Array),
  T(31, "time_hr", "time", BigInt64Array),
  T(32, "time_min", "time", BigInt64Array),
  T(33, "time_sec", "time", BigInt64Array),
  T(34, "time_ms", "time", BigInt64Array),
  T(35, "time_us", "time", BigInt64Array),
  T(36, "time_ns", "time", BigInt64Array),
  T(37, "time_ps", "time", BigInt64Array),
  T(38, "time_fs", "time", BigInt64Array),
  T(39, "time_as", "time", BigInt64Array),
  T(40, "blob", "blob", Uint8Array),
  T(41, "bool", "bool", Uint8Array),
  T(42, "geom_wkb", "blob", Uint8Array),
  T(43, "geom_wkt", "blob", Uint8Array),
] as const;

/** The name of a datatype, as in TileDB, in lower case. */
export type Datatype = (typeof rows)[number]["name"];

const byName = new Map<string, DatatypeInfo>(rows.map((row) => [row.name, row]));

/** All datatypes, in the order of their codes. */
export const datatypes: readonly DatatypeInfo[] = rows;

/** The row of a datatype. */
export function datatypeInfo(datatype: Datatype): DatatypeInfo {
  return byName.get(datatype)!;
}

export function isDatatype(name: string): name is Datatype {
  return byName.has(name);
}

/** The datatype that a file's byte stands for; an unknown byte is a FormatError that names it. */
export function datatypeFromCode(code: number, structure: string, where?: string): Datatype {
  const row = rows[code];
  if (row === undefined) {
    throw new FormatError(
      `${structure}: unknown datatype ${code}, expected 0 to ${rows.length - 1}`,
      where === undefined ? {} : { where },
    );
  }
  return row.name;
}

/** The cell value number that marks a variable-length cell. */
export const VAR_NUM = 0xffffffff;

/** True for types whose values are 64 bits wide and are bigint at the edge. */
export function isBigDatatype(datatype: Datatype): boolean {
  const info = datatypeInfo(datatype);
  return info.bytes === 8 && info.kind !== "float";
}
