import { compareText } from "../../format/text-bytes.js";
import { conditionFields } from "../condition/condition-fields.js";
import type { BoundsOf, FieldBounds } from "../condition/condition-prune.js";
import { conditions } from "../condition/late.js";
import { type AttributeStatistics, statisticsOf } from "../directory/field-statistics.js";
import type { FragmentReader } from "../directory/fragment-reader.js";
import type { OpenedArray } from "../opened-array.js";
import type { DenseSource } from "./dense-sources.js";
import { comparableFields, rowBounds } from "./field-bounds.js";
import { allFail } from "./prune-fragments.js";
import type { ResolvedQuery } from "./resolve-query.js";
import type { SparseSource } from "./sparse-source.js";
import type { FetchOptions } from "./tile-fetch.js";

export { pruneFragments } from "./prune-fragments.js";

/** Tiles that a query's condition cannot hold for, left out by their statistics before a byte of them is fetched. */

/** Tile pairs that are compared at most to see whether tiles of two fragments overlap. */
const MAX_PAIRS = 4_000_000;

/**
 * The sources without such tiles. Cells of a tile that is left out may hide older ones with the same coordinates, so
 * where duplicates are not allowed it stays if its rectangle touches that of an older tile that stays.
 */
export async function pruneSparse(
  array: OpenedArray,
  query: ResolvedQuery,
  sources: readonly SparseSource[],
): Promise<SparseSource[]> {
  if (query.condition === null) return [...sources];
  const { prepareTileTest } = await conditions();
  const test = await prepareTileTest(query.condition, array);
  const names = conditionFields(query.condition);
  const pruned: SparseSource[] = [];
  for (const source of [...sources].sort((a, b) => a.index - b.index)) {
    const { fragment } = source;
    const statistics = await loadStatistics(array, fragment, names, query);
    const mayHold = (t: number) => test(boundsOf(array, statistics, t, source), fragment.cellsOf(t));
    const hides = array.schema.allowsDuplicates ? () => false : hidingTest(source, pruned);
    const tiles = source.tiles.filter((t) => mayHold(t) || hides(t));
    if (tiles.length > 0) pruned.push({ ...source, tiles });
  }
  const position = new Map(sources.map((source, i) => [source.index, i]));
  return pruned.sort((a, b) => position.get(a.index)! - position.get(b.index)!);
}

/**
 * Of each source of a dense read the tiles whose cells all fail the condition. They need not be read, but they still
 * hide older ones.
 */
export async function failingTiles(
  array: OpenedArray,
  query: ResolvedQuery,
  sources: readonly DenseSource[],
): Promise<ReadonlyMap<DenseSource, ReadonlySet<number>>> {
  const failing = new Map<DenseSource, ReadonlySet<number>>();
  if (query.condition === null) return failing;
  // Sparse fragments in dense arrays put single cells over failing ones.
  if (sources.some(({ fragment }) => !fragment.footer.dense)) return failing;
  const { prepareTileTest } = await conditions();
  const test = await prepareTileTest(query.condition, array);
  const names = conditionFields(query.condition);
  for (const source of sources) {
    if (await allFail(array, query, source.fragment, test)) {
      failing.set(source, new Set(source.tiles.map(({ tile }) => tile)));
      continue;
    }
    const statistics = await loadStatistics(array, source.fragment, names, query);
    // How many of a tile's cells were written is not known, so no count says that all of them are null.
    const mayHold = (t: number) => test(boundsOf(array, statistics, t, null), Number.POSITIVE_INFINITY);
    failing.set(source, new Set(source.tiles.map(({ tile }) => tile).filter((t) => !mayHold(t))));
  }
  return failing;
}

async function loadStatistics(
  array: OpenedArray,
  fragment: FragmentReader,
  names: readonly string[],
  { signal }: Pick<FetchOptions, "signal">,
): Promise<ReadonlyMap<string, AttributeStatistics>> {
  const loaded = comparableFields(array, fragment, names).map(
    async (name) => [name, await statisticsOf(fragment, name, { signal })] as const,
  );
  return new Map(await Promise.all(loaded));
}

const unknown: FieldBounds = { nullCount: null, min: null, max: null };

function boundsOf(
  { schema }: OpenedArray,
  statistics: ReadonlyMap<string, AttributeStatistics>,
  t: number,
  source: SparseSource | null,
): BoundsOf {
  return (name) => {
    const found = statistics.get(name);
    if (found !== undefined) return { nullCount: found.nullCount(t), min: found.min(t), max: found.max(t) };
    const d = schema.dimensions.findIndex((one) => one.name === name);
    if (source === null) return unknown;
    if (d >= 0) return rowBounds(source.tree.bounds[d]!, t);
    return source.fragment.hasField(name) ? unknown : "missing";
  };
}

/** Whether a tile of the source may hide cells of older sources, or of its own where it has several of a coordinate. */
function hidingTest(source: SparseSource, older: readonly SparseSource[]): (t: number) => boolean {
  if (source.fragment.footer.hasTimestamps) return () => true;
  const pairs = older.reduce((sum, one) => sum + one.tiles.length, 0) * source.tiles.length;
  if (pairs > MAX_PAIRS) return () => older.length > 0;
  return (t) => older.some((one) => one.tiles.some((other) => touch(source, t, one, other)));
}

function touch(a: SparseSource, t: number, b: SparseSource, u: number): boolean {
  return a.tree.bounds.every((x, d) => {
    const y = b.tree.bounds[d]!;
    if (x.kind === "text" || y.kind === "text") {
      if (x.kind !== y.kind) return true;
      return (
        x.kind === "text" &&
        y.kind === "text" &&
        compareText(x.lo[t]!, y.hi[u]!) <= 0 &&
        compareText(y.lo[u]!, x.hi[t]!) <= 0
      );
    }
    return x.lo[t]! <= y.hi[u]! && y.lo[u]! <= x.hi[t]!;
  });
}
