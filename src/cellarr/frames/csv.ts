/// <reference path="./papaparse.d.ts" />
import type { ParseStep } from "papaparse";
import { type ErrorDetails, FormatError, LimitError } from "../../errors.js";
import { Frame, type FrameColumn, type TextColumn } from "../../util/frame.js";
import { numberedIndex } from "./frame-parts.js";
import { TextBuilder } from "./text-builder.js";

/**
 * CSV (RFC 4180, UTF-8) into a frame of text columns. Values stay as they are written ("007" does not become 7); empty
 * ones are missing. Blank lines are skipped, a nameless column is called "Unnamed: 0" and so on by its position, both
 * as pandas does. The parser is loaded at the first call.
 */

export interface CsvOptions {
  /** True: the first column holds the row names and is no column of the frame. */
  readonly indexColumn?: boolean;
  /** For messages. */
  readonly where?: string | undefined;
}

/** What fits a JavaScript string in every engine of today. */
const MAX_BYTES = 2 ** 29 - 24;

/** As `parseCsvText`, from UTF-8 bytes; FormatError if they are not, LimitError from 512 MiB on. */
export async function parseCsv(bytes: Uint8Array, options: CsvOptions = {}): Promise<Frame> {
  const details = options.where === undefined ? {} : { where: options.where };
  if (bytes.byteLength > MAX_BYTES) {
    throw new LimitError(
      `CSV of ${bytes.byteLength} bytes, at most ${MAX_BYTES} are read; pass a Frame`,
      details,
    );
  }
  return parseCsvText(decodeText(bytes, details), options);
}

function decodeText(bytes: Uint8Array, details: ErrorDetails): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new FormatError("CSV is not UTF-8", { ...details, cause });
  }
}

/**
 * A frame from CSV text. Throws FormatError naming the row (the header is row 1) of an open or misplaced quote, or with
 * more or fewer values than the header.
 */
export async function parseCsvText(text: string, options: CsvOptions = {}): Promise<Frame> {
  const { default: Papa } = await import("papaparse");
  const rows = new RowCollector(options.where);
  const plain = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  Papa.parse(plain, { delimiter: ",", newline: lineBreakOf(plain), step: (row) => rows.add(row) });
  return rows.frame(options.indexColumn ?? false);
}

/** The kind of line break that ends the first row; the library's own guess is misled by line breaks in values. */
function lineBreakOf(text: string): "\n" | "\r\n" {
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '"') quoted = !quoted;
    else if (text[at] === "\n" && !quoted) return text[at - 1] === "\r" ? "\r\n" : "\n";
  }
  return "\n";
}

function unnamed(position: number): string {
  return `Unnamed: ${position}`;
}

/** Rows as they come from the parser, kept as columns. */
class RowCollector {
  readonly #where: string | undefined;
  #header: string[] | undefined;
  #builders: TextBuilder[] = [];
  #rows = 0;

  constructor(where: string | undefined) {
    this.#where = where;
  }

  add({ data, errors }: ParseStep): void {
    const problem = errors.find(({ type }) => type === "Quotes");
    if (problem !== undefined) throw this.#error(problem.message, this.#rows + 1);
    if (data.length === 1 && data[0] === "") return;
    this.#rows++;
    if (this.#header === undefined) this.#start(data);
    else this.#append(data, this.#header);
  }

  frame(indexColumn: boolean): Frame {
    const header = this.#header;
    if (header === undefined) throw this.#error("no header: the file is empty", 1);
    const columns = new Map<string, FrameColumn>();
    let index: TextColumn | undefined;
    for (const [position, name] of header.entries()) {
      const column = this.#builders[position]!.finish();
      if (position === 0 && indexColumn) index = column;
      else columns.set(name, column);
    }
    const named = indexColumn && header[0] !== unnamed(0) ? header[0]! : null;
    return new Frame(index ?? numberedIndex(this.#rows - 1), columns, named);
  }

  #start(names: readonly string[]): void {
    const header = names.map((name, at) => (name === "" ? unnamed(at) : name));
    const twice = header.find((name, at) => header.indexOf(name) !== at);
    if (twice !== undefined) throw this.#error(`column '${twice}' is in the header twice`, 1);
    this.#header = header;
    this.#builders = header.map(() => new TextBuilder());
  }

  #append(values: readonly string[], header: readonly string[]): void {
    if (values.length !== header.length) {
      throw this.#error(`${values.length} values, expected ${header.length} as in the header`, this.#rows);
    }
    for (let column = 0; column < values.length; column++) {
      const value = values[column]!;
      if (value === "") this.#builders[column]!.pushMissing();
      else this.#builders[column]!.push(value);
    }
  }

  #error(problem: string, row: number): FormatError {
    const text = `CSV row ${row}: ${problem}`;
    return new FormatError(text, this.#where === undefined ? {} : { where: this.#where });
  }
}
