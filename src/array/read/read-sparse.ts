import { LimitError } from "../../errors.js";
import type { ArraySchema, Dimension } from "../../format/array-schema.js";
import { TIMESTAMPS } from "../../format/fragment/fragment-fields.js";
import { mapBounded } from "../../util/concurrency.js";
import type { Column } from "../columns.js";
import { conditionFields } from "../condition/condition-fields.js";
import { conditions } from "../condition/late.js";
import type { FragmentReader } from "../directory/fragment-reader.js";
import type { TimeWindow } from "../directory/visible-at.js";
import { isInteger } from "../integer-types.js";
import type { OpenedArray } from "../opened-array.js";
import { asDoubles, comparable } from "../order/comparable.js";
import type { ReadResult } from "../query.js";
import { Block } from "./block.js";
import { assemble, loadColumn } from "./block-columns.js";
import { sortedDimension } from "./cell-order.js";
import type { Intervals } from "./intervals.js";
import { dropCells, type Merged, mergeFragments } from "./merge-fragments.js";
import type { ResolvedQuery } from "./resolve-query.js";
import { filterText, maskSelection, numericFilter, run, type Selection, searchSorted } from "./selection.js";
import { fragmentTouches, openSparseSource, type SparseSource } from "./sparse-source.js";
import type { FetchOptions } from "./tile-fetch.js";

/** Reading of sparse arrays: ranges, time, merging, condition narrow the tiles' cells; then columns are built. */

const PARALLEL_FRAGMENTS = 16;

/** Fragments and tiles that the ranges touch. */
export async function sparseSources(array: OpenedArray, query: ResolvedQuery): Promise<SparseSource[]> {
  const { schema } = array;
  const touched = array.fragments
    .map((fragment, index) => ({ fragment, index }))
    .filter(({ fragment }) => fragmentTouches(fragment, schema, query.intervals));
  // Statistics decide about conditions alone.
  const prune = query.condition === null ? null : await import("./prune.js");
  const opened = await mapBounded(
    prune === null ? touched : await prune.pruneFragments(array, query, touched),
    PARALLEL_FRAGMENTS,
    ({ fragment, index }) => {
      const options = { signal: query.signal };
      if (fragment.store.isRemote === true)
        fragment.askSections(queryFields(array, query, fragment), options);
      return openSparseSource(fragment, index, schema, query.intervals, options);
    },
    query.signal,
  );
  const sources = opened.filter((source) => source !== null);
  return prune === null ? sources : prune.pruneSparse(array, query, sources);
}

/** Fields whose tiles the query may read. */
function queryFields({ schema }: OpenedArray, query: ResolvedQuery, fragment: FragmentReader): string[] {
  const decides = query.condition === null ? [] : conditionFields(query.condition);
  const names = [...schema.dimensions.map(({ name }) => name), ...query.attributes, ...decides];
  return [...new Set(names)].filter((name) => fragment.hasField(name));
}

export async function readSparse(
  array: OpenedArray,
  query: ResolvedQuery,
  options: FetchOptions,
): Promise<ReadResult> {
  return readSources(array, query, await sparseSources(array, query), options);
}

/** Reads what the query asks of those tiles alone. */
export async function readSources(
  array: OpenedArray,
  query: ResolvedQuery,
  sources: readonly SparseSource[],
  given: FetchOptions,
): Promise<ReadResult> {
  const all = allBlocks(sources);
  let options = given;
  if (sources.some(({ fragment }) => fragment.store.isRemote === true)) {
    const { withTilesAhead } = await import("./sparse-ahead.js");
    options = await withTilesAhead(array, query, sources, all, given);
  }
  const blocks = await selectedBlocks(array, query, all, options);
  checkCount(blocks, array.uri);
  return resultOf(array, query, await mergeFragments(blocks, array.schema, query.order, options), options);
}

/** A block for each of the sources' tiles. */
export function allBlocks(sources: readonly SparseSource[]): Block[] {
  return sources.flatMap((source) => source.tiles.map((tile) => new Block(source, tile)));
}

/** The blocks with the cells alone that lie in the ranges and in the time; blocks without such are left out. */
export async function selectedBlocks(
  { schema, window }: OpenedArray,
  query: ResolvedQuery,
  blocks: readonly Block[],
  options: FetchOptions,
): Promise<Block[]> {
  let left = [...blocks];
  for (const [d, intervals] of query.intervals.entries()) {
    if (intervals !== null) await applyRange(left, schema, d, intervals, query, options);
    left = left.filter((block) => block.count > 0);
  }
  await applyTime(left, schema, window, options);
  return left.filter((block) => block.count > 0);
}

/** Whether the fragment itself says of cells when they were deleted. */
function isMarked({ source }: Block): boolean {
  return source.fragment.footer.hasDeleteMetadata;
}

/** The result of cells that are in order and without duplicates: deletes, the condition, then the columns. */
export async function resultOf(
  array: OpenedArray,
  query: ResolvedQuery,
  cells: Merged,
  options: FetchOptions,
): Promise<ReadResult> {
  const names = [...query.dimensions, ...query.attributes];
  let merged = cells;
  if (array.deletes.length > 0 || cells.blocks.some(isMarked)) {
    const { applyDeletes } = await import("./deletes.js");
    merged = await applyDeletes(array, cells, (name) => names.includes(name), options);
  }
  if (query.condition !== null) merged = await applyCondition(array, merged, query, options);
  const columns = await assemble(merged.blocks, array.schema, names, merged.order, options);
  const cellCount = merged.blocks.reduce((sum, block) => sum + block.count, 0);
  return { cellCount, columns, shape: null };
}

/** Positions of cells are 32-bit numbers. */
function checkCount(blocks: readonly Block[], uri: string): void {
  const count = blocks.reduce((sum, block) => sum + block.count, 0);
  if (count <= 0xffffffff) return;
  throw new LimitError(`${count} cells in one read, at most ${0xffffffff}; read by ranges`, { where: uri });
}

/** Narrows the blocks to the intervals of dimension `d`, reading it only where a tile is partly inside. */
async function applyRange(
  blocks: readonly Block[],
  schema: ArraySchema,
  d: number,
  intervals: Intervals,
  query: ResolvedQuery,
  options: FetchOptions,
): Promise<void> {
  const dimension = schema.dimensions[d]!;
  const keepColumn = query.dimensions.includes(dimension.name);
  const find = rangeFinder(dimension, intervals, sortedDimension(schema) === d);
  const partial = blocks.filter((block) => block.source.overlap(block.tile, d) === "partial");
  await loadColumn(partial, schema, dimension.name, options, (block, column) => {
    const kept = find(column);
    if (keepColumn) block.columns.set(dimension.name, column);
    block.keep(kept);
  });
}

/** Which cells of a tile, or of what is left of it, lie in the intervals: by binary search where they are sorted. */
function rangeFinder(
  dimension: Dimension,
  intervals: Intervals,
  sorted: boolean,
): (column: Column) => Selection {
  if (intervals.kind === "text") {
    return (column) =>
      column.kind === "var" ? filterText(column.offsets, column.data, intervals) : run(0, 0);
  }
  const scan = numericFilter(intervals, isInteger(dimension.datatype));
  return (column) => {
    if (column.kind === "var") return run(0, 0);
    const values = comparable(dimension, column.values);
    return sorted ? searchSorted(values, intervals) : scan(values);
  };
}

/** Drops cells written outside the window from fragments that know the time of each cell. */
async function applyTime(
  blocks: readonly Block[],
  schema: ArraySchema,
  window: TimeWindow,
  options: FetchOptions,
): Promise<void> {
  const timed = blocks.filter(({ source }) => isPartlyInside(source.fragment, window));
  await loadColumn(timed, schema, TIMESTAMPS, options, (block, column) => {
    if (column.kind === "var" || !(column.values instanceof BigUint64Array)) return;
    const times = asDoubles(column.values);
    const kept = new Uint8Array(times.length);
    for (let i = 0; i < times.length; i++)
      kept[i] = times[i]! >= window.start && times[i]! <= window.end ? 1 : 0;
    block.columns.set(TIMESTAMPS, column);
    block.keep(maskSelection(kept));
  });
}

/** Whether cells of the fragment may have been written outside the window. */
export function isPartlyInside({ footer, files }: FragmentReader, window: TimeWindow): boolean {
  return footer.hasTimestamps && (files.start < window.start || files.end > window.end);
}

/**
 * Drops cells that the condition does not hold for. What it reads is kept where the result needs it too. Cells written
 * before an attribute was added satisfy no comparison with it, as in the core, whatever its fill value is.
 */
async function applyCondition(
  array: OpenedArray,
  { blocks, order }: Merged,
  query: ResolvedQuery,
  options: FetchOptions,
): Promise<Merged> {
  const { schema } = array;
  const { prepareCondition } = await conditions();
  const condition = await prepareCondition(query.condition!, array);
  const fields = conditionFields(query.condition!);
  const columns = new Map(blocks.map((block) => [block, new Map<string, Column>()]));
  for (const name of fields) {
    await loadColumn(blocks, schema, name, options, (block, column) => {
      if (block.source.fragment.hasField(name)) columns.get(block)!.set(name, column);
      if (query.attributes.includes(name) || query.dimensions.includes(name)) block.columns.set(name, column);
    });
  }
  const count = blocks.reduce((sum, block) => sum + block.count, 0);
  const alive = new Uint8Array(count);
  let start = 0;
  for (const block of blocks) {
    alive.set(condition(columns.get(block)!, block.count), start);
    start += block.count;
  }
  return dropCells(blocks, order, alive);
}
