import { storedField } from "../directory/stored-field.js";
import type { OpenedArray } from "../opened-array.js";
import type { Block } from "./block.js";
import { deleteFields, deletesOf, prepareDeletes } from "./deletes.js";
import { withoutSorting } from "./merge-fragments.js";
import type { ResolvedQuery } from "./resolve-query.js";
import { sparseFields } from "./sparse-fields.js";
import type { SparseSource } from "./sparse-source.js";
import type { FetchOptions } from "./tile-fetch.js";
import { TilesAhead, type TilesOfField } from "./tiles-ahead.js";

/** Asks for all that a small read of a remote store may need, in one round trip. */
export async function withTilesAhead(
  array: OpenedArray,
  query: ResolvedQuery,
  sources: readonly SparseSource[],
  blocks: Block[],
  options: FetchOptions,
): Promise<FetchOptions> {
  const compares = withoutSorting(blocks, array.schema, query.order) === null;
  const deletes = await prepareDeletes(array);
  const wanted: TilesOfField[] = [];
  for (const source of sources) {
    const { fragment } = source;
    const own = deleteFields(await deletesOf(fragment, deletes, options));
    for (const { name, tiles } of sparseFields(array, query, source, compares, own)) {
      if (tiles.length > 0) wanted.push({ field: await storedField(fragment, name, options), tiles });
    }
  }
  const ahead = TilesAhead.ask(wanted, options.signal);
  return ahead === undefined ? options : { ...options, ahead };
}
