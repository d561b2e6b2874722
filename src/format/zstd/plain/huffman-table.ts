import { bitsBelow, CorruptFrame, markedBits } from "./backward-bits.js";
import { FseTable } from "./fse-table.js";

/** Huffman codes of literals (RFC 8878, section 4.2), read. */

const MAX_LOG = 11;

const weights = new Uint8Array(256);
const weightTable = new FseTable(6, 255);

export class HuffmanTable {
  /** Bits of the longest code; -1: there is no table yet. */
  #log = -1;
  /** By the next bits of the longest code: byte (8 bits), bits of its code (from bit 8 on). */
  readonly #entries = new Uint16Array(1 << MAX_LOG);

  /** Forgets the table of another frame. */
  clear(): void {
    this.#log = -1;
  }

  /** Reads a table's description: where it ends. */
  read(bytes: Uint8Array, at: number, end: number): number {
    if (at >= end) throw new CorruptFrame();
    const header = bytes[at]!;
    const first = at + 1;
    if (header < 128) {
      if (header > end - first) throw new CorruptFrame();
      this.#build(readCodedWeights(bytes, first, first + header));
      return first + header;
    }
    const count = header - 127;
    const last = first + ((count + 1) >> 1);
    if (last > end) throw new CorruptFrame();
    for (let k = 0; k < count; k++) {
      const pair = bytes[first + (k >> 1)]!;
      weights[k] = (k & 1) === 0 ? pair >> 4 : pair & 15;
    }
    this.#build(count);
    return last;
  }

  /** Makes the table of `count` weights; that of one more byte is what is left. */
  #build(count: number): void {
    let total = 0;
    for (let k = 0; k < count; k++) {
      if (weights[k]! > MAX_LOG) throw new CorruptFrame();
      total += (1 << weights[k]!) >> 1;
    }
    if (total === 0) throw new CorruptFrame();
    const log = 32 - Math.clz32(total);
    const left = (1 << log) - total;
    if (log > MAX_LOG || (left & (left - 1)) !== 0) throw new CorruptFrame();
    weights[count] = 32 - Math.clz32(left);
    let position = 0;
    let lowest = 0;
    for (let weight = 1; weight <= log; weight++) {
      const span = (1 << weight) >> 1;
      for (let byte = 0; byte <= count; byte++) {
        if (weights[byte] !== weight) continue;
        this.#entries.fill(byte | ((log + 1 - weight) << 8), position, position + span);
        position += span;
        if (weight === 1) lowest++;
      }
    }
    if (lowest < 2 || (lowest & 1) !== 0) throw new CorruptFrame();
    this.#log = log;
  }

  /** Decodes the stream between `start` and `end` to the bytes from `to` to `toEnd`; it has to be used up. */
  decode(bytes: Uint8Array, start: number, end: number, out: Uint8Array, to: number, toEnd: number): void {
    const log = this.#log;
    if (log < 0) throw new CorruptFrame();
    const entries = this.#entries;
    const mask = (1 << log) - 1;
    let bit = markedBits(bytes, start, end);
    // Two codes of up to 11 bits from the 25 or more that 4 bytes hold below any bit.
    for (; bit >= 32 && to + 2 <= toEnd; to += 2) {
      const at = start + ((bit + 7) >> 3) - 4;
      const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
      const above = -bit & 7;
      const first = entries[(word >>> (32 - above - log)) & mask]!;
      const used = above + (first >> 8);
      const second = entries[(word >>> (32 - used - log)) & mask]!;
      out[to] = first;
      out[to + 1] = second;
      bit -= (first >> 8) + (second >> 8);
    }
    for (; to < toEnd; to++) {
      const entry = entries[bitsBelow(bytes, start, bit, log)]!;
      out[to] = entry;
      bit -= entry >> 8;
      if (bit < 0) throw new CorruptFrame();
    }
    if (bit !== 0) throw new CorruptFrame();
  }
}

/** Reads weights that are coded by two states in turn (section 4.2.1.2): how many there are. */
function readCodedWeights(bytes: Uint8Array, at: number, end: number): number {
  const start = weightTable.read(bytes, at, end);
  const { entries, log } = weightTable;
  if (start >= end) throw new CorruptFrame();
  let bit = markedBits(bytes, start, end);
  if (bit < 2 * log) throw new CorruptFrame();
  let state = bitsBelow(bytes, start, bit, log);
  let other = bitsBelow(bytes, start, bit - log, log);
  bit -= 2 * log;
  for (let count = 0; count < 254; count++) {
    const entry = entries[state]!;
    weights[count] = entry >> 16;
    const bits = entry >>> 24;
    if (bits > bit) {
      weights[count + 1] = entries[other]! >> 16;
      return count + 2;
    }
    const following = (entry & 0xffff) + bitsBelow(bytes, start, bit, bits);
    bit -= bits;
    state = other;
    other = following;
  }
  throw new CorruptFrame();
}
