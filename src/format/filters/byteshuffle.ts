import { viewAs } from "../../util/typed-arrays.js";
import { datatypeInfo } from "../datatype.js";
import type { Filter } from "./filter.js";
import { readPartLengths, restOf, u32Bytes, withMetadata } from "./filter.js";

/**
 * Byteshuffle filter (code 9; format_spec/tile.md, "Byteshuffle Filter"): first byte of every value, then the
 * second of every value, and so on; bytes after the last whole value stay where they are. Its metadata: number of
 * parts (uint32), length of each (uint32).
 */
export const byteshuffle: Filter = {
  forward: (input, step) => {
    const data = new Uint8Array(input.data.byteLength);
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
  const words = wordsOf(from, to, width, count);
  if (words !== null) transpose(words.from, words.to, width / 4, count / 4, true);
  else shuffleBytes(from, to, width, count);
  to.set(from.subarray(count * width), count * width);
}

function unshuffle(from: Uint8Array, to: Uint8Array, width: number): void {
  const count = Math.floor(from.byteLength / width);
  if (width === 1) {
    to.set(from);
    return;
  }
  const words = wordsOf(from, to, width, count);
  if (words !== null) transpose(words.from, words.to, width / 4, count / 4, false);
  else unshuffleBytes(from, to, width, count);
  to.set(from.subarray(count * width), count * width);
}

function shuffleBytes(from: Uint8Array, to: Uint8Array, width: number, count: number): void {
  for (let byte = 0; byte < width; byte++) {
    const start = byte * count;
    for (let i = 0, at = byte; i < count; i++, at += width) to[start + i] = from[at]!;
  }
}

function unshuffleBytes(from: Uint8Array, to: Uint8Array, width: number, count: number): void {
  for (let byte = 0; byte < width; byte++) {
    const start = byte * count;
    for (let i = 0, at = byte; i < count; i++, at += width) to[at] = from[start + i]!;
  }
}

/** Both as 32-bit words, if values and the planes of their bytes are whole numbers of words. */
function wordsOf(
  from: Uint8Array,
  to: Uint8Array,
  width: number,
  count: number,
): { from: Int32Array; to: Int32Array } | null {
  if (width % 4 !== 0 || count % 4 !== 0 || to.byteOffset % 4 !== 0) return null;
  const bytes = count * width;
  return { from: viewAs(from.subarray(0, bytes), Int32Array), to: viewAs(to.subarray(0, bytes), Int32Array) };
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
