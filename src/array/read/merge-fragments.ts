import type { ArraySchema } from "../../format/array-schema.js";
import { TIMESTAMPS } from "../../format/fragment/fragment-fields.js";
import type { DimensionBounds } from "../../format/fragment/rtree.js";
import { compareText } from "../../format/text-bytes.js";
import { concatColumns } from "../column-ops.js";
import type { Column } from "../columns.js";
import { asDoubles } from "../order/comparable.js";
import { sortOrder } from "../order/sort-cells.js";
import type { SortKeys } from "../order/sort-keys.js";
import type { ReadOrder } from "../query.js";
import type { Block } from "./block.js";
import { loadColumn } from "./block-columns.js";
import { isStoredOrder, leadingDimension, orderKeys } from "./cell-order.js";
import { maskSelection } from "./selection.js";
import type { FetchOptions } from "./tile-fetch.js";

/**
 * Cells of several fragments in one order. Where fragments' tiles don't overlap, blocks are put one after the other and
 * no coordinate is compared; otherwise coordinates are sorted as columns, and of equal ones the newest is kept.
 */

export interface Merged {
  readonly blocks: Block[];
  /** Positions in the sequence of all blocks' cells that give the order asked; null where that is it already. */
  readonly order: Uint32Array | null;
}

/** Orders the blocks' cells and, unless the array allows duplicates, drops all but the newest of equal coordinates. */
export async function mergeFragments(
  blocks: Block[],
  schema: ArraySchema,
  order: ReadOrder,
  options: FetchOptions,
): Promise<Merged> {
  const sequence = withoutSorting(blocks, schema, order);
  if (sequence !== null) return { blocks: sequence, order: null };
  return sortBlocks(blocks, schema, order, options);
}

/** The blocks in an order in which they only need to be put together, null where cells have to be compared. */
export function withoutSorting(blocks: Block[], schema: ArraySchema, order: ReadOrder): Block[] | null {
  const unique = !schema.allowsDuplicates;
  const sources = new Set(blocks.map((block) => block.source));
  // A fragment consolidated with timestamps keeps the older cells too.
  if (unique && Array.from(sources).some(({ fragment }) => fragment.footer.hasTimestamps)) return null;
  if (!isStoredOrder(schema, order)) return blocks.length === 0 ? blocks : null;
  if (sources.size <= 1 || (order === "unordered" && !unique)) return blocks;
  const d = leadingDimension(schema, order);
  return d === null || !blocks.every((block) => isAscii(block, d)) ? null : disjointAlong(blocks, d);
}

/** False for bounds with bytes from 128 on, whose order is not that of the cells (see `compareSignedBytes`). */
function isAscii(block: Block, d: number): boolean {
  const bounds = boundsOf(block, d);
  if (bounds.kind !== "text") return true;
  return !/[^\0-\x7f]/.test(bounds.lo[block.tile]! + bounds.hi[block.tile]!);
}

/** The blocks by their tiles' place along a dimension, null where tiles of two fragments overlap there. */
export function disjointAlong(blocks: readonly Block[], d: number): Block[] | null {
  const sorted = [...blocks].sort(
    (a, b) =>
      compareBounds(boundsOf(a, d), "lo", a.tile, boundsOf(b, d), "lo", b.tile) ||
      a.source.index - b.source.index ||
      a.tile - b.tile,
  );
  for (let i = 1; i < sorted.length; i++) {
    const [before, after] = [sorted[i - 1]!, sorted[i]!];
    const gap = compareBounds(boundsOf(after, d), "lo", after.tile, boundsOf(before, d), "hi", before.tile);
    // Within a fragment the tiles' order is the cells' order, so they may touch.
    if (gap < 0 || (gap === 0 && after.source !== before.source)) return null;
  }
  return sorted;
}

type End = "lo" | "hi";

function boundsOf(block: Block, d: number): DimensionBounds {
  return block.source.tree.bounds[d]!;
}

function compareBounds(
  a: DimensionBounds,
  endA: End,
  i: number,
  b: DimensionBounds,
  endB: End,
  j: number,
): number {
  if (a.kind === "text" && b.kind === "text") return compareText(a[endA][i]!, b[endB][j]!);
  if (a.kind === "text" || b.kind === "text") return 0;
  const [x, y] = [a[endA][i]!, b[endB][j]!];
  return x < y ? -1 : x > y ? 1 : 0;
}

/** Compares coordinates: the blocks' cells in that order, of equal ones the newest alone unless all are allowed. */
export async function sortBlocks(
  blocks: readonly Block[],
  schema: ArraySchema,
  order: ReadOrder,
  options: FetchOptions,
): Promise<Merged> {
  const keep = (name: string) => (block: Block, column: Column) => void block.columns.set(name, column);
  await Promise.all(
    schema.dimensions.map(({ name }) => loadColumn(blocks, schema, name, options, keep(name))),
  );
  const coordinates = schema.dimensions.map(({ name }) =>
    concatColumns(blocks.map((block) => block.columns.get(name)!)),
  );
  const keys = orderKeys(schema, order, coordinates);
  if (schema.allowsDuplicates) return { blocks: [...blocks], order: sortOrder(keys) };
  const times = await timeKeys(blocks, schema, options);
  const sorted = sortOrder([...keys, ...times]);
  const alive = newestOfEqual(keys, sorted);
  return dropCells(blocks, sorted, alive);
}

/**
 * The time of each cell as sort keys, so that of equal coordinates the newest comes last; none where fragments have one
 * time each: then the fragments' order, in which the blocks are, says it.
 */
async function timeKeys(
  blocks: readonly Block[],
  schema: ArraySchema,
  options: FetchOptions,
): Promise<Uint32Array[]> {
  const timed = blocks.filter((block) => block.source.fragment.footer.hasTimestamps);
  if (timed.length === 0) return [];
  await loadColumn(timed, schema, TIMESTAMPS, options, (block, column) => {
    block.columns.set(TIMESTAMPS, column);
  });
  const count = blocks.reduce((sum, block) => sum + block.count, 0);
  const high = new Uint32Array(count);
  const low = new Uint32Array(count);
  let at = 0;
  for (const block of blocks) {
    const times = cellTimes(block);
    for (let i = 0; i < block.count; i++) {
      const time = times === null ? block.source.fragment.files.start : times[i]!;
      high[at] = Math.floor(time / 0x100000000);
      low[at++] = time;
    }
  }
  return [high, low];
}

function cellTimes(block: Block): Float64Array | null {
  const column = block.columns.get(TIMESTAMPS);
  const values = column?.kind === "fixed" ? column.values : undefined;
  return values instanceof BigUint64Array ? asDoubles(values) : null;
}

/** A byte per cell: 1 for the last of each run of equal keys in the sorted sequence. */
export function newestOfEqual(keys: SortKeys, order: Uint32Array | null): Uint8Array {
  const count = keys[0]!.length;
  const alive = new Uint8Array(count).fill(1);
  for (let i = 1; i < count; i++) {
    const before = order === null ? i - 1 : order[i - 1]!;
    const after = order === null ? i : order[i]!;
    let equal = true;
    for (let k = keys.length - 1; equal && k >= 0; k--) equal = keys[k]![before] === keys[k]![after];
    if (equal) alive[before] = 0;
  }
  return alive;
}

/** Takes cells out of blocks and out of their order; `alive` is by position in the sequence of all blocks. */
export function dropCells(blocks: readonly Block[], order: Uint32Array | null, alive: Uint8Array): Merged {
  if (!alive.includes(0)) return { blocks: [...blocks], order };
  const renumbered = order === null ? null : renumber(order, alive);
  let start = 0;
  for (const block of blocks) {
    const end = start + block.count;
    block.keep(maskSelection(alive.subarray(start, end)));
    start = end;
  }
  return { blocks: blocks.filter((block) => block.count > 0), order: renumbered };
}

function renumber(order: Uint32Array, alive: Uint8Array): Uint32Array {
  const position = new Uint32Array(alive.length);
  let left = 0;
  for (let i = 0; i < alive.length; i++) {
    position[i] = left;
    if (alive[i] === 1) left++;
  }
  const renumbered = new Uint32Array(left);
  let n = 0;
  for (const cell of order) if (alive[cell] === 1) renumbered[n++] = position[cell]!;
  return renumbered;
}
