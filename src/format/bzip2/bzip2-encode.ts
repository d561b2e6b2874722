import { concatBytes } from "../../util/typed-arrays.js";
import type { Compress } from "../filters/filter.js";
import { crc32, GROUP } from "./bzip2-decode.js";
import { codeLengths, codesOf } from "./bzip2-huffman.js";

/**
 * Bzip2 filter (code 5), writing. Made to be right rather than fast: the transform sorts by doubling prefixes, which
 * has no bad cases.
 */

export const compressBzip2: Compress = (part, step) => {
  const wanted = "level" in step.spec ? step.spec.level : 1;
  // Below 1 stands for TileDB's default, 1.
  const level = wanted < 1 ? 1 : Math.min(9, wanted);
  const writer = new BitWriter();
  writer.write(0x425a68, 24);
  writer.write(0x30 + level, 8);
  let streamCrc = 0;
  for (let at = 0; at < part.byteLength; ) {
    const { end, block } = takeBlock(part, at, level * 100_000 - 19);
    const crc = crc32(part, at, end);
    writeBlock(writer, block, crc);
    streamCrc = (((streamCrc << 1) | (streamCrc >>> 31)) ^ crc) >>> 0;
    at = end;
  }
  writer.write(0x177245, 24);
  writer.write(0x385090, 24);
  writer.u32(streamCrc);
  return writer.finish();
};

class BitWriter {
  readonly #pieces: Uint8Array[] = [];
  #piece = new Uint8Array(1 << 16);
  #at = 0;
  #buffer = 0;
  #have = 0;

  /** 1 to 24 bits. */
  write(value: number, width: number): void {
    this.#buffer = (this.#buffer << width) | value;
    this.#have += width;
    while (this.#have >= 8) {
      this.#have -= 8;
      this.#byte(this.#buffer >>> this.#have);
    }
    this.#buffer &= (1 << this.#have) - 1;
  }

  u32(value: number): void {
    this.write(value >>> 16, 16);
    this.write(value & 0xffff, 16);
  }

  finish(): Uint8Array {
    if (this.#have > 0) this.#byte(this.#buffer << (8 - this.#have));
    return concatBytes([...this.#pieces, this.#piece.subarray(0, this.#at)]);
  }

  #byte(value: number): void {
    if (this.#at === this.#piece.byteLength) {
      this.#pieces.push(this.#piece);
      this.#piece = new Uint8Array(1 << 16);
      this.#at = 0;
    }
    this.#piece[this.#at++] = value;
  }
}

/** Four equal bytes are followed by how many more there are, up to 251. */
function takeBlock(part: Uint8Array, start: number, most: number): { end: number; block: Uint8Array } {
  const block = new Uint8Array(Math.min(most, (part.byteLength - start) * 2));
  let length = 0;
  let at = start;
  while (at < part.byteLength) {
    const byte = part[at]!;
    let run = 1;
    while (run < 255 && part[at + run] === byte) run++;
    const takes = run < 4 ? run : 5;
    if (length + takes > most) break;
    block.fill(byte, length, length + Math.min(run, 4));
    if (run >= 4) block[length + 4] = run - 4;
    length += takes;
    at += run;
  }
  return { end: at, block: block.subarray(0, length) };
}

function writeBlock(writer: BitWriter, block: Uint8Array, crc: number): void {
  const { last, origin } = transform(block);
  writer.write(0x314159, 24);
  writer.write(0x265359, 24);
  writer.u32(crc);
  writer.write(0, 1);
  writer.write(origin, 24);
  const used = writeUsedBytes(writer, block);
  const symbols = moveToFront(last, used);
  writeSymbols(writer, symbols, used.length + 2);
}

/** The last column of the sorted rotations, and the place of the block itself among them. */
function transform(block: Uint8Array): { last: Uint8Array; origin: number } {
  const order = sortRotations(block);
  const count = block.length;
  const last = new Uint8Array(count);
  let origin = 0;
  for (let i = 0; i < count; i++) {
    const start = order[i]!;
    if (start === 0) origin = i;
    last[i] = block[start === 0 ? count - 1 : start - 1]!;
  }
  return { last, origin };
}

/** Starts of the rotations in order, by doubling the length of the prefixes that are sorted. */
function sortRotations(block: Uint8Array): Int32Array {
  const count = block.length;
  let ranks = Int32Array.from(block);
  const order = new Int32Array(count);
  const spare = new Int32Array(count);
  let nextRanks = new Int32Array(count);
  const counts = new Int32Array(Math.max(256, count) + 1);
  for (let i = 0; i < count; i++) spare[i] = i;
  countingSort(spare, order, ranks, counts, 256);
  let classes = rerank(order, ranks, nextRanks, 0);
  [ranks, nextRanks] = [nextRanks, ranks];
  for (let width = 1; width < count && classes < count; width *= 2) {
    // Sorted by the second half already: only the first half's ranks are left to sort by.
    for (let i = 0; i < count; i++) {
      const start = order[i]! - width;
      spare[i] = start < 0 ? start + count : start;
    }
    countingSort(spare, order, ranks, counts, classes);
    classes = rerank(order, ranks, nextRanks, width);
    [ranks, nextRanks] = [nextRanks, ranks];
  }
  return order;
}

function countingSort(
  from: Int32Array,
  to: Int32Array,
  ranks: Int32Array,
  counts: Int32Array,
  classes: number,
): void {
  counts.fill(0, 0, classes + 1);
  for (let i = 0; i < ranks.length; i++) counts[ranks[i]! + 1]!++;
  for (let i = 0; i < classes; i++) counts[i + 1]! += counts[i]!;
  for (let i = 0; i < from.length; i++) {
    const start = from[i]!;
    to[counts[ranks[start]!]!++] = start;
  }
}

/** Ranks by prefixes of twice `width` (by single bytes if 0), equal ones alike; returns how many there are. */
function rerank(order: Int32Array, ranks: Int32Array, out: Int32Array, width: number): number {
  const count = order.length;
  let rank = 0;
  for (let i = 0; i < count; i++) {
    const start = order[i]!;
    if (i > 0) {
      const before = order[i - 1]!;
      const same =
        ranks[start] === ranks[before] &&
        (width === 0 || ranks[(start + width) % count] === ranks[(before + width) % count]);
      if (!same) rank++;
    }
    out[start] = rank;
  }
  return rank + 1;
}

function writeUsedBytes(writer: BitWriter, block: Uint8Array): Uint8Array {
  const seen = new Uint8Array(256);
  for (const byte of block) seen[byte] = 1;
  const used: number[] = [];
  let ranges = 0;
  for (let byte = 0; byte < 256; byte++) {
    if (seen[byte] === 0) continue;
    used.push(byte);
    ranges |= 1 << (15 - (byte >> 4));
  }
  writer.write(ranges, 16);
  for (let range = 0; range < 16; range++) {
    if (((ranges >> (15 - range)) & 1) === 0) continue;
    let set = 0;
    for (let i = 0; i < 16; i++) set |= seen[range * 16 + i]! << (15 - i);
    writer.write(set, 16);
  }
  return Uint8Array.from(used);
}

/** Positions in the list of recent bytes + 1; runs of position 0 as binary digits 0 and 1; the end mark. */
function moveToFront(last: Uint8Array, used: Uint8Array): Uint16Array {
  const front = used.slice();
  const symbols = new Uint16Array(last.length + 1);
  let count = 0;
  let run = 0;
  const flush = () => {
    for (; run > 0; run = (run - 1) >> 1) symbols[count++] = (run - 1) & 1;
    run = 0;
  };
  for (const byte of last) {
    if (front[0] === byte) {
      run++;
      continue;
    }
    flush();
    const position = front.indexOf(byte);
    front.copyWithin(1, 0, position);
    front[0] = byte;
    symbols[count++] = position + 1;
  }
  flush();
  symbols[count++] = used.length + 1;
  return symbols.subarray(0, count);
}

function writeSymbols(writer: BitWriter, symbols: Uint16Array, alphabet: number): void {
  const { tables, selectors } = codeLengths(symbols, alphabet);
  writer.write(tables.length, 3);
  writer.write(selectors.length, 15);
  const front = tables.map((_, index) => index);
  for (const table of selectors) {
    const position = front.indexOf(table);
    for (let i = 0; i < position; i++) writer.write(1, 1);
    writer.write(0, 1);
    front.splice(position, 1);
    front.unshift(table);
  }
  for (const lengths of tables) writeLengths(writer, lengths);
  const codes = tables.map(codesOf);
  for (let i = 0; i < symbols.length; i++) {
    const table = selectors[Math.floor(i / GROUP)]!;
    const symbol = symbols[i]!;
    writer.write(codes[table]![symbol]!, tables[table]![symbol]!);
  }
}

/** Each length by steps from the one before. */
function writeLengths(writer: BitWriter, lengths: Uint8Array): void {
  let current = lengths[0]!;
  writer.write(current, 5);
  for (const length of lengths) {
    for (; current < length; current++) writer.write(0b10, 2);
    for (; current > length; current--) writer.write(0b11, 2);
    writer.write(0, 1);
  }
}
