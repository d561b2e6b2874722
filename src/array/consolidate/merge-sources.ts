import { throwIfAborted } from "../../errors.js";
import type { ArraySchema } from "../../format/array-schema.js";
import { concatColumns, takeCells } from "../column-ops.js";
import type { Column } from "../columns.js";
import { firstDuplicate, sortOrder } from "../order/sort-cells.js";
import { type SortKeys, sortKeys } from "../order/sort-keys.js";
import { sortedDimension } from "../read/cell-order.js";
import { cellsOf } from "../write/column-input.js";
import type { MergeSource } from "./merge-source.js";

/** Cells that are held in memory of all sources together, unless single tiles are larger. */
const LOADED_CELLS = 1 << 21;

export interface MergeOptions {
  /** Keeps all cells of equal coordinates, newest first; otherwise only the newest. */
  readonly keepAll: boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The cells of all sources in global order, in blocks. Only sources whose cells may lie between those of others are in
 * memory at a time, so that fragments that follow one another are passed on one after the other. The last column, if
 * the schema's fields are followed by one, is the time of the cells.
 */
export async function* mergeSources(
  sources: readonly MergeSource[],
  schema: ArraySchema,
  options: MergeOptions,
): AsyncGenerator<readonly Column[]> {
  const lead = sortedDimension(schema);
  const open = new Set(sources);
  while (open.size > 0) {
    throwIfAborted(options.signal);
    await activate([...open], lead);
    const loaded = [...open].filter((source) => source.isLoaded);
    const first = loaded.reduce((a, b) => (b.compareLast(a) < 0 ? b : a));
    const ends = loaded.filter((source) => source.compareLast(first) === 0);
    // Equal coordinates may go on in a tile that is not loaded: they are held back, so that they stay together.
    const whole = ends.every((source) => source.isExhausted);
    const pieces = take(loaded, first, whole);
    if (pieces.length > 0) yield mergePieces(pieces, schema, options);
    else for (const source of ends) if (!source.isExhausted) await source.load(1);
    for (const source of loaded) if (source.isDone) open.delete(source);
  }
}

/** Loads sources until every one that is not loaded begins after the first end of those that are. */
async function activate(open: readonly MergeSource[], lead: number | null): Promise<void> {
  const budget = Math.max(1, Math.floor(LOADED_CELLS / open.length));
  for (;;) {
    const loaded = open.filter((source) => source.isLoaded);
    const waiting = open.filter((source) => !source.isLoaded);
    if (waiting.length === 0) return;
    if (lead === null) {
      for (const source of waiting) await source.load(budget);
      return;
    }
    const next = waiting.reduce((a, b) => (b.compareStart(a, lead) < 0 ? b : a));
    if (loaded.length > 0) {
      const first = loaded.reduce((a, b) => (b.compareLast(a) < 0 ? b : a));
      if (!next.mayPrecede(first, lead)) return;
    }
    await next.load(budget);
  }
}

/** Cells up to the end of `first`, newest source first, so that sorting keeps newer cells before older ones. */
function take(loaded: readonly MergeSource[], first: MergeSource, orEqual: boolean): (readonly Column[])[] {
  const newestFirst = loaded.toSorted((a, b) => b.index - a.index);
  const counts = newestFirst.map((source) => source.countUpTo(first, orEqual));
  return newestFirst.flatMap((source, i) => (counts[i]! > 0 ? [source.take(counts[i]!)] : []));
}

function mergePieces(
  pieces: readonly (readonly Column[])[],
  schema: ArraySchema,
  options: MergeOptions,
): readonly Column[] {
  const [first] = pieces;
  const sorted = pieces.length === 1 && options.keepAll;
  if (sorted) return first!;
  const columns = first!.map((_, f) => concatColumns(pieces.map((piece) => piece[f]!)));
  const coordinates = columns.slice(0, schema.dimensions.length);
  const keys = sortKeys(schema, coordinates);
  const order = sortOrder([...keys, ...newestFirstKeys(columns, schema)]);
  const kept = options.keepAll ? order : dropOlder(keys, order, cellsOf(columns[0]!));
  return kept === null ? columns : columns.map((column) => takeCells(column, kept));
}

/** Keys that put newer cells of equal coordinates first, where cells have times of their own. */
function newestFirstKeys(columns: readonly Column[], schema: ArraySchema): SortKeys {
  const times = columns[schema.dimensions.length + schema.attributes.length];
  if (times?.kind !== "fixed") return [];
  const halves = new Uint32Array(times.values.buffer, times.values.byteOffset, times.values.length * 2);
  const high = new Uint32Array(times.values.length);
  const low = new Uint32Array(times.values.length);
  for (let i = 0; i < low.length; i++) {
    low[i] = ~halves[2 * i]!;
    high[i] = ~halves[2 * i + 1]!;
  }
  return [high, low];
}

/** The order without the cells that follow one of the same coordinates; null where all cells stay as they are. */
function dropOlder(keys: SortKeys, order: Uint32Array | null, cellCount: number): Uint32Array | null {
  if (firstDuplicate(keys, order) < 0) return order;
  const kept = new Uint32Array(cellCount);
  let count = 0;
  let before = -1;
  for (let i = 0; i < cellCount; i++) {
    const cell = order === null ? i : order[i]!;
    const same = before >= 0 && keys.every((words) => words[before] === words[cell]);
    if (!same) kept[count++] = cell;
    before = cell;
  }
  return kept.subarray(0, count);
}
