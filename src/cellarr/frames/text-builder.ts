import { LimitError } from "../../errors.js";
import type { TextColumn } from "../../util/frame.js";

/** What offsets of 32 bits reach. */
const MAX_BYTES = 0xffffffff;

function tooLong(): LimitError {
  return new LimitError("a text column holds at most 4 GiB");
}

/**
 * Grows a text column value by value, without keeping a string per row: UTF-8 bytes in one buffer that doubles, and
 * offsets in another.
 */
export class TextBuilder {
  #offsets = new Uint32Array(1024);
  #data: Uint8Array<ArrayBuffer> = new Uint8Array(8192);
  #rows = 0;
  #bytes = 0;
  #missing: number[] = [];
  readonly #encoder = new TextEncoder();

  get rowCount(): number {
    return this.#rows;
  }

  /** Bytes of text so far. */
  get byteCount(): number {
    return this.#bytes;
  }

  /** Appends a value; null is missing. */
  push(value: string | null): void {
    if (value === null) {
      this.pushMissing();
      return;
    }
    // A UTF-16 unit becomes at most three bytes of UTF-8.
    this.#reserve(value.length * 3);
    this.#bytes += this.#encoder.encodeInto(value, this.#data.subarray(this.#bytes)).written;
    this.#endRow();
  }

  /** Appends a value that is already UTF-8: `bytes` from `start` to `end`, exclusive. */
  pushBytes(bytes: Uint8Array, start = 0, end = bytes.byteLength): void {
    this.#reserve(end - start);
    const data = this.#data;
    let into = this.#bytes;
    // Values are short: a loop is faster than a view per value.
    for (let at = start; at < end; at++) data[into++] = bytes[at]!;
    this.#bytes = into;
    this.#endRow();
  }

  /** Appends a missing value. */
  pushMissing(): void {
    this.#missing.push(this.#rows);
    this.#endRow();
  }

  /** The column, with its own memory; the builder is empty afterwards. */
  finish(): TextColumn {
    const offsets = this.#offsets.slice(0, this.#rows + 1);
    const data = this.#data.slice(0, this.#bytes);
    const missing = this.#missing;
    let validity: Uint8Array | undefined;
    if (missing.length > 0) {
      validity = new Uint8Array(this.#rows).fill(1);
      for (const row of missing) validity[row] = 0;
    }
    this.#rows = 0;
    this.#bytes = 0;
    this.#missing = [];
    return validity === undefined
      ? { kind: "text", offsets, data }
      : { kind: "text", offsets, data, validity };
  }

  #endRow(): void {
    this.#rows++;
    if (this.#rows === this.#offsets.length) {
      const larger = new Uint32Array(this.#offsets.length * 2);
      larger.set(this.#offsets);
      this.#offsets = larger;
    }
    this.#offsets[this.#rows] = this.#bytes;
  }

  #reserve(bytes: number): void {
    const needed = this.#bytes + bytes;
    if (needed <= this.#data.byteLength) return;
    if (needed > MAX_BYTES) throw tooLong();
    const larger = new Uint8Array(Math.min(MAX_BYTES, Math.max(needed, this.#data.byteLength * 2)));
    larger.set(this.#data.subarray(0, this.#bytes));
    this.#data = larger;
  }
}

/** A text column of the same value in every row. */
export function repeatedText(value: string, rows: number): TextColumn {
  const one = new TextEncoder().encode(value);
  if (one.byteLength * rows > MAX_BYTES) throw tooLong();
  const data = new Uint8Array(one.byteLength * rows);
  const offsets = new Uint32Array(rows + 1);
  for (let row = 0; row < rows; row++) {
    data.set(one, row * one.byteLength);
    offsets[row + 1] = (row + 1) * one.byteLength;
  }
  return { kind: "text", offsets, data };
}
