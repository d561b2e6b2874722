import { viewAs } from "../../util/typed-arrays.js";
import { badPart } from "./compression.js";
import { deltaElement, readCount } from "./delta.js";
import { type SmallArray, smallArrayOf } from "./element.js";
import type { Decompress } from "./filter.js";
import { fillAligned } from "./filter.js";

/**
 * Double delta filter (code 6; format_spec/filters/double_delta.md), reading. A part is
 *
 * | field | type |
 * |---|---|
 * | bits of the largest double delta, without its sign | uint8 |
 * | number of values | uint64 |
 * | first and second value | value |
 * | of each other: sign (1 negative), magnitude | bits |
 *
 * where the bits fill uint64 words from the top. Where they would take no less room than the values (bits + 1 >=
 * width of the type), the values follow as they are.
 */

const HEADER = 9;

export const decompressDoubleDelta: Decompress = (part, out, step) => {
  const { bytes } = deltaElement(step);
  const count = part.byteLength < HEADER ? -1 : readCount(part, 1);
  if (count * bytes !== out.byteLength) throw badPart("double_delta", part, out, `it says ${count} values`);
  if (count === 0) return;
  const bits = part[0]!;
  if (bits >= bytes * 8 - 1) {
    copyValues(part, out);
    return;
  }
  const first = Math.min(2, count) * bytes;
  const stream = part.subarray(HEADER + first);
  const words = Math.ceil((Math.max(0, count - 2) * (bits + 1)) / 64) * 2;
  // Without the subtraction of the header, a cut part would pass for an empty stream.
  if (part.byteLength !== HEADER + first + words * 4) {
    throw badPart("double_delta", part, out, `expected ${HEADER + first + words * 4}`);
  }
  fillAligned(out, bytes, (aligned) => {
    aligned.set(part.subarray(HEADER, HEADER + first));
    const source = viewAs(stream, Int32Array);
    if (bytes === 8) undo64(source, viewAs(aligned, Int32Array), count, bits + 1);
    else undo(source, viewAs(aligned, smallArrayOf(deltaElement(step))), bits + 1);
  });
};

function copyValues(part: Uint8Array, out: Uint8Array): void {
  if (part.byteLength !== HEADER + out.byteLength) {
    throw badPart("double_delta", part, out, `expected ${HEADER + out.byteLength}`);
  }
  out.set(part.subarray(HEADER));
}

/** Of values of up to 32 bits, whose sign and magnitude are at most 31. */
function undo(words: Int32Array, out: SmallArray, width: number): void {
  const drop = 32 - width;
  const magnitude = 2 ** (width - 1) - 1;
  let value = out[1]! | 0;
  let delta = (value - out[0]!) | 0;
  let word = 0;
  let bit = 0;
  for (let i = 2; i < out.length; i++) {
    // The halves of a 64-bit word lie in the file the other way round: ^ 1.
    let field = words[word ^ 1]! << bit;
    if (bit > drop) field |= words[(word + 1) ^ 1]! >>> (32 - bit);
    field >>>= drop;
    const change = field & magnitude;
    delta = (field > magnitude ? delta - change : delta + change) | 0;
    value = (value + delta) | 0;
    out[i] = value;
    bit += width;
    word += bit >> 5;
    bit &= 31;
  }
}

/** Of 64-bit values by their low and high halves. */
function undo64(words: Int32Array, out: Int32Array, count: number, width: number): void {
  const reader = new BitReader(words);
  let low = out[2]! >>> 0;
  let high = out[3]!;
  let deltaLow = (low - out[0]!) >>> 0;
  let deltaHigh = (high - out[1]! - (low < out[0]! >>> 0 ? 1 : 0)) | 0;
  for (let i = 2; i < count; i++) {
    const negative = reader.read(1) === 1;
    let changeHigh = width > 33 ? reader.read(width - 33) : 0;
    let changeLow = reader.read(Math.min(32, width - 1));
    if (negative) {
      changeHigh = ~changeHigh + (changeLow === 0 ? 1 : 0);
      changeLow = -changeLow >>> 0;
    }
    const delta = deltaLow + changeLow;
    deltaLow = delta >>> 0;
    deltaHigh = (deltaHigh + changeHigh + (delta > 0xffffffff ? 1 : 0)) | 0;
    const sum = low + deltaLow;
    low = sum >>> 0;
    high = (high + deltaHigh + (sum > 0xffffffff ? 1 : 0)) | 0;
    out[i * 2] = low;
    out[i * 2 + 1] = high;
  }
}

class BitReader {
  readonly #words: Int32Array;
  #word = 0;
  #bit = 0;

  constructor(words: Int32Array) {
    this.#words = words;
  }

  /** 1 to 32 bits as an unsigned number. */
  read(width: number): number {
    const bit = this.#bit;
    let field = this.#words[this.#word ^ 1]! << bit;
    if (bit + width > 32) field |= this.#words[(this.#word + 1) ^ 1]! >>> (32 - bit);
    this.#bit = bit + width;
    if (this.#bit >= 32) {
      this.#bit -= 32;
      this.#word++;
    }
    return field >>> (32 - width);
  }
}
