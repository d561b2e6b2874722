import { LimitError } from "../../errors.js";
import { ByteWriter } from "../byte-writer.js";
import type { Filtered } from "./filter.js";
import { OFFSET_BYTES, type Strings } from "./strings.js";

/** Variable-length strings in run lengths or through a dictionary, writing; for the layout see string-decode.ts. */

/** Bytes that an integer up to `value` takes. */
function widthOf(value: number): 1 | 2 | 4 {
  if (value < 0x100) return 1;
  return value < 0x10000 ? 2 : 4;
}

function writeHeader(
  writer: ByteWriter,
  strings: Strings,
  dataBytes: number,
  first: number,
  second: number,
): void {
  const offsetBytes = (strings.offsets.length - 1) * OFFSET_BYTES;
  if (strings.data.byteLength > 0xffffffff || offsetBytes > 0xffffffff) {
    throw new LimitError(`tile: ${strings.data.byteLength} bytes of strings in one chunk`);
  }
  writer.u32(0);
  writer.u32(1);
  writer.u32(strings.data.byteLength);
  writer.u32(dataBytes);
  writer.u32(offsetBytes);
  writer.u8(first);
  writer.u8(second);
}

export function encodeRuns(strings: Strings): Filtered {
  const { offsets, data } = strings;
  const starts: number[] = [];
  let longestRun = 0;
  let longest = 0;
  let bytes = 0;
  const cells = offsets.length - 1;
  for (let i = 0; i < cells; i++) {
    if (i > 0 && sameString(strings, i - 1, i)) continue;
    if (starts.length > 0) longestRun = Math.max(longestRun, i - starts.at(-1)!);
    starts.push(i);
    const length = offsets[i + 1]! - offsets[i]!;
    longest = Math.max(longest, length);
    bytes += length;
  }
  if (starts.length > 0) longestRun = Math.max(longestRun, cells - starts.at(-1)!);
  const runWidth = widthOf(longestRun);
  const lengthWidth = widthOf(longest);
  const out = new Uint8Array(bytes + starts.length * (runWidth + lengthWidth));
  let to = 0;
  starts.forEach((start, run) => {
    const string = data.subarray(offsets[start]!, offsets[start + 1]!);
    to = putInteger(out, to, (starts[run + 1] ?? cells) - start, runWidth);
    to = putInteger(out, to, string.byteLength, lengthWidth);
    out.set(string, to);
    to += string.byteLength;
  });
  const metadata = new ByteWriter(32);
  writeHeader(metadata, strings, out.byteLength, runWidth, lengthWidth);
  return { metadata: [metadata.finish()], data: out };
}

function sameString(strings: Strings, a: number, b: number): boolean {
  const { offsets, data } = strings;
  const from = offsets[a]!;
  const to = offsets[b]!;
  const length = offsets[a + 1]! - from;
  if (offsets[b + 1]! - to !== length) return false;
  for (let i = 0; i < length; i++) if (data[from + i] !== data[to + i]) return false;
  return true;
}

export function encodeDictionary(strings: Strings): Filtered {
  const { offsets, data } = strings;
  const cells = offsets.length - 1;
  // As the official library: widths from the number of cells, not of the strings that differ.
  const indexWidth = widthOf(cells);
  let longest = 0;
  for (let i = 0; i < cells; i++) longest = Math.max(longest, offsets[i + 1]! - offsets[i]!);
  const lengthWidth = widthOf(longest);
  const out = new Uint8Array(cells * indexWidth);
  const dictionary = new ByteWriter(1024);
  const seen = new StringTable(strings);
  let to = 0;
  for (let i = 0; i < cells; i++) {
    const before = seen.size;
    to = putInteger(out, to, seen.indexOf(i), indexWidth);
    if (seen.size === before) continue;
    const string = data.subarray(offsets[i]!, offsets[i + 1]!);
    const length = new Uint8Array(lengthWidth);
    putInteger(length, 0, string.byteLength, lengthWidth);
    dictionary.raw(length);
    dictionary.raw(string);
  }
  const metadata = new ByteWriter(dictionary.length + 64);
  writeHeader(metadata, strings, out.byteLength, indexWidth, lengthWidth);
  metadata.u32(dictionary.length);
  metadata.raw(dictionary.finish());
  return { metadata: [metadata.finish()], data: out };
}

/** Numbers strings in the order of their first cell; open addressing over cell numbers, so that no text is made. */
class StringTable {
  readonly #strings: Strings;
  /** Cell + 1 that first had the string; 0 free. */
  readonly #cells: Int32Array;
  readonly #numbers: Int32Array;
  size = 0;

  constructor(strings: Strings) {
    this.#strings = strings;
    const slots = 2 ** Math.ceil(Math.log2(strings.offsets.length * 2 + 1));
    this.#cells = new Int32Array(slots);
    this.#numbers = new Int32Array(slots);
  }

  indexOf(cell: number): number {
    const mask = this.#cells.length - 1;
    let slot = this.#hash(cell) & mask;
    while (this.#cells[slot] !== 0) {
      if (sameString(this.#strings, this.#cells[slot]! - 1, cell)) return this.#numbers[slot]!;
      slot = (slot + 1) & mask;
    }
    this.#cells[slot] = cell + 1;
    this.#numbers[slot] = this.size;
    return this.size++;
  }

  #hash(cell: number): number {
    const { offsets, data } = this.#strings;
    let hash = 0x811c9dc5;
    for (let i = offsets[cell]!; i < offsets[cell + 1]!; i++) hash = Math.imul(hash ^ data[i]!, 0x01000193);
    return hash ^ (hash >>> 15);
  }
}

function putInteger(out: Uint8Array, at: number, value: number, width: number): number {
  for (let i = width - 1, rest = value; i >= 0; i--) {
    out[at + i] = rest;
    rest = Math.floor(rest / 256);
  }
  return at + width;
}
