import { badPart } from "./compression.js";
import type { Compress, Decompress } from "./filter.js";

/**
 * LZ4 filter (code 3): a raw LZ4 block per part, without the frame and without a size in front. A block is a row of
 * sequences: token (high half literal count, low half match length - 4, 15 meaning that more length bytes follow),
 * literals, match offset (uint16). The last sequence has literals only.
 */

const MIN_MATCH = 4;
/** A match may not start in the last 12 bytes, nor reach into the last 5. */
const MATCH_LIMIT = 12;
const LAST_LITERALS = 5;
const MAX_DISTANCE = 65535;
const HASH_BITS = 14;

export const decompressLz4: Decompress = (part, out) => {
  const from = part.byteLength;
  const size = out.byteLength;
  let at = 0;
  let to = 0;
  while (at < from) {
    const token = part[at++]!;
    let literals = token >> 4;
    if (literals === 15) {
      let more: number;
      do {
        if (at >= from) throw badPart("lz4", part, out, "cut in a length");
        more = part[at++]!;
        literals += more;
      } while (more === 255);
    }
    if (literals > from - at || literals > size - to) throw badPart("lz4", part, out, "too many literals");
    if (literals > 32) {
      out.set(part.subarray(at, at + literals), to);
      at += literals;
      to += literals;
    } else {
      for (const end = at + literals; at < end; ) out[to++] = part[at++]!;
    }
    if (at === from) {
      if (to !== size) break;
      return;
    }
    if (from - at < 2) throw badPart("lz4", part, out, "cut in an offset");
    const distance = part[at]! | (part[at + 1]! << 8);
    at += 2;
    if (distance === 0 || distance > to) throw badPart("lz4", part, out, `a match ${distance} bytes back`);
    let length = token & 15;
    if (length === 15) {
      let more: number;
      do {
        if (at >= from) throw badPart("lz4", part, out, "cut in a length");
        more = part[at++]!;
        length += more;
      } while (more === 255);
    }
    length += MIN_MATCH;
    if (length > size - to) throw badPart("lz4", part, out, "a match beyond the end");
    to = copyMatch(out, to, distance, length);
  }
  throw badPart("lz4", part, out, `it gives ${to}`);
};

/** Copies what stands `distance` bytes back, which may overlap what is being written. */
function copyMatch(out: Uint8Array, to: number, distance: number, length: number): number {
  const source = to - distance;
  const end = to + length;
  if (length > 32 && distance >= length) {
    out.copyWithin(to, source, source + length);
    return end;
  }
  for (let from = source; to < end; ) out[to++] = out[from++]!;
  return end;
}

export const compressLz4: Compress = (part) => {
  const size = part.byteLength;
  const writer = new BlockWriter(part);
  // Position + 1 where four bytes of that hash were last seen.
  const table = new Int32Array(1 << HASH_BITS);
  const limit = size - MATCH_LIMIT;
  const matchEnd = size - LAST_LITERALS;
  let anchor = 0;
  let at = 0;
  // Where nothing matches, steps grow, so that incompressible bytes are passed over quickly.
  let misses = 0;
  while (at <= limit) {
    const word = part[at]! | (part[at + 1]! << 8) | (part[at + 2]! << 16) | (part[at + 3]! << 24);
    const hash = Math.imul(word, 0x9e3779b1) >>> (32 - HASH_BITS);
    const seen = table[hash]! - 1;
    table[hash] = at + 1;
    if (seen < 0 || at - seen > MAX_DISTANCE || !sameWord(part, seen, word)) {
      at += 1 + (misses++ >> 6);
      continue;
    }
    misses = 0;
    let end = at + MIN_MATCH;
    for (let from = seen + MIN_MATCH; end < matchEnd && part[from] === part[end]; from++) end++;
    writer.sequence(anchor, at, at - seen, end - at);
    at = end;
    anchor = end;
  }
  return writer.finish(anchor);
};

function sameWord(part: Uint8Array, at: number, word: number): boolean {
  return (part[at]! | (part[at + 1]! << 8) | (part[at + 2]! << 16) | (part[at + 3]! << 24)) === word;
}

class BlockWriter {
  readonly #part: Uint8Array;
  readonly #out: Uint8Array;
  #to = 0;

  constructor(part: Uint8Array) {
    this.#part = part;
    // Literals alone take a length byte per 255.
    this.#out = new Uint8Array(part.byteLength + Math.ceil(part.byteLength / 255) + 16);
  }

  sequence(anchor: number, at: number, distance: number, length: number): void {
    this.#literals(anchor, at, Math.min(15, length - MIN_MATCH));
    this.#out[this.#to++] = distance & 255;
    this.#out[this.#to++] = distance >> 8;
    if (length - MIN_MATCH >= 15) this.#length(length - MIN_MATCH - 15);
  }

  finish(anchor: number): Uint8Array {
    this.#literals(anchor, this.#part.byteLength, 0);
    return this.#out.subarray(0, this.#to);
  }

  #literals(start: number, end: number, low: number): void {
    const count = end - start;
    this.#out[this.#to++] = (Math.min(15, count) << 4) | low;
    if (count >= 15) this.#length(count - 15);
    this.#out.set(this.#part.subarray(start, end), this.#to);
    this.#to += count;
  }

  #length(rest: number): void {
    let left = rest;
    for (; left >= 255; left -= 255) this.#out[this.#to++] = 255;
    this.#out[this.#to++] = left;
  }
}
