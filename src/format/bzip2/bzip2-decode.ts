import { badPart } from "../filters/compression.js";
import type { Decompress } from "../filters/filter.js";

/**
 * Bzip2 filter (code 5), reading: a bzip2 stream per part. Blocks of up to 900,000 bytes, each a run-length coding, the
 * Burrows-Wheeler transform, moves to front with run lengths, and Huffman codes in groups of 50 symbols.
 */

const BLOCK_MAGIC = [0x314159, 0x265359] as const;
const END_MAGIC = [0x177245, 0x385090] as const;
export const GROUP = 50;
const MAX_CODE = 20;

/** Thrown inside, where neither part nor output are at hand. */
class BadStream extends Error {}

export const decompressBzip2: Decompress = (part, out) => {
  try {
    const size = decodeStream(new Bits(part), out);
    if (size !== out.byteLength) throw new BadStream(`it gives ${size}`);
  } catch (problem) {
    if (problem instanceof BadStream) throw badPart("bzip2", part, out, problem.message);
    throw problem;
  }
};

class Bits {
  readonly #bytes: Uint8Array;
  #at = 0;
  #buffer = 0;
  #have = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** 1 to 24 bits. */
  read(width: number): number {
    while (this.#have < width) {
      if (this.#at >= this.#bytes.byteLength) throw new BadStream("cut");
      this.#buffer = (this.#buffer << 8) | this.#bytes[this.#at++]!;
      this.#have += 8;
    }
    this.#have -= width;
    const value = (this.#buffer >>> this.#have) & (2 ** width - 1);
    this.#buffer &= (1 << this.#have) - 1;
    return value;
  }

  /** Whole bytes that have not been touched. */
  get untouched(): number {
    return this.#bytes.byteLength - this.#at;
  }

  u32(): number {
    return this.read(16) * 0x10000 + this.read(16);
  }
}

function decodeStream(bits: Bits, out: Uint8Array): number {
  if (bits.read(24) !== 0x425a68) throw new BadStream("no bzip2 stream");
  const level = bits.read(8) - 0x30;
  if (level < 1 || level > 9) throw new BadStream("wrong block size");
  let to = 0;
  let streamCrc = 0;
  // Made once a block says how large it is at most; a small output needs no more than itself and its run bytes.
  const block = new Uint32Array(Math.min(level * 100_000, out.byteLength * 2 + 16));
  for (;;) {
    const magic = [bits.read(24), bits.read(24)] as const;
    if (magic[0] === END_MAGIC[0] && magic[1] === END_MAGIC[1]) break;
    if (magic[0] !== BLOCK_MAGIC[0] || magic[1] !== BLOCK_MAGIC[1])
      throw new BadStream("no block where one should be");
    const crc = bits.u32();
    if (bits.read(1) === 1)
      throw new BadStream("a randomised block, which bzip2 has not written since 0.9.5");
    const end = decodeBlock(bits, block, out, to);
    if (crc32(out, to, end) !== crc) throw new BadStream("wrong checksum of a block");
    streamCrc = (((streamCrc << 1) | (streamCrc >>> 31)) ^ crc) >>> 0;
    to = end;
  }
  if (bits.u32() !== streamCrc) throw new BadStream("wrong checksum of the stream");
  if (bits.untouched > 0) throw new BadStream(`${bits.untouched} bytes follow the stream`);
  return to;
}

/** Decodes a block to `out` from `to` on, and returns where it ends. */
function decodeBlock(bits: Bits, block: Uint32Array, out: Uint8Array, to: number): number {
  const origin = bits.read(24);
  const used = readUsedBytes(bits);
  const selectors = readSelectors(bits);
  const tables: Table[] = [];
  for (let i = 0; i < selectors.tables; i++) tables.push(readTable(bits, used.length + 2));
  const length = readSymbols(bits, block, used, selectors.order, tables);
  if (origin >= length) throw new BadStream("the first byte lies outside the block");
  return undoTransform(block, length, origin, out, to);
}

function readUsedBytes(bits: Bits): Uint8Array {
  const used: number[] = [];
  const ranges = bits.read(16);
  for (let range = 0; range < 16; range++) {
    if (((ranges >> (15 - range)) & 1) === 0) continue;
    const set = bits.read(16);
    for (let i = 0; i < 16; i++) if (((set >> (15 - i)) & 1) === 1) used.push(range * 16 + i);
  }
  if (used.length === 0) throw new BadStream("a block without symbols");
  return Uint8Array.from(used);
}

/** Which table each group of symbols uses, moved to front and in unary. */
function readSelectors(bits: Bits): { tables: number; order: Uint8Array } {
  const tables = bits.read(3);
  const count = bits.read(15);
  if (tables < 2 || tables > 6 || count === 0) throw new BadStream("wrong number of code tables");
  const front = [0, 1, 2, 3, 4, 5];
  const order = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    let position = 0;
    while (bits.read(1) === 1) {
      if (++position >= tables) throw new BadStream("wrong code table");
    }
    const table = front.splice(position, 1)[0]!;
    front.unshift(table);
    order[i] = table;
  }
  return { tables, order };
}

/** A canonical Huffman code. */
interface Table {
  readonly shortest: number;
  /** By code length: the largest code, or -1 where no code has that length. */
  readonly limits: Int32Array;
  /** By code length: what to subtract from a code for its place in `symbols`. */
  readonly bases: Int32Array;
  readonly symbols: Uint16Array;
}

function readTable(bits: Bits, symbolCount: number): Table {
  const lengths = new Uint8Array(symbolCount);
  let length = bits.read(5);
  for (let i = 0; i < symbolCount; i++) {
    for (;;) {
      if (length < 1 || length > MAX_CODE) throw new BadStream("wrong code length");
      if (bits.read(1) === 0) break;
      length += bits.read(1) === 0 ? 1 : -1;
    }
    lengths[i] = length;
  }
  const counts = new Int32Array(MAX_CODE + 2);
  for (const each of lengths) counts[each]!++;
  const limits = new Int32Array(MAX_CODE + 1).fill(-1);
  const bases = new Int32Array(MAX_CODE + 1);
  const symbols = new Uint16Array(symbolCount);
  let code = 0;
  let placed = 0;
  for (let each = 1; each <= MAX_CODE; each++) {
    bases[each] = code - placed;
    for (let i = 0; i < symbolCount; i++) if (lengths[i] === each) symbols[placed++] = i;
    code += counts[each]!;
    if (counts[each]! > 0) limits[each] = code - 1;
    code <<= 1;
  }
  let shortest = 1;
  while (limits[shortest] === -1) shortest++;
  return { shortest, limits, bases, symbols };
}

function readSymbol(bits: Bits, table: Table): number {
  let length = table.shortest;
  let code = bits.read(length);
  while (code > table.limits[length]!) {
    if (++length > MAX_CODE) throw new BadStream("wrong code");
    code = (code << 1) | bits.read(1);
  }
  const place = code - table.bases[length]!;
  if (place < 0 || place >= table.symbols.length) throw new BadStream("wrong code");
  return table.symbols[place]!;
}

/** Undoes Huffman codes and move-to-front into the low bytes of `block`; returns the block's length. */
function readSymbols(
  bits: Bits,
  block: Uint32Array,
  front: Uint8Array,
  selectors: Uint8Array,
  tables: readonly Table[],
): number {
  const end = front.length + 1;
  let length = 0;
  let run = 0;
  let weight = 1;
  for (let group = 0; group < selectors.length; group++) {
    const table = tables[selectors[group]!]!;
    for (let i = 0; i < GROUP; i++) {
      const symbol = readSymbol(bits, table);
      if (symbol < 2) {
        run += weight << symbol;
        weight *= 2;
        if (run > block.length - length) throw new BadStream("a run beyond the block");
        continue;
      }
      if (run > 0) {
        block.fill(front[0]!, length, length + run);
        length += run;
        run = 0;
        weight = 1;
      }
      if (symbol === end) return length;
      if (length >= block.length) throw new BadStream("more bytes than a block holds");
      const byte = front[symbol - 1]!;
      front.copyWithin(1, 0, symbol - 1);
      front[0] = byte;
      block[length++] = byte;
    }
  }
  throw new BadStream("a block without an end");
}

/** Undoes the Burrows-Wheeler transform and the run lengths of the beginning. */
function undoTransform(
  block: Uint32Array,
  length: number,
  origin: number,
  out: Uint8Array,
  to: number,
): number {
  const starts = new Uint32Array(257);
  for (let i = 0; i < length; i++) starts[block[i]! + 1]!++;
  for (let i = 0; i < 256; i++) starts[i + 1]! += starts[i]!;
  // The upper 24 bits of an entry become the place of the byte after it.
  for (let i = 0; i < length; i++) block[starts[block[i]! & 255]!++]! |= i << 8;
  let at = to;
  let place = block[origin]! >>> 8;
  let previous = -1;
  let repeats = 0;
  for (let i = 0; i < length; i++) {
    const entry = block[place]!;
    const byte = entry & 255;
    place = entry >>> 8;
    if (repeats === 4) {
      if (byte > out.length - at) throw new BadStream("more bytes than expected");
      out.fill(previous, at, at + byte);
      at += byte;
      repeats = 0;
      previous = -1;
      continue;
    }
    if (at >= out.length) throw new BadStream("more bytes than expected");
    out[at++] = byte;
    repeats = byte === previous ? repeats + 1 : 1;
    previous = byte;
  }
  return at;
}

const crcTable = /* @__PURE__ */ Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let i = 0; i < 8; i++) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  return crc >>> 0;
});

/** bzip2's CRC, which takes bits from the top. */
export function crc32(bytes: Uint8Array, start: number, end: number): number {
  let crc = -1;
  for (let i = start; i < end; i++) crc = (crc << 8) ^ crcTable[(crc >>> 24) ^ bytes[i]!]!;
  return ~crc >>> 0;
}
