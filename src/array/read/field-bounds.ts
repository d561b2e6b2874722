import type { DimensionBounds } from "../../format/fragment/rtree.js";
import { bytesOfText } from "../../format/text-bytes.js";
import { bytesOf } from "../../util/typed-arrays.js";
import type { FieldBounds } from "../condition/condition-prune.js";
import type { FragmentReader } from "../directory/fragment-reader.js";
import type { OpenedArray } from "../opened-array.js";

/** What tests of tiles and of whole fragments have in common. */

/** Attributes that are in the fragment as they are in the array. */
export function comparableFields(
  { schema }: OpenedArray,
  fragment: FragmentReader,
  names: readonly string[],
): string[] {
  const isSame = (name: string) => fragment.hasField(name) && fragment.evolvedAttribute(name) === undefined;
  return names.filter((name) => schema.attributes.some((one) => one.name === name) && isSame(name));
}

/** Bounds of row `t`: of a tile in an R-tree. */
export function rowBounds(bounds: DimensionBounds, t: number): FieldBounds {
  if (bounds.kind === "text") {
    return { nullCount: 0, min: bytesOfText(bounds.lo[t]!), max: bytesOfText(bounds.hi[t]!) };
  }
  return {
    nullCount: 0,
    min: bytesOf(bounds.lo.subarray(t, t + 1)),
    max: bytesOf(bounds.hi.subarray(t, t + 1)),
  };
}
