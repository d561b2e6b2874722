import { ValueError } from "../../errors.js";
import { viewAs } from "../../util/typed-arrays.js";
import { countValues, deltaElement, writeCount } from "./delta.js";
import { type SmallArray, smallArrayOf } from "./element.js";
import type { Compress } from "./filter.js";

/** Double delta filter (code 6), writing; for the layout see double-delta-decode.ts. */

const HEADER = 9;

export const compressDoubleDelta: Compress = (part, step) => {
  const element = deltaElement(step);
  const count = countValues(part, element, step);
  const wide = element.bytes === 8;
  const values = wide ? null : viewAs(part, smallArrayOf(element));
  const halves = wide ? viewAs(part, Int32Array) : null;
  const changes = values !== null ? changesOf(values) : changesOf64(halves!, element.signed);
  const bits = changes.bits;
  if (bits >= element.bytes * 8 - 1) {
    const out = new Uint8Array(HEADER + part.byteLength);
    writeHeader(out, bits, count);
    out.set(part, HEADER);
    return out;
  }
  const first = Math.min(2, count) * element.bytes;
  const words = Math.ceil((changes.count * (bits + 1)) / 64) * 2;
  const out = new Uint8Array(HEADER + first + words * 4);
  writeHeader(out, bits, count);
  out.set(part.subarray(0, first), HEADER);
  const stream = new Int32Array(words);
  changes.write(new BitWriter(stream));
  out.set(new Uint8Array(stream.buffer), HEADER + first);
  return out;
};

function writeHeader(out: Uint8Array, bits: number, count: number): void {
  out[0] = bits;
  writeCount(out, 1, count);
}

interface Changes {
  /** Bits of the largest magnitude; 0 where there are no more than two values. */
  readonly bits: number;
  /** Number of double deltas. */
  readonly count: number;
  write(writer: BitWriter): void;
}

function changesOf(values: SmallArray): Changes {
  const count = Math.max(0, values.length - 2);
  if (count === 0) return { bits: 0, count, write: () => {} };
  // The official library counts the first delta as well.
  let most = Math.abs(values[1]! - values[0]!);
  let delta = values[1]! - values[0]!;
  for (let i = 2; i < values.length; i++) {
    const next = values[i]! - values[i - 1]!;
    const change = Math.abs(next - delta);
    if (change > most) most = change;
    delta = next;
  }
  const bits = bitsOf(Math.floor(most / 0x100000000), most >>> 0);
  return { bits, count, write: (writer) => writeChanges(values, bits, writer) };
}

/** Of values whose changes take at most 30 bits. */
function writeChanges(values: SmallArray, bits: number, writer: BitWriter): void {
  const negative = 2 ** bits;
  let delta = values[1]! - values[0]!;
  for (let i = 2; i < values.length; i++) {
    const next = values[i]! - values[i - 1]!;
    const change = next - delta;
    writer.write(change < 0 ? negative - change : change, bits + 1);
    delta = next;
  }
}

/** Of 64-bit values by their halves: magnitudes and signs of the changes, kept for writing. */
function changesOf64(halves: Int32Array, signed: boolean): Changes {
  const count = Math.max(0, halves.length / 2 - 2);
  if (count === 0) return { bits: 0, count, write: () => {} };
  const magnitudes = new Uint32Array(count * 2);
  const signs = new Uint8Array(count);
  let deltaLow = 0;
  let deltaHigh = 0;
  let mostLow = 0;
  let mostHigh = 0;
  for (let i = 2; i < halves.length; i += 2) {
    const fromLow = halves[i - 2]! >>> 0;
    const toLow = halves[i]! >>> 0;
    const fromHigh = halves[i - 1]!;
    const toHigh = halves[i + 1]!;
    const low = (toLow - fromLow) >>> 0;
    const high = (toHigh - fromHigh - (toLow < fromLow ? 1 : 0)) | 0;
    if (!fits(fromHigh, fromLow, toHigh, toLow, high, signed)) throw outOfRange("difference");
    let changeLow = low;
    let changeHigh = high;
    if (i > 2) {
      changeLow = (low - deltaLow) >>> 0;
      changeHigh = (high - deltaHigh - (low < deltaLow ? 1 : 0)) | 0;
      // Two's complement overflow: operands of unlike sign and a result unlike the first.
      if (((high ^ deltaHigh) & (high ^ changeHigh)) < 0) throw outOfRange("difference of differences");
    }
    const negative = changeHigh < 0;
    if (negative) {
      changeHigh = (~changeHigh + (changeLow === 0 ? 1 : 0)) | 0;
      changeLow = -changeLow >>> 0;
    }
    if (changeHigh >>> 0 > mostHigh || (changeHigh >>> 0 === mostHigh && changeLow > mostLow)) {
      mostHigh = changeHigh >>> 0;
      mostLow = changeLow;
    }
    if (i > 2) {
      magnitudes[i - 4] = changeLow;
      magnitudes[i - 3] = changeHigh;
      signs[i / 2 - 2] = negative ? 1 : 0;
    }
    deltaLow = low;
    deltaHigh = high;
  }
  const bits = bitsOf(mostHigh, mostLow);
  return {
    bits,
    count,
    write: (writer) => {
      for (let i = 0; i < count; i++) {
        writer.write(signs[i]!, 1);
        if (bits > 32) writer.write(magnitudes[i * 2 + 1]!, bits - 32);
        writer.write(magnitudes[i * 2]!, Math.min(32, bits));
      }
    },
  };
}

/** Whether the difference of two 64-bit values, whose upper half is `high`, is an int64. */
function fits(
  fromHigh: number,
  fromLow: number,
  toHigh: number,
  toLow: number,
  high: number,
  signed: boolean,
): boolean {
  if (signed) return ((toHigh ^ fromHigh) & (toHigh ^ high)) >= 0;
  const from = fromHigh >>> 0;
  const to = toHigh >>> 0;
  const grows = to > from || (to === from && toLow >= fromLow);
  return grows ? high >= 0 : high < 0;
}

function outOfRange(what: string): ValueError {
  return new ValueError(
    `double_delta filter: the ${what} of neighbouring values is beyond the range of int64`,
  );
}

/** Bits of a magnitude, at least 1. */
function bitsOf(high: number, low: number): number {
  return high === 0 ? Math.max(1, 32 - Math.clz32(low)) : 64 - Math.clz32(high);
}

class BitWriter {
  readonly #words: Int32Array;
  #word = 0;
  #bit = 0;

  constructor(words: Int32Array) {
    this.#words = words;
  }

  /** The low `width` bits of `value`, 1 to 32. */
  write(value: number, width: number): void {
    const room = 32 - this.#bit;
    // The halves of a 64-bit word lie in the file the other way round: ^ 1.
    if (width <= room) {
      this.#words[this.#word ^ 1]! |= value << (room - width);
    } else {
      this.#words[this.#word ^ 1]! |= value >>> (width - room);
      this.#words[(this.#word + 1) ^ 1]! |= value << (32 - (width - room));
    }
    this.#bit += width;
    if (this.#bit >= 32) {
      this.#bit -= 32;
      this.#word++;
    }
  }
}
