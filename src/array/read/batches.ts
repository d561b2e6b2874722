import { ArgumentError } from "../../errors.js";
import type { OpenedArray } from "../opened-array.js";
import type { ReadResult } from "../query.js";
import type { Block } from "./block.js";
import { cellSizes } from "./cell-sizes.js";
import { denseParts } from "./dense-batches.js";
import { withoutSorting } from "./merge-fragments.js";
import { readDense } from "./read-dense.js";
import { allBlocks, readSources, sparseSources } from "./read-sparse.js";
import type { ResolvedQuery } from "./resolve-query.js";
import { SortedBatches } from "./sorted-batches.js";
import type { SparseSource } from "./sparse-source.js";

/**
 * A read in pieces whose results, one after the other, are those of the whole read. Where tiles only need to be put
 * together a piece is some of them; where cells of fragments are sorted into one another it is the next cells in
 * order; of a dense array it is a box of cells.
 */
export async function* readBatches(
  array: OpenedArray,
  query: ResolvedQuery,
  memoryBudget: number,
): AsyncGenerator<ReadResult, void, undefined> {
  if (!(memoryBudget > 0))
    throw new ArgumentError(`memory budget of ${memoryBudget} bytes, expected more than 0`);
  const options = { signal: query.signal };
  if (array.schema.arrayType === "dense") {
    for (const part of denseParts(array, query, memoryBudget)) yield await readDense(array, part, options);
    return;
  }
  yield* sparseBatches(array, query, await sparseSources(array, query), memoryBudget);
}

/** Of a sparse array, what a read of those tiles alone gives. */
export async function* sparseBatches(
  array: OpenedArray,
  query: ResolvedQuery,
  sources: readonly SparseSource[],
  memoryBudget: number,
): AsyncGenerator<ReadResult, void, undefined> {
  const options = { signal: query.signal };
  const sizeOf = await cellSizes(array, query, sources);
  const sequence = withoutSorting(allBlocks(sources), array.schema, query.order);
  if (sequence === null) {
    yield* new SortedBatches(array, query, sources, sizeOf).read(memoryBudget);
    return;
  }
  for (const some of groups(sequence, (block) => block.count * sizeOf(block), memoryBudget)) {
    yield await readSources(array, query, sourcesOf(some), options);
  }
}

/** Runs of items that come to no more than the budget, or are one item. */
function* groups<T>(items: readonly T[], sizeOf: (item: T) => number, budget: number): Generator<T[]> {
  let group: T[] = [];
  let size = 0;
  for (const item of items) {
    const more = sizeOf(item);
    if (group.length > 0 && size + more > budget) {
      yield group;
      group = [];
      size = 0;
    }
    group.push(item);
    size += more;
  }
  if (group.length > 0) yield group;
}

/** The sources of some blocks, with the tiles of those alone. */
function sourcesOf(blocks: readonly Block[]): SparseSource[] {
  const tiles = new Map<SparseSource, number[]>();
  for (const { source, tile } of blocks) {
    const list = tiles.get(source);
    if (list === undefined) tiles.set(source, [tile]);
    else list.push(tile);
  }
  return Array.from(tiles, ([source, some]) => ({ ...source, tiles: some.sort((a, b) => a - b) })).sort(
    (a, b) => a.index - b.index,
  );
}
