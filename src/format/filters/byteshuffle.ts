import { bytesOf, viewAs } from "../../util/typed-arrays.js";
import { datatypeInfo } from "../datatype.js";
import type { Filter } from "./filter.js";
import { memoryFor, readPartLengths, restOf, u32Bytes, withMetadata } from "./filter.js";

/**
 * Byteshuffle filter (code 9; format_spec/tile.md, "Byteshuffle Filter"): first byte of every value, then the
 * second of every value, and so on; bytes after the last whole value stay where they are. Its metadata: number of
 * parts (uint32), length of each (uint32).
 */
export const byteshuffle: Filter = {
  forward: (input, step) => {
    const data = memoryFor(step, input.data.byteLength);
    shuffle(input.data, data, datatypeInfo(step.datatype).bytes);
    // No part where there are no bytes: the official reader gives up on a part of length 0.
    const own = input.data.byteLength === 0 ? u32Bytes(0) : u32Bytes(1, input.data.byteLength);
    return { metadata: withMetadata(own, input.metadata), data };
  },
  reverse: (input, step, output) => {
    const lengths = readPartLengths("byteshuffle", input.metadata, input.data.byteLength);
    const data = output.data(input.data.byteLength);
    let at = 0;
    for (const length of lengths) {
      unshuffle(
        input.data.subarray(at, at + length),
        data.subarray(at, at + length),
        datatypeInfo(step.datatype).bytes,
      );
      at += length;
    }
    return { metadata: restOf(input.metadata, 4 + lengths.length * 4), data };
  },
};

function shuffle(from: Uint8Array, to: Uint8Array, width: number): void {
  const count = Math.floor(from.byteLength / width);
  if (width === 1) {
    to.set(from);
    return;
  }
  const groups = isByWords(width) ? count >>> 2 : 0;
  if (groups > 0) {
    const planes = scratchPlanes(groups * width);
    const values = viewAs(from.subarray(0, groups * 4 * width), Int32Array);
    if (width === 2) splitPairs(values, planes, groups);
    else transpose(values, planes, width / 4, groups, true);
    movePlanes(bytesOf(planes), to, width, groups * 4, count, false);
  }
  for (let byte = 0; byte < width; byte++) {
    const start = byte * count;
    for (let i = groups * 4; i < count; i++) to[start + i] = from[i * width + byte]!;
  }
  to.set(from.subarray(count * width), count * width);
}

function unshuffle(from: Uint8Array, to: Uint8Array, width: number): void {
  const count = Math.floor(from.byteLength / width);
  if (width === 1) {
    to.set(from);
    return;
  }
  const groups = isByWords(width) && to.byteOffset % 4 === 0 ? count >>> 2 : 0;
  if (groups > 0) {
    // Planes of values whose number is no multiple of four begin between words.
    const aligned = count % 4 === 0 && from.byteOffset % 4 === 0;
    const planes = aligned
      ? viewAs(from.subarray(0, count * width), Int32Array)
      : scratchPlanes(groups * width);
    if (!aligned) movePlanes(from, bytesOf(planes), width, groups * 4, count, true);
    const values = viewAs(to.subarray(0, groups * 4 * width), Int32Array);
    if (width === 2) joinPairs(planes, values, groups);
    else transpose(planes, values, width / 4, groups, false);
  }
  for (let byte = 0; byte < width; byte++) {
    const start = byte * count;
    for (let i = groups * 4; i < count; i++) to[i * width + byte] = from[start + i]!;
  }
  to.set(from.subarray(count * width), count * width);
}

/** Widths for which four values are moved at a time, as 32-bit words. */
function isByWords(width: number): boolean {
  return width === 2 || width % 4 === 0;
}

/** Planes up to this size are kept for the next chunk. */
const KEPT_WORDS = 1 << 18;
let kept = new Int32Array(0);

function scratchPlanes(words: number): Int32Array {
  if (words <= kept.length) return kept.subarray(0, words);
  const planes = new Int32Array(words);
  if (words <= KEPT_WORDS) kept = planes;
  return planes;
}

/** Copies the first `length` bytes of each plane, from planes of `count` bytes to planes of `length`, or back. */
function movePlanes(
  from: Uint8Array,
  to: Uint8Array,
  width: number,
  length: number,
  count: number,
  shrink: boolean,
): void {
  for (let byte = 0; byte < width; byte++) {
    const start = byte * (shrink ? count : length);
    to.set(from.subarray(start, start + length), byte * (shrink ? length : count));
  }
}

/** Four low bytes and four high bytes become four 16-bit values. */
function joinPairs(planes: Int32Array, values: Int32Array, groups: number): void {
  for (let i = 0; i < groups; i++) {
    const low = planes[i]!;
    const high = planes[groups + i]!;
    values[i * 2] = (low & 0xff) | ((high & 0xff) << 8) | ((low & 0xff00) << 8) | ((high & 0xff00) << 16);
    values[i * 2 + 1] =
      ((low >>> 16) & 0xff) | ((high >>> 8) & 0xff00) | ((low >>> 8) & 0xff0000) | (high & 0xff000000);
  }
}

function splitPairs(values: Int32Array, planes: Int32Array, groups: number): void {
  for (let i = 0; i < groups; i++) {
    const a = values[i * 2]!;
    const b = values[i * 2 + 1]!;
    planes[i] = (a & 0xff) | ((a >>> 8) & 0xff00) | ((b & 0xff) << 16) | ((b & 0xff0000) << 8);
    planes[groups + i] = ((a >>> 8) & 0xff) | ((a >>> 16) & 0xff00) | ((b & 0xff00) << 8) | (b & 0xff000000);
  }
}

/**
 * Transposes 4 x 4 bytes at a time, which is its own inverse: four neighbouring values' word `word` on one side, a word
 * of each of four planes on the other.
 */
function transpose(from: Int32Array, to: Int32Array, step: number, groups: number, forward: boolean): void {
  for (let word = 0; word < step; word++) {
    const plane = word * 4 * groups;
    const [fromStart, fromNext, fromGroup] = forward ? [word, step, step * 4] : [plane, groups, 1];
    const [toStart, toNext, toGroup] = forward ? [plane, groups, 1] : [word, step, step * 4];
    for (
      let i = 0, source = fromStart, target = toStart;
      i < groups;
      i++, source += fromGroup, target += toGroup
    ) {
      const a = from[source]!;
      const b = from[source + fromNext]!;
      const c = from[source + 2 * fromNext]!;
      const d = from[source + 3 * fromNext]!;
      to[target] = (a & 0xff) | ((b & 0xff) << 8) | ((c & 0xff) << 16) | (d << 24);
      to[target + toNext] = ((a >>> 8) & 0xff) | (b & 0xff00) | ((c & 0xff00) << 8) | ((d & 0xff00) << 16);
      to[target + 2 * toNext] =
        ((a >>> 16) & 0xff) | ((b >>> 8) & 0xff00) | (c & 0xff0000) | ((d & 0xff0000) << 8);
      to[target + 3 * toNext] =
        (a >>> 24) | ((b >>> 16) & 0xff00) | ((c >>> 8) & 0xff0000) | (d & 0xff000000);
    }
  }
}
