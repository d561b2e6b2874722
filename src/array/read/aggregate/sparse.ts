import type { OpenedArray } from "../../opened-array.js";
import type { AggregateResult } from "../../query.js";
import { sparseBatches } from "../batches.js";
import { withoutSorting } from "../merge-fragments.js";
import { allBlocks, isPartlyInside, sparseSources } from "../read-sparse.js";
import type { ResolvedQuery } from "../resolve-query.js";
import { isCovered, type SparseSource } from "../sparse-source.js";
import { BATCH_BYTES, resultOf, totalsOf } from "./totals.js";
import { addTile } from "./whole-tiles.js";

/** Aggregates of sparse arrays: over the cells that a read gives. */
export async function aggregateSparse(array: OpenedArray, query: ResolvedQuery): Promise<AggregateResult> {
  const totals = totalsOf(query);
  const sources = await sparseSources(array, query);
  const known = onlyRangesDecide(array, query, sources);
  let count = 0;
  const rest: SparseSource[] = [];
  for (const source of sources) {
    const { fragment } = source;
    const covered = known(source) ? source.tiles.filter((t) => isCovered(source, t)) : [];
    const unknown = new Set(source.tiles);
    for (const t of covered) {
      if (!(await addTile(array, fragment, t, totals, query.signal))) continue;
      count += fragment.cellsOf(t);
      unknown.delete(t);
    }
    if (unknown.size > 0) rest.push({ ...source, tiles: [...unknown] });
  }
  if (rest.length === 0) return resultOf(count, totals);
  for await (const { cellCount, columns } of sparseBatches(array, query, rest, BATCH_BYTES)) {
    count += cellCount;
    for (const [name, total] of totals) total.addColumn(columns[name]!);
  }
  return resultOf(count, totals);
}

/** Whether neither condition, deletes, time nor newer cells take cells out of a fragment's tiles. */
function onlyRangesDecide(
  { schema, window, deletes }: OpenedArray,
  query: ResolvedQuery,
  sources: readonly SparseSource[],
): (source: SparseSource) => boolean {
  // Duplicates are told apart by sorting: where that is not needed, there are none.
  const unique = schema.allowsDuplicates || withoutSorting(allBlocks(sources), schema, query.order) !== null;
  if (query.condition !== null || deletes.length > 0 || !unique) return () => false;
  return ({ fragment }) => !isPartlyInside(fragment, window) && !fragment.footer.hasDeleteMetadata;
}
