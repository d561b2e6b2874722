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
    const own = u32Bytes(1, input.data.byteLength);
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
  if (width === 1) {
    to.set(from);
    return;
  }
  const count = Math.floor(from.byteLength / width);
  for (let byte = 0; byte < width; byte++) {
    const start = byte * count;
    for (let i = 0, at = byte; i < count; i++, at += width) to[start + i] = from[at]!;
  }
  to.set(from.subarray(count * width), count * width);
}

function unshuffle(from: Uint8Array, to: Uint8Array, width: number): void {
  const count = Math.floor(from.byteLength / width);
  if (width === 1) {
    to.set(from);
    return;
  }
  if (width % 4 === 0 && to.byteOffset % 4 === 0) unshuffleWords(from, to, width, count);
  else unshuffleBytes(from, to, width, count);
  to.set(from.subarray(count * width), count * width);
}

function unshuffleBytes(from: Uint8Array, to: Uint8Array, width: number, count: number): void {
  for (let byte = 0; byte < width; byte++) {
    const start = byte * count;
    for (let i = 0, at = byte; i < count; i++, at += width) to[at] = from[start + i]!;
  }
}

/** Of values of 4 or 8 bytes: a 32-bit store per four bytes. */
function unshuffleWords(from: Uint8Array, to: Uint8Array, width: number, count: number): void {
  const step = width / 4;
  const words = new Int32Array(to.buffer, to.byteOffset, count * step);
  for (let word = 0; word < step; word++) {
    const first = from.subarray(word * 4 * count);
    const second = first.subarray(count);
    const third = second.subarray(count);
    const fourth = third.subarray(count);
    for (let i = 0, at = word; i < count; i++, at += step) {
      words[at] = first[i]! | (second[i]! << 8) | (third[i]! << 16) | (fourth[i]! << 24);
    }
  }
}
