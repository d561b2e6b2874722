import type { QueryCondition } from "../array/condition/query-condition.js";
import { ArgumentError, NotFoundError, OutOfDomainError } from "../errors.js";
import type { NumberArray } from "../util/typed-arrays.js";

/** Which cells, genes or samples a query asks for, and the row numbers that that stands for. */

/** Rows from `start` to `stop`, both inclusive; null is the first or the last row. */
export interface RowSlice {
  readonly kind: "slice";
  readonly start: number | null;
  readonly stop: number | null;
}

/**
 * Rows from `start` to `stop`, both inclusive as in TileDB (unlike Python's own slices): `slice(0, 10)` is 11 rows.
 * Without arguments all rows. Negative indices are no "from the end", but outside the domain, as in TileDB.
 */
export function slice(start: number | null = null, stop: number | null = null): RowSlice {
  return { kind: "slice", start, stop };
}

/**
 * - a number: that row
 * - `slice(...)`: a range of rows
 * - numbers: those rows
 * - booleans: a mask with an entry per row
 * - text: a condition such as `tissue == 'lung' and n_genes > 500`; of genes and samples also a name
 * - a QueryCondition: the same as an object
 * - texts: names, of genes and samples
 */
export type RowSelection =
  | number
  | RowSlice
  | readonly number[]
  | NumberArray
  | readonly boolean[]
  | string
  | QueryCondition
  | readonly string[];

/** What the rows of a table may be asked for by. */
export interface Rows {
  /** "cell", "gene" or "sample", for messages. */
  readonly what: string;
  readonly count: number;
  /** For messages. */
  readonly where: string;
  /** Given names, what tells the row of each of them, or -1; null where rows have no names. */
  readonly names: ((wanted: readonly string[]) => Promise<(name: string) => number>) | null;
  /** Rows that satisfy a condition, ascending. */
  readonly matching: (condition: string | QueryCondition) => Promise<Uint32Array>;
}

/**
 * Row numbers in the order asked, repeats included. Throws OutOfDomainError for a row that does not exist, NotFoundError
 * listing the names that are not there, ArgumentError for a mask of the wrong length or no selection at all.
 */
export async function resolveRows(selection: RowSelection, rows: Rows): Promise<Uint32Array> {
  if (typeof selection === "number") return checkedRows([selection], rows);
  if (typeof selection === "string") return resolveText(selection, rows);
  if (ArrayBuffer.isView(selection) && "length" in selection) return checkedRows(selection, rows);
  if (isSlice(selection)) return sliceRows(selection, rows);
  if (Array.isArray(selection)) return resolveList(selection, rows);
  if (isCondition(selection)) return rows.matching(selection);
  throw new ArgumentError(
    `${rows.what} selection: expected an index, slice(), a list, a mask or a condition, found ${typeof selection}`,
    { where: rows.where },
  );
}

function isSlice(selection: RowSelection): selection is RowSlice {
  return kindOf(selection) === "slice";
}

function isCondition(selection: RowSelection): selection is QueryCondition {
  return ["compare", "in", "null", "and", "or", "not"].includes(kindOf(selection) ?? "");
}

function kindOf(selection: RowSelection): string | undefined {
  const isKind = typeof selection === "object" && selection !== null && "kind" in selection;
  return isKind ? selection.kind : undefined;
}

function resolveList(
  list: readonly (number | boolean | string)[],
  rows: Rows,
): Uint32Array | Promise<Uint32Array> {
  if (list.every((entry) => typeof entry === "number")) return checkedRows(list, rows);
  if (list.every((entry) => typeof entry === "boolean")) return maskedRows(list, rows);
  if (list.every((entry) => typeof entry === "string")) return namedRows(list, rows);
  throw new ArgumentError(`${rows.what} selection: a list must be all numbers, all booleans or all names`, {
    where: rows.where,
  });
}

function checkedRows(indices: ArrayLike<number>, rows: Rows): Uint32Array {
  const checked = new Uint32Array(indices.length);
  for (let at = 0; at < indices.length; at++) checked[at] = checkRow(indices[at]!, rows);
  return checked;
}

function checkRow(index: number, rows: Rows): number {
  if (!Number.isInteger(index)) {
    throw new ArgumentError(`${rows.what} ${index} is not a whole number`, { where: rows.where });
  }
  if (index < 0 || index >= rows.count) {
    const expected = rows.count === 0 ? "there are none" : `expected 0 to ${rows.count - 1}`;
    throw new OutOfDomainError(`${rows.what} ${index} does not exist, ${expected}`, { where: rows.where });
  }
  return index;
}

function sliceRows({ start, stop }: RowSlice, rows: Rows): Uint32Array {
  if (rows.count === 0 && start === null && stop === null) return new Uint32Array(0);
  const first = checkRow(start ?? 0, rows);
  const last = checkRow(stop ?? rows.count - 1, rows);
  if (first > last) {
    throw new ArgumentError(`${rows.what} slice ${first} to ${last} ends before it starts`, {
      where: rows.where,
    });
  }
  const numbers = new Uint32Array(last - first + 1);
  for (let at = 0; at < numbers.length; at++) numbers[at] = first + at;
  return numbers;
}

function maskedRows(mask: readonly boolean[], rows: Rows): Uint32Array {
  if (mask.length !== rows.count) {
    throw new ArgumentError(`${rows.what} mask has ${mask.length} entries, expected ${rows.count}`, {
      where: rows.where,
    });
  }
  const kept: number[] = [];
  for (let row = 0; row < mask.length; row++) if (mask[row]) kept.push(row);
  return Uint32Array.from(kept);
}

async function namedRows(names: readonly string[], rows: Rows): Promise<Uint32Array> {
  if (rows.names === null) {
    throw new ArgumentError(`a ${rows.what} has no name; use indices, a slice, a mask or a condition`, {
      where: rows.where,
    });
  }
  const rowOf = await rows.names(names);
  const found = Uint32Array.from(names, (name) => rowOf(name));
  const unknown = names.filter((name) => rowOf(name) < 0);
  if (unknown.length === 0) return found;
  const shown = unknown.slice(0, 20).map((name) => `'${name}'`);
  const more = unknown.length > shown.length ? ` and ${unknown.length - shown.length} more` : "";
  throw new NotFoundError(`no ${rows.what} of that name: ${shown.join(", ")}${more}`, { where: rows.where });
}

/** Text without a comparison in it can only be meant as a name. */
const CONDITION = /[=<>]|\bin\b|\bis\b|\bnot\b/;

async function resolveText(text: string, rows: Rows): Promise<Uint32Array> {
  if (rows.names !== null) {
    const row = (await rows.names([text]))(text);
    if (row >= 0) return Uint32Array.of(row);
    if (!CONDITION.test(text)) return namedRows([text], rows);
  }
  return rows.matching(text);
}

/** Sorted, each row once. */
export function sortedUnique(rows: Uint32Array): Uint32Array {
  if (isAscending(rows)) return rows;
  const sorted = rows.slice().sort();
  let count = 0;
  for (let at = 0; at < sorted.length; at++) {
    if (at === 0 || sorted[at] !== sorted[at - 1]) sorted[count++] = sorted[at]!;
  }
  return sorted.subarray(0, count);
}

/** True if strictly ascending. */
export function isAscending(rows: Uint32Array): boolean {
  for (let at = 1; at < rows.length; at++) if (rows[at]! <= rows[at - 1]!) return false;
  return true;
}

/** Strictly ascending rows as inclusive runs, as array reads take them. */
export function runsOf(rows: Uint32Array): [number, number][] {
  const runs: [number, number][] = [];
  for (let at = 0; at < rows.length; ) {
    const first = rows[at]!;
    let last = first;
    for (at++; at < rows.length && rows[at] === last + 1; at++) last++;
    runs.push([first, last]);
  }
  return runs;
}

/** For each of `rows` its position in `sorted`, which is strictly ascending and has all of them. */
export function positionsIn(sorted: Uint32Array, rows: Uint32Array): Uint32Array {
  const positions = new Uint32Array(rows.length);
  for (let at = 0; at < rows.length; at++) positions[at] = lowerBound(sorted, rows[at]!);
  return positions;
}

/** Position of the first of the ascending numbers that is not below `value`. */
export function lowerBound(sorted: Uint32Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
