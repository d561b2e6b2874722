import { ArgumentError } from "../../errors.js";
import { viewAs } from "../../util/typed-arrays.js";
import { type Datatype, datatypeInfo } from "../datatype.js";
import { badPart } from "./compression.js";
import { type Element, integerOf, type SmallArray, smallArrayOf } from "./element.js";
import type { Compress, Decompress, FilterStep } from "./filter.js";
import { fillAligned, memoryFor } from "./filter.js";

/**
 * Delta filter (code 19; format_spec/filters/delta.md). A part becomes
 *
 * | field | type |
 * |---|---|
 * | number of values | uint64 |
 * | first value | value |
 * | of each other: its difference from the one before, modulo the type's range | value |
 */

const HEADER = 8;

export const compressDelta: Compress = (part, step) => {
  const element = deltaElement(step);
  const count = countValues(part, element, step);
  const out = memoryFor(step, HEADER + part.byteLength);
  writeCount(out, 0, count);
  if (element.bytes === 8) deltas64(viewAs(part, Int32Array), new Int32Array(out.buffer, HEADER, count * 2));
  else deltas(viewAs(part, smallArrayOf(element)), new (smallArrayOf(element))(out.buffer, HEADER, count));
  return out;
};

export const decompressDelta: Decompress = (part, out, step) => {
  const element = deltaElement(step);
  const values = part.subarray(HEADER, HEADER + out.byteLength);
  const rest = part.byteLength - HEADER - out.byteLength;
  // Core 2.16 (format 19) writes one difference too many, and no reader minds.
  const surplus = step.version < 21 ? element.bytes : 0;
  if (part.byteLength < HEADER || (rest !== 0 && rest !== surplus)) {
    throw badPart("delta", part, out, `expected ${HEADER + out.byteLength}`);
  }
  if (out.byteLength % element.bytes !== 0 || readCount(part, 0) !== out.byteLength / element.bytes) {
    throw badPart("delta", part, out, `it says ${readCount(part, 0)} values of ${element.bytes} bytes`);
  }
  fillAligned(out, element.bytes, (aligned) => {
    if (element.bytes === 8) sums64(viewAs(values, Int32Array), viewAs(aligned, Int32Array));
    else sums(viewAs(values, smallArrayOf(element)), viewAs(aligned, smallArrayOf(element)));
  });
};

/** The integer type whose differences are taken. Text is taken byte by byte, whatever its code unit. */
export function deltaElement(step: FilterStep): Element {
  const set = "reinterpret" in step.spec ? step.spec.reinterpret : undefined;
  const datatype: Datatype = set ?? step.datatype;
  return integerOf(datatype) ?? { bytes: 1, signed: datatypeInfo(datatype).kind === "char" };
}

/** Values of a part. The official library cannot take a part that is no whole number of values, nor an empty one. */
export function countValues(part: Uint8Array, element: Element, step: FilterStep): number {
  const count = part.byteLength / element.bytes;
  if (count > 0 && Number.isInteger(count)) return count;
  throw new ArgumentError(
    `${step.spec.type} filter: ${part.byteLength} bytes are not values of ${element.bytes}; put it first in the pipeline`,
  );
}

export function writeCount(out: Uint8Array, at: number, count: number): void {
  const view = new DataView(out.buffer, out.byteOffset + at, 8);
  view.setUint32(0, count % 0x100000000, true);
  view.setUint32(4, Math.floor(count / 0x100000000), true);
}

export function readCount(part: Uint8Array, at: number): number {
  const view = new DataView(part.buffer, part.byteOffset + at, 8);
  return view.getUint32(4, true) * 0x100000000 + view.getUint32(0, true);
}

function deltas(values: SmallArray, out: SmallArray): void {
  let previous = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    out[i] = value - previous;
    previous = value;
  }
}

function sums(differences: SmallArray, out: SmallArray): void {
  let value = 0;
  for (let i = 0; i < differences.length; i++) {
    value = (value + differences[i]!) | 0;
    out[i] = value;
  }
}

/** Of 64-bit values by their low and high halves. */
function deltas64(values: Int32Array, out: Int32Array): void {
  let low = 0;
  let high = 0;
  for (let i = 0; i < values.length; i += 2) {
    const nextLow = values[i]! >>> 0;
    const nextHigh = values[i + 1]!;
    out[i] = nextLow - low;
    out[i + 1] = nextHigh - high - (nextLow < low ? 1 : 0);
    low = nextLow;
    high = nextHigh;
  }
}

function sums64(differences: Int32Array, out: Int32Array): void {
  let low = 0;
  let high = 0;
  for (let i = 0; i < differences.length; i += 2) {
    const sum = low + (differences[i]! >>> 0);
    low = sum >>> 0;
    high = (high + differences[i + 1]! + (sum > 0xffffffff ? 1 : 0)) | 0;
    out[i] = low;
    out[i + 1] = high;
  }
}
