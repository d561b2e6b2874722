import { CorruptFrame } from "./backward-bits.js";
import { HuffmanTable } from "./huffman-table.js";

/**
 * The literals of a block (RFC 8878, section 3.1.1.3.1):
 *
 * | field | type |
 * |---|---|
 * | type: raw, one repeated byte, Huffman codes with or without a table | 2 bits |
 * | form of the sizes | 1 or 2 bits |
 * | size, and where there are codes their size | 5 to 20 bits, 10 to 18 bits |
 */

/** Bytes of a block, and so of its literals, at most. */
export const BLOCK_BYTES = 1 << 17;

export class LiteralsDecoder {
  /** Where the literals of the last block lie: in the block itself or in memory of ours. */
  bytes: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;
  readonly #table = new HuffmanTable();
  readonly #memory = new Uint8Array(BLOCK_BYTES);

  /** Forgets the table of another frame. */
  clear(): void {
    this.#table.clear();
  }

  /** Reads the section at `at`: where it ends. */
  read(bytes: Uint8Array, at: number, end: number): number {
    const type = bytes[at]! & 3;
    return type < 2 ? this.#readPlain(bytes, at, end, type) : this.#readCoded(bytes, at, end, type);
  }

  #readPlain(bytes: Uint8Array, at: number, end: number, type: number): number {
    const form = (bytes[at]! >> 2) & 3;
    const width = (form & 1) === 0 ? 1 : form === 1 ? 2 : 3;
    const header = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);
    const size = width === 1 ? (header & 255) >> 3 : (header & ((1 << (width * 8)) - 1)) >> 4;
    const first = at + width;
    if (first > end || size > BLOCK_BYTES) throw new CorruptFrame();
    if (type === 0) {
      if (size > end - first) throw new CorruptFrame();
      this.#set(bytes, first, size);
      return first + size;
    }
    if (first >= end) throw new CorruptFrame();
    this.#memory.fill(bytes[first]!, 0, size);
    this.#set(this.#memory, 0, size);
    return first + 1;
  }

  #readCoded(bytes: Uint8Array, at: number, end: number, type: number): number {
    const form = (bytes[at]! >> 2) & 3;
    const width = form < 2 ? 10 : form === 2 ? 14 : 18;
    const first = at + (form < 2 ? 3 : form + 2);
    // Up to 40 bits: 32, and the 8 above them.
    const low = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    const mask = (1 << width) - 1;
    const size = (low >>> 4) & mask;
    const stored = (width === 18 ? (low >>> 22) | (bytes[at + 4]! << 10) : low >>> (4 + width)) & mask;
    if (first > end || size > BLOCK_BYTES || stored > end - first) throw new CorruptFrame();
    const last = first + stored;
    const from = type === 2 ? this.#table.read(bytes, first, last) : first;
    if (form === 0) this.#table.decode(bytes, from, last, this.#memory, 0, size);
    else this.#decodeFour(bytes, from, last, size);
    this.#set(this.#memory, 0, size);
    return last;
  }

  /** Four streams after a table of the sizes of three (uint16 each). */
  #decodeFour(bytes: Uint8Array, at: number, end: number, size: number): void {
    const part = (size + 3) >> 2;
    if (end - at < 10 || size < 4 || part * 3 > size) throw new CorruptFrame();
    let from = at + 6;
    for (let stream = 0; stream < 4; stream++) {
      const stored = bytes[at + stream * 2]! | (bytes[at + stream * 2 + 1]! << 8);
      const to = stream === 3 ? end : from + stored;
      if (to > end) throw new CorruptFrame();
      this.#table.decode(bytes, from, to, this.#memory, stream * part, Math.min(size, (stream + 1) * part));
      from = to;
    }
  }

  #set(bytes: Uint8Array, start: number, size: number): void {
    this.bytes = bytes;
    this.start = start;
    this.end = start + size;
  }
}
