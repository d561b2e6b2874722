import { type TextColumn, textValues } from "../../util/frame.js";

/** Rows of names in a text column: the first row of each. */

/** From so many names on, and from then on for any number, a table of all rows is made and kept. */
const TABLE_FROM = 100;

export class NameRows {
  readonly #column: TextColumn;
  #table: ReadonlyMap<string, number> | undefined;
  /** Null: no use. */
  #text: string | null | undefined;

  constructor(column: TextColumn) {
    this.#column = column;
  }

  /** The first row of each of the wanted names that is there. A missing value's name is "". */
  find(wanted: readonly string[]): ReadonlyMap<string, number> {
    if (this.#table === undefined && wanted.length < TABLE_FROM && !wanted.includes("")) {
      this.#text ??= plainText(this.#column);
      if (this.#text !== null) return findInText(this.#column, this.#text, wanted);
    }
    this.#text = null;
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

/** Lets the engine search all names as one text, so that none is made of the rows that are not wanted. */
function findInText(
  { offsets, validity }: TextColumn,
  text: string,
  wanted: readonly string[],
): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const name of wanted) {
    const row = firstRowIn(offsets, validity, text, name);
    if (row >= 0) found.set(name, row);
  }
  return found;
}

function firstRowIn(
  offsets: Uint32Array,
  validity: Uint8Array | undefined,
  text: string,
  name: string,
): number {
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
    const row = rowAt(offsets, at);
    const isName = offsets[row] === at && offsets[row + 1] === at + name.length;
    if (isName && validity?.[row] !== 0) return row;
  }
  return -1;
}

/** The last row that starts at or before the byte: of those that start there, the one that has bytes. */
function rowAt(offsets: Uint32Array, byte: number): number {
  let low = 0;
  let high = offsets.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (offsets[middle]! <= byte) low = middle;
    else high = middle;
  }
  return low;
}

/** The column's bytes as one text in which places are places of bytes: ASCII. Null for others. */
function plainText({ offsets, data }: TextColumn): string | null {
  const bytes = data.subarray(0, offsets[offsets.length - 1]);
  const text = new TextDecoder().decode(bytes);
  return text.length === bytes.byteLength && offsets[0] === 0 ? text : null;
}
