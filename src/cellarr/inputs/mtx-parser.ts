import { FormatError, LimitError, UnsupportedError } from "../../errors.js";

/**
 * Matrix Market coordinate files:
 *
 *     %%MatrixMarket matrix coordinate integer|real|pattern general
 *     % comments
 *     rows columns entries
 *     row column [value]        numbered from 1, in any order
 */

export interface MtxHeader {
  readonly field: "integer" | "real" | "pattern";
  readonly rows: number;
  readonly columns: number;
  readonly entries: number;
}

/** Entries numbered from 0; views that are valid until the next ones. */
export interface MtxEntries {
  readonly rows: Int32Array;
  readonly columns: Int32Array;
  readonly values: Float64Array;
}

const BATCH = 1 << 16;
/** More than any line of numbers. */
const MAX_LINE = 1 << 16;
const NEWLINE = 0x0a;
const ZERO = 0x30;

/** Parses pieces of a file as they come. Throws FormatError naming the line. */
export class MtxParser {
  readonly #where: string;
  #header: MtxHeader | null = null;
  #field: MtxHeader["field"] | null = null;
  #rest = new Uint8Array(0);
  #line = 0;
  #entries = 0;
  readonly #rows = new Int32Array(BATCH);
  readonly #columns = new Int32Array(BATCH);
  readonly #values = new Float64Array(BATCH);

  constructor(where: string) {
    this.#where = where;
  }

  get header(): MtxHeader | null {
    return this.#header;
  }

  /** The entries of all lines that are complete with this piece. */
  *push(piece: Uint8Array): Generator<MtxEntries> {
    const end = piece.lastIndexOf(NEWLINE) + 1;
    if (end === 0) {
      this.#rest = joined(this.#rest, piece);
      if (this.#rest.length > MAX_LINE) throw this.#wrong("a line of numbers");
      return;
    }
    const lines =
      this.#rest.length === 0 ? piece.subarray(0, end) : joined(this.#rest, piece.subarray(0, end));
    this.#rest = piece.slice(end);
    yield* this.#lines(lines);
  }

  /** What the last line, if it does not end, holds; then checks that all entries came. */
  *finish(): Generator<MtxEntries> {
    if (this.#rest.length > 0) {
      const last = joined(this.#rest, Uint8Array.of(NEWLINE));
      this.#rest = new Uint8Array(0);
      yield* this.#lines(last);
    }
    if (this.#header === null) throw this.#wrong("a line 'rows columns entries'");
    const { entries } = this.#header;
    if (this.#entries === entries) return;
    throw new FormatError(`${this.#entries} entries, the header says ${entries}`, { where: this.#where });
  }

  *#lines(bytes: Uint8Array): Generator<MtxEntries> {
    let at = 0;
    while (at < bytes.length && this.#header === null) {
      const end = bytes.indexOf(NEWLINE, at);
      this.#headerLine(new TextDecoder().decode(bytes.subarray(at, end)).trim());
      at = end + 1;
    }
    if (this.#header === null) return;
    while (at < bytes.length) {
      let count = 0;
      while (at < bytes.length && count < BATCH) {
        const end = this.#entry(bytes, at, count);
        if (end > 0) count++;
        at = Math.abs(end);
      }
      this.#entries += count;
      if (count === 0) continue;
      yield {
        rows: this.#rows.subarray(0, count),
        columns: this.#columns.subarray(0, count),
        values: this.#values.subarray(0, count),
      };
    }
  }

  #headerLine(line: string): void {
    this.#line++;
    if (this.#field === null) {
      this.#field = this.#banner(line);
      return;
    }
    if (line === "" || line.startsWith("%")) return;
    const counts = line.split(/\s+/).map(Number);
    const [rows, columns, entries] = counts as [number, number, number];
    if (counts.length !== 3 || counts.some((count) => !Number.isSafeInteger(count) || count < 0)) {
      throw this.#wrong("'rows columns entries'");
    }
    if (rows > 0x7fffffff || columns > 0x7fffffff) {
      throw new LimitError(`a matrix of ${rows} x ${columns}`, { where: this.#where });
    }
    this.#header = { field: this.#field, rows, columns, entries };
  }

  #banner(line: string): MtxHeader["field"] {
    const [mark, object, format, field, symmetry] = line.toLowerCase().split(/\s+/);
    if (mark !== "%%matrixmarket") throw this.#wrong("'%%MatrixMarket matrix coordinate ...'");
    const known = field === "integer" || field === "real" || field === "pattern";
    if (object === "matrix" && format === "coordinate" && known && symmetry === "general") return field;
    throw new UnsupportedError(
      `Matrix Market '${line}', expected 'matrix coordinate' of integer, real or pattern, general`,
      { where: this.#where },
    );
  }

  /** Parses the line at `at` as entry `n`; returns where the next one starts, negative of a blank line. */
  #entry(bytes: Uint8Array, at: number, n: number): number {
    this.#line++;
    let from = skipBlanks(bytes, at);
    if (bytes[from] === NEWLINE) return -(from + 1);
    const { rows, columns, field } = this.#header!;
    let row = 0;
    for (let digit = bytes[from]! - ZERO; digit >= 0 && digit <= 9; digit = bytes[++from]! - ZERO) {
      row = row * 10 + digit;
    }
    from = skipBlanks(bytes, from);
    let column = 0;
    for (let digit = bytes[from]! - ZERO; digit >= 0 && digit <= 9; digit = bytes[++from]! - ZERO) {
      column = column * 10 + digit;
    }
    if (row < 1 || row > rows || column < 1 || column > columns) {
      throw this.#wrong(`a row of 1 to ${rows} and a column of 1 to ${columns}`);
    }
    this.#rows[n] = row - 1;
    this.#columns[n] = column - 1;
    from = skipBlanks(bytes, from);
    if (field === "pattern") {
      this.#values[n] = 1;
      if (bytes[from] !== NEWLINE) throw this.#wrong("no value in a pattern");
      return from + 1;
    }
    return this.#value(bytes, from, n);
  }

  #value(bytes: Uint8Array, start: number, n: number): number {
    let value = 0;
    let from = start;
    for (let digit = bytes[from]! - ZERO; digit >= 0 && digit <= 9; digit = bytes[++from]! - ZERO) {
      value = value * 10 + digit;
    }
    const after = from > start ? skipBlanks(bytes, from) : from;
    if (from > start && from - start < 16 && bytes[after] === NEWLINE) {
      this.#values[n] = value;
      return after + 1;
    }
    const end = bytes.indexOf(NEWLINE, start);
    const text = new TextDecoder().decode(bytes.subarray(start, end)).trim();
    const parsed = parseReal(text);
    if (parsed === null) throw this.#wrong("a number as value");
    this.#values[n] = parsed;
    return end + 1;
  }

  #wrong(expected: string): FormatError {
    return new FormatError(`line ${this.#line}: expected ${expected}`, { where: this.#where });
  }
}

function parseReal(text: string): number | null {
  if (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) return Number(text);
  const word = /^([+-]?)(nan|inf(?:inity)?)$/i.exec(text);
  if (word === null) return null;
  if (word[2]!.toLowerCase() === "nan") return Number.NaN;
  return word[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

/** Position of what is no blank; a carriage return before the end of the line is one. */
function skipBlanks(bytes: Uint8Array, from: number): number {
  let at = from;
  while (bytes[at] === 0x20 || bytes[at] === 0x09 || bytes[at] === 0x0d) at++;
  return at;
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}
