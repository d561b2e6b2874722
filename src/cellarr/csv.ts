import { FormatError } from "../errors.js";
import { Frame, type FrameColumn, type TextColumn } from "../util/frame.js";
import { numberedIndex } from "./frame-parts.js";
import { TextBuilder } from "./text-builder.js";

/**
 * CSV (RFC 4180, UTF-8) into a frame of text columns, straight from bytes to bytes: delimiters are ASCII, so no string
 * is made per value. Values stay as they are written ("007" does not become 7); empty ones are missing. Blank lines
 * are skipped, a nameless column is called "Unnamed: 0" and so on by its position, both as pandas does.
 */

const COMMA = 0x2c;
const QUOTE = 0x22;
const NEWLINE = 0x0a;
const RETURN = 0x0d;

export interface CsvOptions {
  /** True: the first column holds the row names and is no column of the frame. */
  readonly indexColumn?: boolean;
  /** For messages. */
  readonly where?: string | undefined;
}

/** Throws FormatError naming the line of an open quote, or of a row with more or fewer values than the header. */
export function parseCsv(bytes: Uint8Array, options: CsvOptions = {}): Frame {
  const reader = new CsvReader(bytes, options.where);
  const header = reader.header();
  const builders = header.map(() => new TextBuilder());
  while (reader.row(builders)) {
    // row() has appended the values
  }
  const columns = new Map<string, FrameColumn>();
  let index: TextColumn | undefined;
  for (const [position, name] of header.entries()) {
    const column = builders[position]!.finish();
    if (position === 0 && options.indexColumn) index = column;
    else columns.set(name, column);
  }
  const named = options.indexColumn && header[0] !== unnamed(0) ? header[0]! : null;
  return new Frame(index ?? numberedIndex(reader.rowCount), columns, named);
}

function unnamed(position: number): string {
  return `Unnamed: ${position}`;
}

class CsvReader {
  readonly #bytes: Uint8Array;
  readonly #where: string | undefined;
  #at = 0;
  #line = 1;
  rowCount = 0;

  constructor(bytes: Uint8Array, where: string | undefined) {
    this.#bytes = bytes;
    this.#where = where;
    if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) this.#at = 3;
  }

  header(): string[] {
    this.#skipBlankLines();
    if (this.#at >= this.#bytes.byteLength) throw this.#error("no header: the file is empty");
    const names: string[] = [];
    const decoder = new TextDecoder();
    let last = false;
    while (!last) {
      const one = new TextBuilder();
      last = this.#field(one);
      const name = decoder.decode(one.finish().data);
      names.push(name === "" ? unnamed(names.length) : name);
    }
    const twice = names.find((name, at) => names.indexOf(name) !== at);
    if (twice !== undefined) throw this.#error(`column '${twice}' is in the header twice`);
    return names;
  }

  /** Appends a row's values; false at the end. */
  row(builders: readonly TextBuilder[]): boolean {
    this.#skipBlankLines();
    if (this.#at >= this.#bytes.byteLength) return false;
    const line = this.#line;
    for (let column = 0; column < builders.length; column++) {
      const last = this.#field(builders[column]!);
      if (last === (column === builders.length - 1)) continue;
      const problem = last ? `${column + 1} values` : `more than ${builders.length} values`;
      throw this.#error(`${problem}, expected ${builders.length} as in the header`, line);
    }
    this.rowCount++;
    return true;
  }

  /** Reads one value and what ends it; true if that was the end of the row. */
  #field(builder: TextBuilder): boolean {
    const bytes = this.#bytes;
    if (bytes[this.#at] === QUOTE) return this.#quoted(builder);
    const start = this.#at;
    let at = start;
    while (at < bytes.byteLength && bytes[at] !== COMMA && bytes[at] !== NEWLINE) at++;
    const carriage = at > start && bytes[at] !== COMMA && bytes[at - 1] === RETURN ? 1 : 0;
    if (at - carriage === start) builder.pushMissing();
    else builder.pushBytes(bytes, start, at - carriage);
    this.#at = at;
    return this.#delimiter();
  }

  #quoted(builder: TextBuilder): boolean {
    const bytes = this.#bytes;
    const line = this.#line;
    const start = this.#at + 1;
    let at = start;
    let escapes = 0;
    for (; ; at++) {
      if (at >= bytes.byteLength) throw this.#error("a quote is not closed", line);
      if (bytes[at] === NEWLINE) this.#line++;
      if (bytes[at] !== QUOTE) continue;
      if (bytes[at + 1] !== QUOTE) break;
      escapes++;
      at++;
    }
    if (at === start) builder.pushMissing();
    else if (escapes === 0) builder.pushBytes(bytes, start, at);
    else builder.pushBytes(withoutEscapes(bytes, start, at, escapes));
    this.#at = at + 1;
    if (bytes[this.#at] === RETURN) this.#at++;
    return this.#delimiter();
  }

  #delimiter(): boolean {
    const bytes = this.#bytes;
    const next = bytes[this.#at];
    if (next !== undefined && next !== COMMA && next !== NEWLINE) {
      throw this.#error("text after a closing quote");
    }
    if (next !== undefined) this.#at++;
    if (next === NEWLINE) this.#line++;
    return next !== COMMA;
  }

  #skipBlankLines(): void {
    const bytes = this.#bytes;
    while (this.#at < bytes.byteLength) {
      const next = bytes[this.#at];
      if (next === NEWLINE) this.#line++;
      else if (!(next === RETURN && (bytes[this.#at + 1] ?? NEWLINE) === NEWLINE)) return;
      this.#at++;
    }
  }

  #error(problem: string, line = this.#line): FormatError {
    return new FormatError(
      `CSV line ${line}: ${problem}`,
      this.#where === undefined ? {} : { where: this.#where },
    );
  }
}

/** The bytes in [start, end) with each doubled quote as one. */
function withoutEscapes(bytes: Uint8Array, start: number, end: number, escapes: number): Uint8Array {
  const plain = new Uint8Array(end - start - escapes);
  let into = 0;
  for (let at = start; at < end; at++) {
    plain[into++] = bytes[at]!;
    if (bytes[at] === QUOTE) at++;
  }
  return plain;
}

/** A frame from CSV text. */
export function parseCsvText(text: string, options: CsvOptions = {}): Frame {
  return parseCsv(new TextEncoder().encode(text), options);
}
