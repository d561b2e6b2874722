import { ByteReader } from "../byte-reader.js";
import { ByteWriter } from "../byte-writer.js";
import { readUint64s, writeUint64s } from "../scalar.js";

/**
 * Sections of `__fragment_metadata.tdb` (format_spec/fragment.md): payloads of generic tiles whose offsets stand in the
 * footer. All but the R-tree (rtree.ts):
 *
 * | Section | Fields |
 * | :--- | :--- |
 * | Tile offsets, var offsets, validity offsets | uint64 count, uint64 each: offset in the file |
 * | Var tile sizes | uint64 count, uint64 each: bytes of the values before filters |
 * | Mins, maxes | uint64 bytes of fixed part, uint64 bytes of var part, fixed part, var part |
 * | Sums | uint64 count, 8 bytes each |
 * | Null counts | uint64 count, uint64 each |
 * | Fragment statistics | per field: uint64 size, min, uint64 size, max, 8 bytes sum, uint64 null count |
 * | Processed conditions | uint64 count, (uint64 length, uint8[]) each |
 *
 * Mins and maxes have both sizes first; the specification puts one size before each part.
 */

/**
 * Smallest or largest value of each tile. Fixed: cell after cell. Var: value t is `data` from `offsets[t]` to
 * `offsets[t + 1]`, so that there is one offset more than there are tiles (the file has no end offset).
 */
export type TileExtremes =
  | { readonly kind: "fixed"; readonly values: Uint8Array }
  | { readonly kind: "var"; readonly offsets: Float64Array; readonly data: Uint8Array };

/** Statistics of one field over all tiles of the fragment. */
export interface FragmentFieldStatistics {
  /** Empty where the field has none, see fragment-statistics.ts. */
  readonly min: Uint8Array;
  readonly max: Uint8Array;
  /** The sum's 64 bits; see `sumType` for what they are. 0 where the field has none. */
  readonly sum: bigint;
  readonly nullCount: number;
}

/** A count and that many uint64 numbers: any of the offset, size and null count sections. */
export function readTileNumbers(bytes: Uint8Array, section: string, where?: string): Float64Array {
  const reader = new ByteReader(bytes, section, where);
  const values = readUint64s(reader, reader.count("count", 8, 8), "value");
  reader.end();
  return values;
}

export function writeTileNumbers(values: ArrayLike<number>): Uint8Array {
  const writer = new ByteWriter(8 + values.length * 8);
  writer.u64n(values.length);
  writeUint64s(writer, values);
  return writer.finish();
}

/**
 * Mins or maxes of a field. Whether they are var-length has to be known from the schema (`isVarField`), since the bytes
 * do not tell. Null where the section holds none.
 */
export function readTileMinMax(bytes: Uint8Array, isVar: boolean, where?: string): TileExtremes | null {
  const reader = new ByteReader(bytes, "tile mins or maxes", where);
  const fixedSize = reader.u64n("size of fixed part");
  const varSize = reader.u64n("size of var part");
  if (isVar && fixedSize % 8 !== 0) throw reader.error(`${fixedSize} bytes of offsets are no multiple of 8`);
  const extremes: TileExtremes = isVar
    ? readVarExtremes(reader, fixedSize / 8, varSize)
    : { kind: "fixed", values: reader.take(fixedSize, "values") };
  if (!isVar) reader.skip(varSize, "var part");
  reader.end();
  return fixedSize === 0 ? null : extremes;
}

export function writeTileMinMax(extremes: TileExtremes | null): Uint8Array {
  const fixed = extremes?.kind === "fixed" ? extremes.values : new Uint8Array(0);
  const data = extremes?.kind === "var" ? extremes.data : new Uint8Array(0);
  const offsets = extremes?.kind === "var" ? extremes.offsets.subarray(0, -1) : [];
  const writer = new ByteWriter(16 + fixed.byteLength + offsets.length * 8 + data.byteLength);
  writer.u64n(fixed.byteLength + offsets.length * 8);
  writer.u64n(data.byteLength);
  writer.raw(fixed);
  writeUint64s(writer, offsets);
  writer.raw(data);
  return writer.finish();
}

/** Sum of each tile as its 64 bits; empty where the field has none. `sumsAs` gives them their type. */
export function readTileSums(bytes: Uint8Array, where?: string): BigUint64Array {
  const reader = new ByteReader(bytes, "tile sums", where);
  const count = reader.count("count", 8, 8);
  const sums = new BigUint64Array(reader.take(count * 8, "sums").slice().buffer);
  reader.end();
  return sums;
}

export function writeTileSums(sums: BigUint64Array | BigInt64Array | Float64Array): Uint8Array {
  const writer = new ByteWriter(8 + sums.byteLength);
  writer.u64n(sums.length);
  writer.raw(new Uint8Array(sums.buffer, sums.byteOffset, sums.byteLength));
  return writer.finish();
}

/** Statistics of the whole fragment, by field index. */
export function readFragmentMinMaxSumNull(bytes: Uint8Array, where?: string): FragmentFieldStatistics[] {
  const reader = new ByteReader(bytes, "fragment statistics", where);
  const fields: FragmentFieldStatistics[] = [];
  while (reader.remaining > 0) {
    const min = reader.take(reader.u64n("size of min"), "min");
    const max = reader.take(reader.u64n("size of max"), "max");
    fields.push({ min, max, sum: reader.u64("sum"), nullCount: reader.u64n("null count") });
  }
  return fields;
}

export function writeFragmentMinMaxSumNull(fields: readonly FragmentFieldStatistics[]): Uint8Array {
  const writer = new ByteWriter(fields.length * 48);
  for (const { min, max, sum, nullCount } of fields) {
    writer.u64n(min.byteLength);
    writer.raw(min);
    writer.u64n(max.byteLength);
    writer.raw(max);
    writer.u64(sum);
    writer.u64n(nullCount);
  }
  return writer.finish();
}

/** Names of the delete and update commits already applied to the fragment's cells, in the order of the section. */
export function readProcessedConditions(bytes: Uint8Array, where?: string): string[] {
  const reader = new ByteReader(bytes, "processed conditions", where);
  const count = reader.count("count", 8, 8);
  const names = Array.from({ length: count }, () => reader.sizedText(8, "condition"));
  reader.end();
  return names;
}

export function writeProcessedConditions(names: readonly string[]): Uint8Array {
  const writer = new ByteWriter();
  writer.u64n(names.length);
  for (const name of names) writer.sizedText(8, name);
  return writer.finish();
}

function readVarExtremes(reader: ByteReader, tiles: number, size: number): TileExtremes {
  const starts = readUint64s(reader, tiles, "offset");
  const offsets = new Float64Array(tiles + 1);
  offsets.set(starts);
  offsets[tiles] = size;
  for (let t = 0; t < tiles; t++) {
    if (offsets[t]! > offsets[t + 1]!) {
      throw reader.error(`value ${t} begins at ${offsets[t]} and ends at ${offsets[t + 1]}`);
    }
  }
  return { kind: "var", offsets, data: reader.take(size, "values") };
}
