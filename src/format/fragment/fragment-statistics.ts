import type { ArraySchema } from "../array-schema.js";
import { type Datatype, datatypeInfo } from "../datatype.js";
import { type ExtraFields, fieldNames } from "./fragment-fields.js";

import type { FieldMetadata } from "./fragment-metadata.js";
import type { FragmentFieldStatistics, TileExtremes } from "./fragment-sections.js";

/**
 * Which statistics the official library writes for which field, since version 11 (format_spec/fragment.md has the
 * layout, not the rules; these are what its files have).
 *
 * | Field | Mins, maxes | Sums | Null counts |
 * | :--- | :--- | :--- | :--- |
 * | dimension of a sparse array | none (the R-tree has them) | if fixed and no string | none |
 * | dimension of a dense array | none | none | none |
 * | attribute: number, bool, datetime, time, one value a cell | yes | yes | if nullable |
 * | attribute: char, string_ascii, fixed or var | yes, whole cells | of char with one value a cell | if nullable |
 * | attribute: var-length or several values a cell otherwise | none | none | if nullable |
 * | attribute: other strings, any, blob, geometries | none | none | if nullable |
 * | legacy coordinates | zeros, as many bytes as all dimensions of the first one's size | zeros, if that is a number | none |
 * | timestamps, delete timestamps, delete condition index | yes | yes | none |
 *
 * - Sums are int64 of signed integers, datetimes, times and char, uint64 of unsigned integers and bool, float64 of
 *   floats; of valid cells only. A sum that would overflow is the end of its type, and later cells are not looked at.
 * - A tile of nulls alone has zeros for min and max, or values of length 0 where they are var-length. A dense tile of
 *   nulls that the write did not fill has as min the largest value of the type, as max the smallest (floats: largest
 *   and lowest finite); numbers have those in the statistics of a fragment of nulls alone too.
 * - Mins and maxes of char and strings compare bytes as unsigned and up to the first NUL; a prefix comes first.
 * - A NaN replaces min and max, and the next value replaces the NaN: what came before is forgotten. So mins and maxes of
 *   floats bound their tile only if its sum shows that there was no NaN: neither NaN nor the end of the type.
 * - Null counts of nullable attributes without mins and maxes can be 0, whatever the cells are; of variable-length ones
 *   they always are.
 * - Statistics are of the values before filters: scale_float gives others back.
 * - Before version 21, min and max of nullable fixed strings in dense fragments can be wrong. In all versions the
 *   fragment's min and max of such attributes can be, where a tile has nulls alone.
 * - Sections of numbers have a value per tile, also where a field has no such file (zeros); sections of statistics that a
 *   field does not have are empty, and so are its fragment's min and max.
 */

/** How a sum's 64 bits are to be read. */
export type SumType = "int64" | "uint64" | "float64";

/** What the rules above need of a field. */
export interface StatisticsField {
  readonly datatype: Datatype;
  readonly cellValNum: number;
}

/** Whether an attribute has mins and maxes. Dimensions have none. */
export function hasMinMax({ datatype, cellValNum }: StatisticsField): boolean {
  const { kind } = datatypeInfo(datatype);
  if (datatype === "string_ascii" || kind === "char") return true;
  return cellValNum === 1 && kind !== "string" && kind !== "blob";
}

/** Type of the sums of an attribute, or of a dimension of a sparse array; null where it has none. */
export function sumType({ datatype, cellValNum }: StatisticsField): SumType | null {
  if (cellValNum !== 1) return null;
  switch (datatypeInfo(datatype).kind) {
    case "int":
    case "datetime":
    case "time":
    case "char":
      return "int64";
    case "uint":
    case "bool":
      return "uint64";
    case "float":
      return "float64";
    case "string":
    case "blob":
      return null;
  }
}

/** The sums of `readTileSums` with their type, over the same memory. */
export function sumsAs(bits: BigUint64Array, type: SumType): BigInt64Array | BigUint64Array | Float64Array {
  if (type === "uint64") return bits;
  const { buffer, byteOffset, length } = bits;
  return type === "int64"
    ? new BigInt64Array(buffer, byteOffset, length)
    : new Float64Array(buffer, byteOffset, length);
}

/** A fragment's sum with its type: bigint, or number of floats. */
export function sumOf(bits: bigint, type: SumType): bigint | number {
  return sumsAs(BigUint64Array.of(bits), type)[0]!;
}

/** Value `tile` of mins or maxes as bytes; `cellBytes` is the size of a fixed cell. */
export function extremeOf(extremes: TileExtremes, tile: number, cellBytes: number): Uint8Array {
  if (extremes.kind === "fixed") return extremes.values.subarray(tile * cellBytes, (tile + 1) * cellBytes);
  return extremes.data.subarray(extremes.offsets[tile], extremes.offsets[tile + 1]);
}

/** Mins or maxes of var-length values, one per tile; empty ones for tiles without valid cells. */
export function varExtremes(values: readonly Uint8Array[]): TileExtremes {
  const offsets = new Float64Array(values.length + 1);
  values.forEach((value, i) => {
    offsets[i + 1] = offsets[i]! + value.byteLength;
  });
  const data = new Uint8Array(offsets[values.length]!);
  values.forEach((value, i) => {
    data.set(value, offsets[i]!);
  });
  return { kind: "var", offsets, data };
}

const noStatistics: FragmentFieldStatistics = {
  min: new Uint8Array(0),
  max: new Uint8Array(0),
  sum: 0n,
  nullCount: 0,
};

/** Metadata of a field without files and statistics, such as a dimension of a dense array. */
export function emptyFieldMetadata(tileCount: number): FieldMetadata {
  const zeros = new Float64Array(tileCount);
  return {
    fileSize: 0,
    fileVarSize: 0,
    fileValiditySize: 0,
    tileOffsets: zeros,
    tileVarOffsets: zeros,
    tileVarSizes: zeros,
    tileValidityOffsets: zeros,
    mins: null,
    maxes: null,
    sums: new BigUint64Array(0),
    nullCounts: [],
    statistics: noStatistics,
  };
}

/** Metadata of the legacy coordinates, which have no file but zeros for statistics. */
export function coordsFieldMetadata(schema: ArraySchema, tileCount: number): FieldMetadata {
  const { datatype } = schema.dimensions[0]!;
  const { bytes } = datatypeInfo(datatype);
  const zeros: TileExtremes = {
    kind: "fixed",
    values: new Uint8Array(tileCount * schema.dimensions.length * bytes),
  };
  const hasSum = sumType({ datatype, cellValNum: 1 }) !== null;
  return {
    ...emptyFieldMetadata(tileCount),
    mins: zeros,
    maxes: zeros,
    sums: new BigUint64Array(hasSum ? tileCount : 0),
    statistics: { ...noStatistics, min: new Uint8Array(bytes), max: new Uint8Array(bytes) },
  };
}

/** Datatype and values per cell of every field by index; those of the legacy coordinates stand in as one value. */
export function statisticsFields(schema: ArraySchema, extra: ExtraFields): StatisticsField[] {
  const first = schema.dimensions[0]!.datatype;
  const known = [...schema.attributes, { datatype: first, cellValNum: 1 }, ...schema.dimensions];
  return fieldNames(schema, extra).map((_, index) => known[index] ?? { datatype: "uint64", cellValNum: 1 });
}
