import type { Column } from "../columns.js";
import type { PreparedCondition } from "../condition/condition-eval.js";
import { conditionFields } from "../condition/condition-fields.js";
import { conditions } from "../condition/late.js";
import type { FragmentReader } from "../directory/fragment-reader.js";
import type { TimeWindow } from "../directory/visible-at.js";
import { DELETE_TIMESTAMPS, TIMESTAMPS } from "../fields.js";
import type { OpenedArray } from "../opened-array.js";
import { asDoubles } from "../order/comparable.js";
import type { Block } from "./block.js";
import { loadColumn } from "./block-columns.js";
import { dropCells, type Merged } from "./merge-fragments.js";
import type { FetchOptions } from "./tile-fetch.js";

/**
 * Deletes: conditions of commits, and what a consolidation noted of those that it has processed. They apply to what is
 * left after duplicates: a newer cell that was deleted hides older ones, as in the official library.
 */

/** A delete commit, ready to evaluate. */
export interface PreparedDelete {
  readonly name: string;
  readonly time: number;
  readonly fields: readonly string[];
  /**
   * 1 for cells that stay. Commits hold the negated condition, so that a null, which satisfies neither, is deleted by
   * any comparison with it; and so is a cell written before the attribute was added. The official library does that.
   */
  readonly stays: PreparedCondition;
}

export async function prepareDeletes(array: OpenedArray): Promise<PreparedDelete[]> {
  if (array.deletes.length === 0) return [];
  const { prepareCondition, queryConditionOf } = await conditions();
  return Promise.all(
    array.deletes.map(async ({ name, time, condition }) => {
      const kept = queryConditionOf(condition, array.schema, array.uri);
      const stays = await prepareCondition(kept, array, { positions: true });
      return { name, time, fields: conditionFields(kept), stays };
    }),
  );
}

/** Deletes that apply to a fragment's cells; those of `timed` only to the cells that are not newer than they are. */
export interface FragmentDeletes {
  readonly whole: readonly PreparedDelete[];
  readonly timed: readonly PreparedDelete[];
  /** Whether the fragment itself says of cells when they were deleted. */
  readonly marked: boolean;
}

export async function deletesOf(
  fragment: FragmentReader,
  deletes: readonly PreparedDelete[],
  options: FetchOptions,
): Promise<FragmentDeletes> {
  const { footer, files } = fragment;
  const marked = footer.hasDeleteMetadata;
  const processed = new Set(
    marked && deletes.length > 0 ? await fragment.processedConditions({ signal: options.signal }) : [],
  );
  const later = deletes.filter(({ name, time }) => time >= files.start && !processed.has(name));
  const isTimed = ({ time }: PreparedDelete) => footer.hasTimestamps && time <= files.end;
  return { whole: later.filter((one) => !isTimed(one)), timed: later.filter(isTimed), marked };
}

/** Names of the fields that decide about deletes in a fragment. */
export function deleteFields({ whole, timed, marked }: FragmentDeletes): string[] {
  const names = [...whole, ...timed].flatMap(({ fields }) => fields);
  if (timed.length > 0) names.push(TIMESTAMPS);
  if (marked) names.push(DELETE_TIMESTAMPS);
  return [...new Set(names)];
}

/** Drops the deleted cells. What it reads stays with the blocks where `keep` says so. */
export async function applyDeletes(
  array: OpenedArray,
  merged: Merged,
  keep: (name: string) => boolean,
  options: FetchOptions,
): Promise<Merged> {
  const { schema, window } = array;
  const { blocks, order } = merged;
  const marked = blocks.some((block) => block.source.fragment.footer.hasDeleteMetadata);
  if (array.deletes.length === 0 && !marked) return merged;
  const deletes = await prepareDeletes(array);
  const perFragment = new Map<FragmentReader, FragmentDeletes>();
  for (const { source } of blocks) {
    const { fragment } = source;
    if (!perFragment.has(fragment)) perFragment.set(fragment, await deletesOf(fragment, deletes, options));
  }
  const of = (block: Block) => perFragment.get(block.source.fragment)!;
  const columns = new Map(blocks.map((block) => [block, new Map<string, Column>()]));
  for (const name of new Set([...perFragment.values()].flatMap(deleteFields))) {
    const wanting = blocks.filter((block) => deleteFields(of(block)).includes(name));
    await loadColumn(wanting, schema, name, options, (block, column) => {
      if (block.source.fragment.hasField(name)) columns.get(block)!.set(name, column);
      if (keep(name)) block.columns.set(name, column);
    });
  }
  const alive = new Uint8Array(blocks.reduce((sum, block) => sum + block.count, 0));
  let start = 0;
  for (const block of blocks) {
    alive.set(aliveCells(columns.get(block)!, block.count, of(block), window), start);
    start += block.count;
  }
  return dropCells(blocks, order, alive);
}

function aliveCells(
  columns: ReadonlyMap<string, Column>,
  count: number,
  { whole, timed, marked }: FragmentDeletes,
  window: TimeWindow,
): Uint8Array {
  const alive = new Uint8Array(count).fill(1);
  if (marked) keepUndeleted(alive, columns.get(DELETE_TIMESTAMPS), window);
  for (const { stays } of whole) {
    const mask = stays(columns, count);
    for (let i = 0; i < count; i++) alive[i]! &= mask[i]!;
  }
  const times = timed.length === 0 ? null : timesOf(columns.get(TIMESTAMPS));
  for (const { stays, time } of timed) {
    const mask = stays(columns, count);
    for (let i = 0; i < count; i++) if (mask[i] === 0 && times![i]! <= time) alive[i] = 0;
  }
  return alive;
}

/** Cells deleted after the window's end, or never (2^64 - 1, which as a double is above all times), stay. */
function keepUndeleted(alive: Uint8Array, column: Column | undefined, { end }: TimeWindow): void {
  const times = timesOf(column);
  const last = Math.min(end, 2 ** 64 - 2 ** 32);
  for (let i = 0; i < alive.length; i++) if (times[i]! <= last) alive[i] = 0;
}

function timesOf(column: Column | undefined): Float64Array {
  const values = column?.kind === "fixed" ? column.values : undefined;
  return values instanceof BigUint64Array ? asDoubles(values) : new Float64Array(0);
}
