import { FormatError } from "../../errors.js";
import type { Attribute } from "../../format/array-schema.js";
import { datatypeInfo, VAR_NUM } from "../../format/datatype.js";
import { fieldIndex, fieldNames } from "../../format/fragment/fragment-fields.js";
import {
  type FragmentFieldStatistics,
  readFragmentMinMaxSumNull,
} from "../../format/fragment/fragment-sections.js";
import type { StoreOptions } from "../../storage/types.js";
import { reliability } from "./field-statistics.js";
import type { FragmentReader } from "./fragment-reader.js";

/** What a fragment's metadata say of all its cells in one attribute. Nulls for what cannot be relied on. */
export interface FragmentBounds {
  readonly nullCount: number | null;
  /** Of valid cells: bytes of one cell, both inclusive. */
  readonly min: Uint8Array | null;
  readonly max: Uint8Array | null;
}

const FRAGMENT_STATISTICS_VERSION = 12;

export const unknownBounds: FragmentBounds = { nullCount: null, min: null, max: null };

/** Of an attribute that the fragment has; one section of the metadata file for all of them, read once. */
export async function fragmentBounds(
  fragment: FragmentReader,
  name: string,
  options?: StoreOptions,
): Promise<FragmentBounds> {
  const { schema, footer } = fragment;
  const index = fieldIndex(schema, name, footer);
  const attribute = schema.attributes[index]!;
  const nulls = attribute.nullable ? null : 0;
  const { hasExtremes, countsNulls } = reliability(fragment, attribute);
  const bounded = hasExtremes && boundsFragment(attribute);
  if (footer.version < FRAGMENT_STATISTICS_VERSION || (!bounded && !countsNulls)) {
    return { ...unknownBounds, nullCount: nulls };
  }
  const found = (await statisticsOf(fragment, options))[index]!;
  const nullCount = countsNulls ? found.nullCount : nulls;
  if (!bounded || !isWhole(fragment, attribute, found)) return { ...unknownBounds, nullCount };
  return { nullCount, min: found.min, max: found.max };
}

/**
 * Whether min and max of a fragment bound its cells where those of its tiles do. Not of floats: of tiles a sum that is
 * neither NaN nor capped shows that no NaN made them forget values, but capped sums of several tiles can cancel out. Nor
 * of fixed text that has nulls: the official library skips values of other tiles where one has nulls alone.
 */
function boundsFragment({ datatype, nullable, cellValNum }: Attribute): boolean {
  const { kind } = datatypeInfo(datatype);
  if (kind === "float") return false;
  return !(nullable && cellValNum !== VAR_NUM && (kind === "string" || kind === "char"));
}

/** Fixed values have the size of a cell; of a fragment without valid cells they may be missing. */
function isWhole(
  { uri }: FragmentReader,
  { name, datatype, cellValNum }: Attribute,
  { min, max }: FragmentFieldStatistics,
): boolean {
  if (cellValNum === VAR_NUM) return true;
  const size = datatypeInfo(datatype).bytes * cellValNum;
  const sizes = [min.byteLength, max.byteLength];
  if (sizes.every((one) => one === size)) return true;
  if (sizes.every((one) => one === 0)) return false;
  throw new FormatError(`fragment: min and max of '${name}' take ${sizes.join(" and ")} bytes, not ${size}`, {
    where: uri,
  });
}

const kept = new WeakMap<FragmentReader, Promise<FragmentFieldStatistics[]>>();

async function statisticsOf(
  fragment: FragmentReader,
  options?: StoreOptions,
): Promise<FragmentFieldStatistics[]> {
  const found = kept.get(fragment) ?? readStatistics(fragment, options);
  kept.set(fragment, found);
  // What failed (or was aborted) may be asked for again.
  found.catch(() => kept.delete(fragment));
  return found;
}

async function readStatistics(
  fragment: FragmentReader,
  options?: StoreOptions,
): Promise<FragmentFieldStatistics[]> {
  const { footer, schema, uri } = fragment;
  const section = "fragment statistics";
  const bytes = await fragment.section(footer.sections.fragmentStatistics, section, options);
  const found = readFragmentMinMaxSumNull(bytes, uri);
  const expected = fieldNames(schema, footer).length;
  if (found.length === expected) return found;
  throw new FormatError(`${section} of ${found.length} fields, expected ${expected}`, { where: uri });
}
