import { type TextColumn, textValues } from "../util/frame.js";

/** Rows of names in a text column: the first row of each. */

/** From so many names on, and from then on for any number, a table of all rows is made and kept. */
const TABLE_FROM = 100;

export class NameRows {
  readonly #column: TextColumn;
  #table: ReadonlyMap<string, number> | undefined;

  constructor(column: TextColumn) {
    this.#column = column;
  }

  /** The first row of each of the wanted names that is there. A missing value's name is "". */
  find(wanted: readonly string[]): ReadonlyMap<string, number> {
    if (this.#table === undefined && wanted.length < TABLE_FROM) return findBytes(this.#column, wanted);
    this.#table ??= firstRows(this.#column);
    return this.#table;
  }
}

function firstRows(column: TextColumn): ReadonlyMap<string, number> {
  const rows = new Map<string, number>();
  for (const [row, name] of textValues(column).entries())
    if (!rows.has(name ?? "")) rows.set(name ?? "", row);
  return rows;
}

/** Compares bytes, so that no text is made of the rows that are not wanted. */
function findBytes(column: TextColumn, wanted: readonly string[]): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  const encoder = new TextEncoder();
  for (const name of wanted) {
    const row = firstRowOf(column, encoder.encode(name));
    if (row >= 0) found.set(name, row);
  }
  return found;
}

function firstRowOf({ offsets, data, validity }: TextColumn, name: Uint8Array): number {
  const size = name.byteLength;
  const rows = offsets.length - 1;
  for (let row = 0; row < rows; row++) {
    const start = offsets[row]!;
    const missing = validity?.[row] === 0;
    if (missing ? size === 0 : offsets[row + 1]! - start === size && hasBytes(data, start, name)) return row;
  }
  return -1;
}

/** Names of a store often differ at their ends only. */
function hasBytes(data: Uint8Array, start: number, name: Uint8Array): boolean {
  for (let at = name.byteLength - 1; at >= 0; at--) if (data[start + at] !== name[at]) return false;
  return true;
}
