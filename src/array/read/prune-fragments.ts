import { conditionFields } from "../condition/condition-fields.js";
import type { BoundsOf, TileTest } from "../condition/condition-prune.js";
import { conditions } from "../condition/late.js";
import { type FragmentBounds, fragmentBounds, unknownBounds } from "../directory/fragment-bounds.js";
import type { FragmentReader } from "../directory/fragment-reader.js";
import type { OpenedArray } from "../opened-array.js";
import { comparableFields, rowBounds } from "./field-bounds.js";
import type { ResolvedQuery } from "./resolve-query.js";
import { nonEmptyBounds } from "./sparse-source.js";

/**
 * Fragments that a query's condition cannot hold for, by the statistics that their footers lead to: no section of tiles
 * of theirs is fetched. Those that it may hold for are then looked at tile by tile (prune.ts).
 */

/** A fragment that the query's ranges touch. */
export interface TouchedFragment {
  readonly fragment: FragmentReader;
  /** Position among the array's visible fragments: later ones win. */
  readonly index: number;
}

/** Of a sparse array's fragments those that may hold such cells, and those that may hide cells of others. */
export async function pruneFragments(
  array: OpenedArray,
  query: ResolvedQuery,
  touched: readonly TouchedFragment[],
): Promise<readonly TouchedFragment[]> {
  if (query.condition === null) return touched;
  const { prepareTileTest } = await conditions();
  const test = await prepareTileTest(query.condition, array);
  const passing = await Promise.all(touched.map(({ fragment }) => mayHold(array, query, fragment, test)));
  const kept = new Set(touched.filter((_, i) => passing[i]));
  if (array.schema.allowsDuplicates) return touched.filter((one) => kept.has(one));
  // One that is kept to hide others may itself be hidden, but cells that fail need not be.
  return touched.filter((one) => kept.has(one) || [...kept].some((other) => mayHide(one, other, array)));
}

/** True if it cannot hold for any cell of the dense fragment. */
export async function allFail(
  array: OpenedArray,
  query: ResolvedQuery,
  fragment: FragmentReader,
  test: TileTest,
): Promise<boolean> {
  return !(await mayHold(array, query, fragment, test));
}

async function mayHold(
  array: OpenedArray,
  query: ResolvedQuery,
  fragment: FragmentReader,
  test: TileTest,
): Promise<boolean> {
  const names = conditionFields(query.condition!);
  const loaded = comparableFields(array, fragment, names).map(
    async (name) => [name, await fragmentBounds(fragment, name, { signal: query.signal })] as const,
  );
  const bounds = new Map<string, FragmentBounds>(await Promise.all(loaded));
  // How many cells of a dense fragment were written is not known, so no count says that all of them are null.
  const cells = fragment.footer.dense ? Number.POSITIVE_INFINITY : fragment.cellCount;
  return test(boundsOf(array, fragment, bounds), cells);
}

function boundsOf(
  { schema }: OpenedArray,
  fragment: FragmentReader,
  loaded: ReadonlyMap<string, FragmentBounds>,
): BoundsOf {
  const { dense, nonEmptyDomain } = fragment.footer;
  return (name) => {
    const found = loaded.get(name);
    if (found !== undefined) return found;
    if (dense) return unknownBounds;
    const d = schema.dimensions.findIndex((one) => one.name === name);
    if (d < 0) return fragment.hasField(name) ? unknownBounds : "missing";
    if (nonEmptyDomain === null) return unknownBounds;
    return rowBounds(nonEmptyBounds(schema.dimensions[d]!, nonEmptyDomain[d]!), 0);
  };
}

/** Whether cells of `one` may hide some of `other`: newer ones do, and single cells of consolidated fragments. */
function mayHide(one: TouchedFragment, other: TouchedFragment, { schema }: OpenedArray): boolean {
  const isTimed = one.fragment.footer.hasTimestamps || other.fragment.footer.hasTimestamps;
  if (!isTimed && one.index < other.index) return false;
  const [a, b] = [one.fragment.footer.nonEmptyDomain, other.fragment.footer.nonEmptyDomain];
  if (a === null || b === null) return false;
  return schema.dimensions.every((_, d) => {
    const [[low, high], [from, to]] = [a[d]!, b[d]!];
    return low <= to && from <= high;
  });
}
