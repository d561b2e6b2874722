import { concatBytes } from "../../util/typed-arrays.js";
import { datatypeInfo } from "../datatype.js";
import type { Filter } from "./filter.js";
import { readPartLengths, restOf, u32Bytes, withMetadata } from "./filter.js";

/**
 * Bitshuffle filter (code 8; format_spec/tile.md, "Bitshuffle Filter"): in blocks of 8,192 bytes, bit 0 of byte 0 of
 * every value, then bit 1, and so on. A chunk that is no multiple of 8 bytes is two parts, of which the second, the
 * last bytes, stays as it is; so does a part that is no whole number of values, and within a block the values after
 * the last whole group of eight. Its metadata: number of parts (uint32), length of each (uint32).
 */

const BLOCK = 8192;

export const bitshuffle: Filter = {
  forward: (input, step) => {
    const size = input.data.byteLength;
    const rest = size % 8;
    // No part without bytes: the official reader gives up on a part of length 0.
    const lengths = [size - rest, rest].filter((length) => length > 0);
    const data = new Uint8Array(size);
    shuffleParts(input.data, data, lengths, datatypeInfo(step.datatype).bytes, shuffleBlock);
    const own = concatBytes([u32Bytes(lengths.length), u32Bytes(...lengths)]);
    return { metadata: withMetadata(own, input.metadata), data };
  },
  reverse: (input, step, output) => {
    const lengths = readPartLengths("bitshuffle", input.metadata, input.data.byteLength);
    const data = output.data(input.data.byteLength);
    shuffleParts(input.data, data, lengths, datatypeInfo(step.datatype).bytes, unshuffleBlock);
    return { metadata: restOf(input.metadata, 4 + lengths.length * 4), data };
  },
};

type Block = (from: Uint8Array, to: Uint8Array, start: number, groups: number, width: number) => void;

function shuffleParts(
  from: Uint8Array,
  to: Uint8Array,
  lengths: Iterable<number>,
  width: number,
  block: Block,
): void {
  let at = 0;
  for (const length of lengths) {
    const end = at + length;
    if (length % width !== 0 || length % 8 !== 0) {
      to.set(from.subarray(at, end), at);
      at = end;
      continue;
    }
    for (; at < end; at = Math.min(end, at + BLOCK)) {
      const bytes = Math.min(BLOCK, end - at);
      const groups = Math.floor(bytes / width / 8);
      block(from, to, at, groups, width);
      to.set(from.subarray(at + groups * 8 * width, at + bytes), at + groups * 8 * width);
    }
  }
}

/** Transposes the bits of eight bytes at a time: byte `byte` of eight values gives a byte of each of eight rows. */
function shuffleBlock(from: Uint8Array, to: Uint8Array, start: number, groups: number, width: number): void {
  for (let byte = 0; byte < width; byte++) {
    const row = start + byte * 8 * groups;
    for (let group = 0, at = start + byte; group < groups; group++, at += 8 * width) {
      let low =
        from[at]! | (from[at + width]! << 8) | (from[at + 2 * width]! << 16) | (from[at + 3 * width]! << 24);
      let high =
        from[at + 4 * width]! |
        (from[at + 5 * width]! << 8) |
        (from[at + 6 * width]! << 16) |
        (from[at + 7 * width]! << 24);
      // The 8 x 8 bits as two halves: swap within 2 x 2, then 4 x 4, then the quarters.
      let t = (low ^ (low >>> 7)) & 0x00aa00aa;
      low ^= t ^ (t << 7);
      t = (high ^ (high >>> 7)) & 0x00aa00aa;
      high ^= t ^ (t << 7);
      t = (low ^ (low >>> 14)) & 0x0000cccc;
      low ^= t ^ (t << 14);
      t = (high ^ (high >>> 14)) & 0x0000cccc;
      high ^= t ^ (t << 14);
      t = (low ^ ((low >>> 28) | (high << 4))) & 0xf0f0f0f0;
      low ^= t ^ (t << 28);
      high ^= t >>> 4;
      const target = row + group;
      to[target] = low;
      to[target + groups] = low >>> 8;
      to[target + 2 * groups] = low >>> 16;
      to[target + 3 * groups] = low >>> 24;
      to[target + 4 * groups] = high;
      to[target + 5 * groups] = high >>> 8;
      to[target + 6 * groups] = high >>> 16;
      to[target + 7 * groups] = high >>> 24;
    }
  }
}

function unshuffleBlock(
  from: Uint8Array,
  to: Uint8Array,
  start: number,
  groups: number,
  width: number,
): void {
  for (let byte = 0; byte < width; byte++) {
    const row = start + byte * 8 * groups;
    for (let group = 0, at = start + byte; group < groups; group++, at += 8 * width) {
      const source = row + group;
      let low =
        from[source]! |
        (from[source + groups]! << 8) |
        (from[source + 2 * groups]! << 16) |
        (from[source + 3 * groups]! << 24);
      let high =
        from[source + 4 * groups]! |
        (from[source + 5 * groups]! << 8) |
        (from[source + 6 * groups]! << 16) |
        (from[source + 7 * groups]! << 24);
      // The same transposition as in shuffleBlock: it has two results, so a shared function would make an object for each.
      let t = (low ^ (low >>> 7)) & 0x00aa00aa;
      low ^= t ^ (t << 7);
      t = (high ^ (high >>> 7)) & 0x00aa00aa;
      high ^= t ^ (t << 7);
      t = (low ^ (low >>> 14)) & 0x0000cccc;
      low ^= t ^ (t << 14);
      t = (high ^ (high >>> 14)) & 0x0000cccc;
      high ^= t ^ (t << 14);
      t = (low ^ ((low >>> 28) | (high << 4))) & 0xf0f0f0f0;
      low ^= t ^ (t << 28);
      high ^= t >>> 4;
      to[at] = low;
      to[at + width] = low >>> 8;
      to[at + 2 * width] = low >>> 16;
      to[at + 3 * width] = low >>> 24;
      to[at + 4 * width] = high;
      to[at + 5 * width] = high >>> 8;
      to[at + 6 * width] = high >>> 16;
      to[at + 7 * width] = high >>> 24;
    }
  }
}
