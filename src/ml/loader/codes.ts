import { compareText } from "../../format/text-bytes.js";
import { columnLength, columnValues, type FrameColumn, type TextColumn } from "../../util/frame.js";

/** Columns of categories as numbers. */

export interface Codes {
  /** Position in `names` for each row, -1 where missing. */
  readonly codes: Int32Array;
  /** Each value that there is, sorted by code points as Python sorts text. */
  readonly names: readonly string[];
}

/** Values other than text by their decimal text; NaN is missing. */
export function encodeColumn(column: FrameColumn): Codes {
  if (column.kind === "categorical") return encodeCategories(column.codes, column.categories);
  if (column.kind === "text") return encodeText(column);
  const rows = new Int32Array(columnLength(column)).fill(-1);
  const numbers = new Map<unknown, number>();
  const names: string[] = [];
  for (const [row, value] of columnValues(column).entries()) {
    if (value === null || Number.isNaN(value)) continue;
    let code = numbers.get(value);
    if (code === undefined) {
      code = names.push(String(value)) - 1;
      numbers.set(value, code);
    }
    rows[row] = code;
  }
  return sortedCodes(rows, names);
}

function encodeCategories(codes: Int32Array, categories: FrameColumn): Codes {
  const inner = encodeColumn(categories);
  return withoutUnused({
    codes: codes.map((code) => (code < 0 ? -1 : inner.codes[code]!)),
    names: inner.names,
  });
}

/** A table of the bytes' hashes, so that a string is made of each value only and not of each row. */
function encodeText({ offsets, data, validity }: TextColumn): Codes {
  const rows = new Int32Array(offsets.length - 1).fill(-1);
  const names: string[] = [];
  const firstRows: number[] = [];
  let slots = new Int32Array(1024);
  const decoder = new TextDecoder();
  for (let row = 0; row < rows.length; row++) {
    if (validity?.[row] === 0) continue;
    const [from, to] = [offsets[row]!, offsets[row + 1]!];
    let slot = hashOf(data, from, to) & (slots.length - 1);
    // Slots hold codes + 1; 0 is free.
    while (slots[slot] !== 0 && !sameBytes(data, offsets, firstRows[slots[slot]! - 1]!, from, to)) {
      slot = (slot + 1) & (slots.length - 1);
    }
    if (slots[slot] === 0) {
      firstRows.push(row);
      slots[slot] = names.push(decoder.decode(data.subarray(from, to)));
    }
    rows[row] = slots[slot]! - 1;
    if (names.length * 2 > slots.length) slots = largerTable(slots.length * 2, firstRows, offsets, data);
  }
  return sortedCodes(rows, names);
}

function largerTable(
  size: number,
  firstRows: number[],
  offsets: Uint32Array,
  data: Uint8Array,
): Int32Array<ArrayBuffer> {
  const slots = new Int32Array(size);
  for (const [code, row] of firstRows.entries()) {
    let slot = hashOf(data, offsets[row]!, offsets[row + 1]!) & (size - 1);
    while (slots[slot] !== 0) slot = (slot + 1) & (size - 1);
    slots[slot] = code + 1;
  }
  return slots;
}

/** FNV-1a, 32 bits, its upper bits mixed into the lower ones. */
function hashOf(data: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let at = from; at < to; at++) hash = Math.imul(hash ^ data[at]!, 0x01000193);
  return hash ^ (hash >>> 15);
}

function sameBytes(data: Uint8Array, offsets: Uint32Array, row: number, from: number, to: number): boolean {
  const other = offsets[row]!;
  if (offsets[row + 1]! - other !== to - from) return false;
  for (let at = 0; at < to - from; at++) if (data[from + at] !== data[other + at]) return false;
  return true;
}

/** Values in order, equal texts as one. */
function sortedCodes(codes: Int32Array, names: readonly string[]): Codes {
  const sorted = [...new Set(names)].sort(compareText);
  const places = new Map(sorted.map((name, place) => [name, place]));
  const renumbered = Int32Array.from(names, (name) => places.get(name)!);
  return { codes: codes.map((code) => (code < 0 ? -1 : renumbered[code]!)), names: sorted };
}

/** The same with values only that some row has. */
export function withoutUnused({ codes, names }: Codes): Codes {
  const used = new Uint8Array(names.length);
  for (const code of codes) if (code >= 0) used[code] = 1;
  if (!used.includes(0)) return { codes, names };
  const places = new Int32Array(names.length).fill(-1);
  let count = 0;
  for (let code = 0; code < names.length; code++) if (used[code] === 1) places[code] = count++;
  return {
    codes: codes.map((code) => (code < 0 ? -1 : places[code]!)),
    names: names.filter((_, code) => used[code] === 1),
  };
}

/** The pairs that occur of two codes of each row, as codes in order of the first and then the second; -1 where one is. */
export function encodePairs(first: Int32Array, second: Int32Array, secondCount: number) {
  const pairs = new Map<number, number>();
  const codes = new Int32Array(first.length);
  for (let row = 0; row < first.length; row++) {
    const pair = first[row]! < 0 || second[row]! < 0 ? -1 : first[row]! * secondCount + second[row]!;
    let code = pair < 0 ? -1 : pairs.get(pair);
    if (code === undefined) {
      code = pairs.size;
      pairs.set(pair, code);
    }
    codes[row] = code;
  }
  const sorted = Float64Array.from(pairs.keys()).sort();
  const places = new Int32Array(sorted.length);
  for (const [place, pair] of sorted.entries()) places[pairs.get(pair)!] = place;
  return {
    codes: codes.map((code) => (code < 0 ? -1 : places[code]!)),
    firsts: Int32Array.from(sorted, (pair) => Math.floor(pair / secondCount)),
    seconds: Int32Array.from(sorted, (pair) => pair % secondCount),
  };
}
