import { bitsBelow, CorruptFrame, markedBits } from "./backward-bits.js";
import { FseTable } from "./fse-table.js";
import type { LiteralsDecoder } from "./literals-decoder.js";

/**
 * The sequences of a block (RFC 8878, section 3.1.1.3.2): how many (1 to 3 bytes), how their three tables are given
 * (2 bits each), the tables, and a stream of codes read backwards. A sequence says how many literals to copy, and how
 * many bytes again from how far back. The last three distances have codes of their own.
 */

const LITERAL_COUNTS = [
  4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1,
  -1,
];
const OFFSET_COUNTS = [
  1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1,
];
const MATCH_COUNTS = [
  1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
  1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1,
];
/** Bits that follow each code; the lengths that a code stands for begin where those of the code before end. */
const LITERAL_BITS = Uint8Array.of(
  ...new Array<number>(16).fill(0),
  ...[1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
);
const MATCH_BITS = Uint8Array.of(
  ...new Array<number>(32).fill(0),
  ...[1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
);
const LITERAL_BASE = lengthsOf(LITERAL_BITS, 0);
const MATCH_BASE = lengthsOf(MATCH_BITS, 3);

function lengthsOf(bits: Uint8Array, first: number): Int32Array {
  let next = first;
  return Int32Array.from(bits, (width) => {
    const base = next;
    next += 1 << width;
    return base;
  });
}

export class SequencesDecoder {
  readonly #lengths = new FseTable(9, 35);
  readonly #offsets = new FseTable(8, 31);
  readonly #matches = new FseTable(9, 52);
  readonly #repeats = new Int32Array(3);
  /** Where the last sequence ended, in its literals. */
  #used = 0;

  /** Forgets the tables and distances of another frame. */
  clear(): void {
    for (const table of [this.#lengths, this.#offsets, this.#matches]) table.log = -1;
    this.#repeats.set([1, 4, 8]);
  }

  /** Carries out the section between `at` and `end`, in `out` from `to` on: where that ends. */
  run(
    bytes: Uint8Array,
    at: number,
    end: number,
    literals: LiteralsDecoder,
    out: Uint8Array,
    frameStart: number,
    to: number,
  ): number {
    if (at >= end) throw new CorruptFrame();
    let count = bytes[at++]!;
    if (count === 255) {
      count = (bytes[at]! | (bytes[at + 1]! << 8)) + 0x7f00;
      at += 2;
    } else if (count >= 128) count = ((count - 128) << 8) + bytes[at++]!;
    if (at > end) throw new CorruptFrame();
    this.#used = literals.start;
    let written = to;
    if (count === 0) {
      if (at !== end) throw new CorruptFrame();
    } else {
      const stream = this.#readTables(bytes, at, end);
      written = this.#carryOut(bytes, stream, end, count, literals, out, frameStart, to);
    }
    const rest = literals.end - this.#used;
    if (rest > out.length - written) throw new CorruptFrame();
    out.set(literals.bytes.subarray(this.#used, literals.end), written);
    return written + rest;
  }

  /** Where the stream begins. */
  #readTables(bytes: Uint8Array, at: number, end: number): number {
    if (at >= end) throw new CorruptFrame();
    const modes = bytes[at]!;
    if ((modes & 3) !== 0) throw new CorruptFrame();
    let next = readTable(this.#lengths, modes >> 6, bytes, at + 1, end, LITERAL_COUNTS, 6);
    next = readTable(this.#offsets, (modes >> 4) & 3, bytes, next, end, OFFSET_COUNTS, 5);
    next = readTable(this.#matches, (modes >> 2) & 3, bytes, next, end, MATCH_COUNTS, 6);
    if (next >= end) throw new CorruptFrame();
    return next;
  }

  #carryOut(
    bytes: Uint8Array,
    stream: number,
    end: number,
    count: number,
    literals: LiteralsDecoder,
    out: Uint8Array,
    frameStart: number,
    to: number,
  ): number {
    const lengths = this.#lengths.entries;
    const offsets = this.#offsets.entries;
    const matches = this.#matches.entries;
    const repeats = this.#repeats;
    const source = literals.bytes;
    let from = literals.start;
    let bit = markedBits(bytes, stream, end);
    if (bit < this.#lengths.log + this.#offsets.log + this.#matches.log) throw new CorruptFrame();
    const bits = (width: number): number => {
      bit -= width;
      return bitsBelow(bytes, stream, bit + width, width);
    };
    let lengthEntry = lengths[bits(this.#lengths.log)]!;
    let offsetEntry = offsets[bits(this.#offsets.log)]!;
    let matchEntry = matches[bits(this.#matches.log)]!;
    for (let left = count; ; ) {
      const width = (offsetEntry >> 16) & 255;
      // In two parts: distances may have more bits than are read at once.
      const value =
        width <= 24 ? (1 << width) + bits(width) : 2 ** width + bits(width - 16) * 65536 + bits(16);
      const matchCode = (matchEntry >> 16) & 255;
      const length = MATCH_BASE[matchCode]! + bits(MATCH_BITS[matchCode]!);
      const lengthCode = (lengthEntry >> 16) & 255;
      const fresh = LITERAL_BASE[lengthCode]! + bits(LITERAL_BITS[lengthCode]!);
      if (bit < 0) throw new CorruptFrame();
      const offset = value > 3 ? newDistance(repeats, value - 3) : oldDistance(repeats, value, fresh);
      if (fresh > literals.end - from || fresh + length > out.length - to) throw new CorruptFrame();
      copy(source, from, out, to, fresh);
      from += fresh;
      to += fresh;
      if (offset <= 0 || offset > to - frameStart) throw new CorruptFrame();
      repeat(out, to, offset, length);
      to += length;
      if (--left === 0) break;
      lengthEntry = lengths[(lengthEntry & 0xffff) + bits(lengthEntry >>> 24)]!;
      matchEntry = matches[(matchEntry & 0xffff) + bits(matchEntry >>> 24)]!;
      offsetEntry = offsets[(offsetEntry & 0xffff) + bits(offsetEntry >>> 24)]!;
      if (bit < 0) throw new CorruptFrame();
    }
    if (bit !== 0) throw new CorruptFrame();
    this.#used = from;
    return to;
  }
}

/** Makes a table as the header says: known, of one symbol, described, or that of the block before. Returns where it ends. */
function readTable(
  table: FseTable,
  mode: number,
  bytes: Uint8Array,
  at: number,
  end: number,
  known: readonly number[],
  log: number,
): number {
  if (mode === 2) return table.read(bytes, at, end);
  if (mode === 0) table.setKnown(known, log);
  if (mode === 1) {
    if (at >= end) throw new CorruptFrame();
    table.setSingle(bytes[at]!);
    return at + 1;
  }
  if (table.log < 0) throw new CorruptFrame();
  return at;
}

function newDistance(repeats: Int32Array, offset: number): number {
  repeats[2] = repeats[1]!;
  repeats[1] = repeats[0]!;
  repeats[0] = offset;
  return offset;
}

/** Codes 1 to 3: one of the last three, which comes to the front; without literals before, the next one of them. */
function oldDistance(repeats: Int32Array, value: number, fresh: number): number {
  const which = value - (fresh === 0 ? 0 : 1);
  if (which === 0) return repeats[0]!;
  const offset = which === 3 ? repeats[0]! - 1 : repeats[which]!;
  if (which !== 1) repeats[2] = repeats[1]!;
  repeats[1] = repeats[0]!;
  repeats[0] = offset;
  return offset;
}

/** Calls cost more than a few bytes do. */
const SHORT = 24;

function copy(from: Uint8Array, at: number, out: Uint8Array, to: number, length: number): void {
  if (length > SHORT) out.set(from.subarray(at, at + length), to);
  else for (let k = 0; k < length; k++) out[to + k] = from[at + k]!;
}

/** Copies what lies `offset` back; what is copied may be copied again. */
function repeat(out: Uint8Array, to: number, offset: number, length: number): void {
  const end = to + length;
  if (length > SHORT && offset === 1) out.fill(out[to - 1]!, to, end);
  else if (length > SHORT && offset >= length) out.copyWithin(to, to - offset, to - offset + length);
  else for (let at = to; at < end; at++) out[at] = out[at - offset]!;
}
