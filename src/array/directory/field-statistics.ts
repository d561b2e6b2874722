import { FormatError } from "../../errors.js";
import type { Attribute } from "../../format/array-schema.js";
import { datatypeInfo, VAR_NUM } from "../../format/datatype.js";
import { fieldIndex } from "../../format/fragment/fragment-fields.js";
import {
  readTileMinMax,
  readTileNumbers,
  readTileSums,
  type TileExtremes,
} from "../../format/fragment/fragment-sections.js";
import {
  extremeOf,
  hasMinMax,
  type SumType,
  sumsAs,
  sumType,
} from "../../format/fragment/fragment-statistics.js";
import type { StoreOptions } from "../../storage/types.js";
import type { FragmentReader } from "./fragment-reader.js";

/** What a fragment's metadata say of an attribute's tiles, as far as it can be relied on. Nulls for what cannot. */
export interface AttributeStatistics {
  /** Of valid cells of tile `t`: bytes of one cell, both inclusive. Of a tile of nulls alone they mean nothing. */
  min(t: number): Uint8Array | null;
  max(t: number): Uint8Array | null;
  nullCount(t: number): number | null;
  /** Of valid cells: bigint of integers, number of floats. */
  sum(t: number): bigint | number | null;
}

const MIN_MAX_VERSION = 11;
/** Before, min and max of nullable fixed strings in dense fragments can be wrong. */
const DENSE_NULLABLE_TEXT_VERSION = 21;

/** Statistics of an attribute that the fragment has. */
async function attributeStatistics(
  fragment: FragmentReader,
  name: string,
  options?: StoreOptions,
): Promise<AttributeStatistics> {
  const { schema, footer, tileCount } = fragment;
  const index = fieldIndex(schema, name, footer);
  const attribute = schema.attributes[index]!;
  const { nullable, cellValNum, datatype } = attribute;
  const { sections } = footer;
  const isVar = cellValNum === VAR_NUM;
  const { known, hasExtremes, countsNulls } = reliability(fragment, attribute);
  const extremes = async (at: Float64Array) => {
    if (!hasExtremes) return null;
    const bytes = await fragment.section(at[index]!, "tile mins or maxes", options);
    return checkExtremes(fragment, readTileMinMax(bytes, isVar, fragment.uri), cellBytes);
  };
  const cellBytes = isVar ? 0 : datatypeInfo(datatype).bytes * cellValNum;
  const type = known ? sumType(attribute) : null;
  const [mins, maxes, sums, nullCounts] = await Promise.all([
    extremes(sections.tileMins),
    extremes(sections.tileMaxes),
    type === null ? null : readSums(fragment, sections.tileSums[index]!, type, options),
    countsNulls ? readNullCounts(fragment, sections.tileNullCounts[index]!, options) : null,
  ]);
  if (nullCounts !== null && nullCounts.length !== tileCount) {
    throw badCount(fragment, "null counts", nullCounts.length);
  }
  const isFloat = type === "float64";
  const bounded = (t: number) => !isFloat || isProper(sums![t]!);
  const extreme = (of: TileExtremes | null, t: number) =>
    of === null || !bounded(t) ? null : extremeOf(of, t, cellBytes);
  return {
    min: (t) => extreme(mins, t),
    max: (t) => extreme(maxes, t),
    nullCount: (t) => (nullable ? (nullCounts?.[t] ?? null) : 0),
    sum: (t) => sums?.[t] ?? null,
  };
}

/** A NaN makes mins and maxes forget what came before; a sum that is neither NaN nor capped shows that there was none. */
function isProper(sum: bigint | number): boolean {
  return !Number.isNaN(sum) && Math.abs(Number(sum)) !== Number.MAX_VALUE;
}

/** What of an attribute's statistics in the fragment can be relied on. */
export interface Reliability {
  /** Whether the fragment has statistics, of what its cells give back. */
  readonly known: boolean;
  /** Mins and maxes of tiles. */
  readonly hasExtremes: boolean;
  readonly countsNulls: boolean;
}

export function reliability(fragment: FragmentReader, attribute: Attribute): Reliability {
  const { version, dense } = fragment.footer;
  // What goes through a filter that loses digits is not what comes back.
  const isLossy = attribute.filters.filters.some(({ type }) => type === "scale_float" || type === "webp");
  const known = version >= MIN_MAX_VERSION && !isLossy;
  const has = known && hasMinMax(attribute);
  return {
    known,
    hasExtremes: has && isReliable(fragment, attribute),
    // Of attributes without mins and maxes they are 0 in files that have nulls.
    countsNulls: has && attribute.nullable && !(attribute.cellValNum === VAR_NUM && dense),
  };
}

function isReliable({ footer }: FragmentReader, { cellValNum, nullable, datatype }: Attribute): boolean {
  if (!footer.dense) return true;
  if (cellValNum === VAR_NUM) return false;
  const { kind } = datatypeInfo(datatype);
  const isText = kind === "string" || kind === "char";
  return !(isText && nullable) || footer.version >= DENSE_NULLABLE_TEXT_VERSION;
}

async function readSums(
  fragment: FragmentReader,
  offset: number,
  type: SumType,
  options: StoreOptions | undefined,
): Promise<BigInt64Array | BigUint64Array | Float64Array> {
  const sums = readTileSums(await fragment.section(offset, "tile sums", options), fragment.uri);
  if (sums.length !== fragment.tileCount) throw badCount(fragment, "sums", sums.length);
  return sumsAs(sums, type);
}

async function readNullCounts(
  fragment: FragmentReader,
  offset: number,
  options: StoreOptions | undefined,
): Promise<Float64Array> {
  const section = "tile null counts";
  return readTileNumbers(await fragment.section(offset, section, options), section, fragment.uri);
}

function checkExtremes(
  fragment: FragmentReader,
  extremes: TileExtremes | null,
  cellBytes: number,
): TileExtremes | null {
  if (extremes === null) return null;
  const found =
    extremes.kind === "var" ? extremes.offsets.length - 1 : extremes.values.byteLength / cellBytes;
  if (found !== fragment.tileCount) throw badCount(fragment, "mins or maxes", found);
  return extremes;
}

function badCount({ uri, tileCount }: FragmentReader, what: string, found: number): FormatError {
  return new FormatError(`fragment: ${what} of ${found} tiles, expected ${tileCount}`, { where: uri });
}

const kept = new WeakMap<FragmentReader, Map<string, Promise<AttributeStatistics>>>();

/** The same, read once per fragment and then kept with it. */
export async function statisticsOf(
  fragment: FragmentReader,
  name: string,
  options?: StoreOptions,
): Promise<AttributeStatistics> {
  const fields = kept.get(fragment) ?? new Map<string, Promise<AttributeStatistics>>();
  kept.set(fragment, fields);
  const found = fields.get(name) ?? attributeStatistics(fragment, name, options);
  fields.set(name, found);
  // What failed (or was aborted) may be asked for again.
  found.catch(() => fields.delete(name));
  return found;
}
