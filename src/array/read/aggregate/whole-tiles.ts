import { datatypeInfo, VAR_NUM } from "../../../format/datatype.js";
import { textOfBytes } from "../../../format/text-bytes.js";
import { viewAs } from "../../../util/typed-arrays.js";
import { statisticsOf } from "../../directory/field-statistics.js";
import type { FragmentReader } from "../../directory/fragment-reader.js";
import type { OpenedArray } from "../../opened-array.js";
import { aggregated, type Totals } from "./totals.js";

/** Tiles whose cells all count, by the statistics in their fragment's metadata. */

/** Adds a whole tile by its statistics to all totals, or to none and gives false. */
export async function addTile(
  { schema }: OpenedArray,
  fragment: FragmentReader,
  t: number,
  totals: ReadonlyMap<string, Totals>,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const adds: (() => void)[] = [];
  for (const [name, total] of totals) {
    const attribute = schema.attributes.find((one) => one.name === name);
    // Tiles have no sums of coordinates.
    if (attribute === undefined) return false;
    const { array } = datatypeInfo(attribute.datatype);
    const of = aggregated(attribute.datatype, attribute.cellValNum);
    if (!fragment.hasField(name) || fragment.evolvedAttribute(name) !== undefined) return false;
    if (of === "nothing" && !attribute.nullable) {
      adds.push(() => total.addCounts(fragment.cellsOf(t), 0));
      continue;
    }
    // Stored bounds of texts of variable length end at a NUL: what they were of cannot be told.
    if (of === "nothing" || attribute.cellValNum === VAR_NUM) return false;
    const statistics = await statisticsOf(fragment, name, { signal });
    const [min, max] = [statistics.min(t), statistics.max(t)];
    const [sum, nulls] = [statistics.sum(t), statistics.nullCount(t)];
    if (min === null || max === null || nulls === null) return false;
    const valid = fragment.cellsOf(t) - nulls;
    if (of === "texts") {
      // Bounds of texts compare up to a NUL: only of a fixed length, and without one, no other cell is beyond them.
      if (min.includes(0) || max.includes(0)) return false;
      adds.push(() => total.add(valid, nulls, textOfBytes(min), textOfBytes(max), null));
      continue;
    }
    if (sum === null || isCapped(sum)) return false;
    adds.push(() => total.add(valid, nulls, viewAs(min, array)[0]!, viewAs(max, array)[0]!, sum));
  }
  for (const add of adds) add();
  return true;
}

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
const UINT64_MAX = 2n ** 64n - 1n;

/** A sum that would overflow is the end of its type. */
function isCapped(sum: bigint | number): boolean {
  return sum === INT64_MIN || sum === INT64_MAX || sum === UINT64_MAX;
}
