import { ArgumentError } from "../../errors.js";
import { viewAs } from "../../util/typed-arrays.js";
import { ByteReader } from "../byte-reader.js";
import { type Element, type SmallArray, smallArrayOf } from "./element.js";
import type { Filter, FilterStep } from "./filter.js";
import { fillAligned, restOf, withMetadata } from "./filter.js";
import { windowBytes, windowElement } from "./windows.js";

/**
 * Bit width reduction filter (code 7; format_spec/tile.md, "Bit Width Reduction Filter"): in windows, values less
 * the smallest of the window, as integers of 8, 16 or 32 bits if that is fewer than they had. Its metadata:
 *
 * | field | type |
 * |---|---|
 * | bytes of the input | uint32 |
 * | number of windows | uint32 |
 * | of each: smallest value, bits, bytes before reduction | value, uint8, uint32 |
 *
 * The reduced integers are signed as the values are. A window that is no whole number of values, or that would not
 * get smaller, is kept as it is.
 */
export const bitWidthReduction: Filter = {
  forward: (input, step) => {
    const element = reducible(step);
    if (element === null) return input;
    const source = input.data.byteOffset % element.bytes === 0 ? input.data : input.data.slice();
    const size = source.byteLength;
    const window = windowBytes(size, maxWindow(step), element);
    const windows = size === 0 ? 0 : Math.ceil(size / window);
    const own = new Uint8Array(8 + windows * (element.bytes + 5));
    const view = new DataView(own.buffer);
    view.setUint32(0, size, true);
    view.setUint32(4, windows, true);
    const data = new Uint8Array(size);
    let to = 0;
    for (let i = 0, at = 8; i < windows; i++, at += element.bytes + 5) {
      const part = source.subarray(i * window, Math.min(size, (i + 1) * window));
      const smallest = own.subarray(at, at + element.bytes);
      const bits = measureWindow(part, element, smallest);
      view.setUint8(at + element.bytes, bits);
      view.setUint32(at + element.bytes + 1, part.byteLength, true);
      to += reduceWindow(part, data.subarray(to), element, bits, smallest);
    }
    return { metadata: withMetadata(own, input.metadata), data: data.subarray(0, to) };
  },
  reverse: (input, step, output) => {
    const element = reducible(step);
    if (element === null) return input;
    const reader = new ByteReader(input.metadata, "bit_width_reduction filter");
    const size = reader.u32("length of input");
    const windows = reader.count("number of windows", 4, element.bytes + 5);
    const data = output.data(size);
    fillAligned(data, element.bytes, (aligned) =>
      restoreWindows(reader, windows, input.data, aligned, element),
    );
    return { metadata: restOf(input.metadata, reader.offset), data };
  },
};

function reducible(step: FilterStep): Element | null {
  const element = windowElement(step);
  return element === null || element.bytes === 1 ? null : element;
}

function maxWindow(step: FilterStep): number {
  if (!("maxWindow" in step.spec)) throw new ArgumentError("bit_width_reduction filter: no window size");
  return step.spec.maxWindow;
}

/**
 * Bits that the window's values take less the smallest: 8, 16, 32 or 64. Puts the smallest into `smallest`, unless
 * the type does not hold the range, which leaves 0 there and the window at full width.
 */
function measureWindow(part: Uint8Array, element: Element, smallest: Uint8Array): number {
  const whole = part.subarray(0, part.byteLength - (part.byteLength % element.bytes));
  if (whole.byteLength === 0) return element.bytes * 8;
  if (element.bytes === 8) return measure64(viewAs(whole, Int32Array), element.signed, smallest);
  const values = viewAs(whole, smallArrayOf(element));
  let least = values[0]!;
  let most = least;
  for (let i = 1; i < values.length; i++) {
    const value = values[i]!;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  const bits = bitsFor(most - least + 1, element);
  if (bits > element.bytes * 8) return element.bytes * 8;
  const view = new DataView(smallest.buffer, smallest.byteOffset, smallest.byteLength);
  if (element.bytes === 2) view.setInt16(0, least, true);
  else view.setInt32(0, least, true);
  return bits;
}

/** Of `range`, the largest difference plus one, as the official library counts. */
function bitsFor(range: number, element: Element): number {
  const sign = element.signed ? 1 : 0;
  if (range < 2 ** (8 - sign)) return 8;
  if (range < 2 ** (16 - sign)) return 16;
  return range < 2 ** (32 - sign) ? 32 : 64;
}

/** Of 64-bit values by their halves. */
function measure64(halves: Int32Array, signed: boolean, smallest: Uint8Array): number {
  // Flipping the top bit gives signed values the order of unsigned ones.
  const flip = signed ? 0x80000000 : 0;
  let leastLow = 0xffffffff;
  let leastHigh = 0xffffffff;
  let mostLow = 0;
  let mostHigh = 0;
  for (let i = 0; i < halves.length; i += 2) {
    const low = halves[i]! >>> 0;
    const high = (halves[i + 1]! ^ flip) >>> 0;
    if (high < leastHigh || (high === leastHigh && low < leastLow)) {
      leastHigh = high;
      leastLow = low;
    }
    if (high > mostHigh || (high === mostHigh && low > mostLow)) {
      mostHigh = high;
      mostLow = low;
    }
  }
  const range = (mostHigh - leastHigh) * 0x100000000 + mostLow - leastLow + 1;
  // Exact where it matters, at small ranges; a range that the type does not hold leaves the smallest value at 0.
  if (range >= 2 ** (signed ? 63 : 64)) return 64;
  const view = new DataView(smallest.buffer, smallest.byteOffset, smallest.byteLength);
  view.setUint32(0, leastLow, true);
  view.setUint32(4, (leastHigh ^ flip) >>> 0, true);
  return bitsFor(range, { bytes: 8, signed });
}

/** Writes a window's values less the smallest, and returns how many bytes they took. */
function reduceWindow(
  part: Uint8Array,
  to: Uint8Array,
  element: Element,
  bits: number,
  smallest: Uint8Array,
): number {
  if (bits >= element.bytes * 8 || part.byteLength % element.bytes !== 0) {
    to.set(part);
    return part.byteLength;
  }
  const values = element.bytes === 8 ? viewAs(part, Int32Array) : viewAs(part, smallArrayOf(element));
  // The low halves are enough of 64-bit values: what is left fits in 32 bits.
  const step = element.bytes === 8 ? 2 : 1;
  const least = lowWord(smallest, element);
  const count = values.length / step;
  const width = bits / 8;
  const reduced = new (unsignedOf(width))(count);
  for (let i = 0; i < count; i++) reduced[i] = values[i * step]! - least;
  to.set(new Uint8Array(reduced.buffer));
  return count * width;
}

function restoreWindows(
  reader: ByteReader,
  windows: number,
  from: Uint8Array,
  to: Uint8Array,
  element: Element,
): void {
  let at = 0;
  let done = 0;
  for (let i = 0; i < windows; i++) {
    const smallest = reader.take(element.bytes, "window offset");
    const bits = reader.u8("bits of a window");
    const bytes = reader.u32("window length");
    const kept = bits >= element.bytes * 8 || bytes % element.bytes !== 0;
    if (!kept && bits !== 8 && bits !== 16 && bits !== 32) throw reader.error(`a window of ${bits} bits`);
    const stored = kept ? bytes : (bytes / element.bytes) * (bits / 8);
    if (stored > from.byteLength - at || bytes > to.byteLength - done) {
      throw reader.error(`a window of ${bytes} bytes at ${done}, ${to.byteLength - done} left`);
    }
    const part = from.subarray(at, at + stored);
    const target = to.subarray(done, done + bytes);
    if (kept) target.set(part);
    else restoreWindow(part, target, element, bits / 8, smallest);
    at += stored;
    done += bytes;
  }
  if (done !== to.byteLength || at !== from.byteLength) {
    throw reader.error(
      `windows of ${done} bytes from ${at}, expected ${to.byteLength} from ${from.byteLength}`,
    );
  }
}

function restoreWindow(
  part: Uint8Array,
  to: Uint8Array,
  element: Element,
  width: number,
  smallest: Uint8Array,
): void {
  const type = smallArrayOf({ bytes: width as 1 | 2 | 4, signed: element.signed });
  const reduced = viewAs(part, type);
  if (element.bytes === 8) {
    restore64(reduced, viewAs(to, Int32Array), viewAs(smallest, Int32Array));
    return;
  }
  const values = viewAs(to, smallArrayOf(element));
  const least = lowWord(smallest, element);
  for (let i = 0; i < reduced.length; i++) values[i] = reduced[i]! + least;
}

function restore64(reduced: SmallArray, out: Int32Array, smallest: Int32Array): void {
  const leastLow = smallest[0]! >>> 0;
  const leastHigh = smallest[1]!;
  for (let i = 0; i < reduced.length; i++) {
    const value = reduced[i]!;
    const sum = leastLow + (value >>> 0);
    out[i * 2] = sum;
    // A foreign file may hold negative values here; they extend as C++'s integers do.
    out[i * 2 + 1] = leastHigh + (value < 0 ? -1 : 0) + (sum > 0xffffffff ? 1 : 0);
  }
}

/** The value, of 64 bits its low half. */
function lowWord(smallest: Uint8Array, element: Element): number {
  const view = new DataView(smallest.buffer, smallest.byteOffset, smallest.byteLength);
  return element.bytes === 2 ? view.getInt16(0, true) : view.getInt32(0, true);
}

function unsignedOf(width: number): typeof Uint8Array | typeof Uint16Array | typeof Uint32Array {
  if (width === 1) return Uint8Array;
  return width === 2 ? Uint16Array : Uint32Array;
}
