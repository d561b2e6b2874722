import { ArgumentError, ValueError } from "../../errors.js";
import { viewAs } from "../../util/typed-arrays.js";
import { ByteReader } from "../byte-reader.js";
import { type Element, type SmallArray, smallArrayOf } from "./element.js";
import type { Filter, FilterStep } from "./filter.js";
import { fillAligned, restOf, withMetadata } from "./filter.js";
import { windowBytes, windowElement } from "./windows.js";

/**
 * Positive delta filter (code 10; format_spec/tile.md, "Positive Delta Encoding Filter"): differences from value to
 * value, none of which may be negative, in windows. Its metadata:
 *
 * | field | type |
 * |---|---|
 * | number of windows | uint32 |
 * | of each: first value, bytes | value, uint32 |
 *
 * The first difference of a window is 0. A window that is no whole number of values is kept as it is.
 */
export const positiveDelta: Filter = {
  forward: (input, step) => {
    const element = windowElement(step);
    if (element === null) return input;
    const source = input.data.byteOffset % element.bytes === 0 ? input.data : input.data.slice();
    const size = source.byteLength;
    const window = windowBytes(size, maxWindow(step), element);
    const windows = size === 0 ? 0 : Math.ceil(size / window);
    const own = new Uint8Array(4 + windows * (element.bytes + 4));
    const view = new DataView(own.buffer);
    view.setUint32(0, windows, true);
    const data = new Uint8Array(size);
    for (let i = 0, at = 4; i < windows; i++, at += element.bytes + 4) {
      const start = i * window;
      const bytes = Math.min(window, size - start);
      own.set(source.subarray(start, Math.min(size, start + element.bytes)), at);
      view.setUint32(at + element.bytes, bytes, true);
      encodeWindow(source.subarray(start, start + bytes), data.subarray(start, start + bytes), element);
    }
    return { metadata: withMetadata(own, input.metadata), data };
  },
  reverse: (input, step, output) => {
    const element = windowElement(step);
    if (element === null) return input;
    const reader = new ByteReader(input.metadata, "positive_delta filter");
    const windows = reader.count("number of windows", 4, element.bytes + 4);
    const data = output.data(input.data.byteLength);
    fillAligned(data, element.bytes, (aligned) => {
      const source = input.data.byteOffset % element.bytes === 0 ? input.data : input.data.slice();
      let at = 0;
      for (let i = 0; i < windows; i++) {
        const first = reader.take(element.bytes, "window offset");
        const bytes = reader.u32("window length");
        if (bytes > source.byteLength - at) throw reader.error(`a window of ${bytes} bytes at ${at}`);
        decodeWindow(source.subarray(at, at + bytes), aligned.subarray(at, at + bytes), first, element);
        at += bytes;
      }
      if (at !== source.byteLength)
        throw reader.error(`windows of ${at} bytes, expected ${source.byteLength}`);
    });
    return { metadata: restOf(input.metadata, reader.offset), data };
  },
};

function maxWindow(step: FilterStep): number {
  if (!("maxWindow" in step.spec)) throw new ArgumentError("positive_delta filter: no window size");
  return step.spec.maxWindow;
}

function encodeWindow(from: Uint8Array, to: Uint8Array, element: Element): void {
  if (from.byteLength % element.bytes !== 0) {
    to.set(from);
    return;
  }
  if (element.bytes === 8) encode64(viewAs(from, Int32Array), viewAs(to, Int32Array), element.signed);
  else encode(viewAs(from, smallArrayOf(element)), viewAs(to, smallArrayOf(element)));
}

function encode(values: SmallArray, out: SmallArray): void {
  let previous = values[0]!;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value < previous) throw decreasing();
    out[i] = value - previous;
    previous = value;
  }
}

function encode64(values: Int32Array, out: Int32Array, signed: boolean): void {
  let low = values[0]! >>> 0;
  let high = signed ? values[1]! : values[1]! >>> 0;
  for (let i = 0; i < values.length; i += 2) {
    const nextLow = values[i]! >>> 0;
    const nextHigh = signed ? values[i + 1]! : values[i + 1]! >>> 0;
    if (nextHigh < high || (nextHigh === high && nextLow < low)) throw decreasing();
    out[i] = nextLow - low;
    out[i + 1] = nextHigh - high - (nextLow < low ? 1 : 0);
    low = nextLow;
    high = nextHigh;
  }
}

function decreasing(): ValueError {
  return new ValueError("positive_delta filter: a value is smaller than the one before it");
}

function decodeWindow(from: Uint8Array, to: Uint8Array, first: Uint8Array, element: Element): void {
  if (from.byteLength % element.bytes !== 0) {
    to.set(from);
    return;
  }
  if (element.bytes === 8) {
    decode64(viewAs(from, Int32Array), viewAs(to, Int32Array), viewAs(first, Int32Array));
    return;
  }
  const values = viewAs(to, smallArrayOf(element));
  const differences = viewAs(from, smallArrayOf(element));
  let value = viewAs(first, smallArrayOf(element))[0]! | 0;
  for (let i = 0; i < differences.length; i++) {
    value = (value + differences[i]!) | 0;
    values[i] = value;
  }
}

function decode64(differences: Int32Array, out: Int32Array, first: Int32Array): void {
  let low = first[0]! >>> 0;
  let high = first[1]!;
  for (let i = 0; i < differences.length; i += 2) {
    const sum = low + (differences[i]! >>> 0);
    low = sum >>> 0;
    high = (high + differences[i + 1]! + (sum > 0xffffffff ? 1 : 0)) | 0;
    out[i] = low;
    out[i + 1] = high;
  }
}
