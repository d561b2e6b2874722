import { huffmanCode } from "./huffman-code.js";
import { writeTree } from "./huffman-tree.js";

/**
 * Literals section of a block (RFC 8878, section 3.1.1.3.1): raw, one repeated byte, or Huffman-coded in one stream or,
 * from 256 bytes on, four, which decoders read side by side.
 */

const RAW = 0;
const REPEATED = 1;
const COMPRESSED = 2;
/** Fewer are not worth a tree. */
const MIN_COMPRESSED = 32;
const MIN_FOUR_STREAMS = 256;

const counts = new Uint32Array(256);

/** Writes the section at `at` and returns its end. There has to be room for literals.length * 11 / 8 + 200 bytes. */
export function writeLiterals(literals: Uint8Array, to: Uint8Array, at: number): number {
  if (literals.length < MIN_COMPRESSED) return writeRaw(literals, to, at);
  counts.fill(0);
  for (let i = 0; i < literals.length; i++) counts[literals[i]!]!++;
  if (counts[literals[0]!] === literals.length) return writeRepeated(literals, to, at);
  const end = writeCompressed(literals, to, at);
  return end - at < literals.length ? end : writeRaw(literals, to, at);
}

function writeRaw(literals: Uint8Array, to: Uint8Array, at: number): number {
  const start = writePlainHeader(RAW, literals.length, to, at);
  to.set(literals, start);
  return start + literals.length;
}

function writeRepeated(literals: Uint8Array, to: Uint8Array, at: number): number {
  const start = writePlainHeader(REPEATED, literals.length, to, at);
  to[start] = literals[0]!;
  return start + 1;
}

/** Type (2 bits), format of the size (1 or 2 bits), size (5, 12 or 20 bits). */
function writePlainHeader(type: number, size: number, to: Uint8Array, at: number): number {
  if (size < 32) {
    to[at] = type | (size << 3);
    return at + 1;
  }
  const wide = size >= 4096;
  const bits = type | ((wide ? 3 : 1) << 2) | (size << 4);
  to[at] = bits;
  to[at + 1] = bits >>> 8;
  if (wide) to[at + 2] = bits >>> 16;
  return at + (wide ? 3 : 2);
}

/** Type (2 bits), format (2), size and compressed size (10, 14 or 18 bits each); tree, sizes of streams, streams. */
function writeCompressed(literals: Uint8Array, to: Uint8Array, at: number): number {
  const size = literals.length;
  const single = size < MIN_FOUR_STREAMS;
  // The size of the section is not known before, but it is no larger than the literals where it is of use.
  const [format, width] = single ? [0, 10] : size < 1024 ? [1, 10] : size < 16384 ? [2, 14] : [3, 18];
  const start = at + ((4 + 2 * width) >> 3);
  const code = huffmanCode(counts);
  const treeBytes = writeTree(code, to, start);
  if (treeBytes === 0) return Number.POSITIVE_INFINITY;
  const from = start + treeBytes;
  const end = single
    ? encodeStream(literals, 0, size, code.codes, to, from)
    : writeStreams(literals, code.codes, to, from);
  if (end - start >= size) return Number.POSITIVE_INFINITY;
  const low = COMPRESSED | (format << 2) | (size << 4);
  // Both sizes do not fit 32 bits together.
  const high = (end - start) * 2 ** width + Math.floor(low / 16);
  to[at] = (low & 15) | ((high & 15) << 4);
  for (let i = at + 1, rest = Math.floor(high / 16); i < start; i++, rest = Math.floor(rest / 256))
    to[i] = rest;
  return end;
}

function writeStreams(literals: Uint8Array, codes: Int32Array, to: Uint8Array, at: number): number {
  const quarter = (literals.length + 3) >> 2;
  let next = at + 6;
  for (let stream = 0; stream < 4; stream++) {
    const from = stream * quarter;
    const end = encodeStream(literals, from, Math.min(from + quarter, literals.length), codes, to, next);
    if (stream < 3) {
      to[at + 2 * stream] = end - next;
      to[at + 2 * stream + 1] = (end - next) >>> 8;
    }
    next = end;
  }
  return next;
}

/** Codes of literals [start, end), the last first, and a bit that marks the end. Returns where the stream ends. */
function encodeStream(
  literals: Uint8Array,
  start: number,
  end: number,
  codes: Int32Array,
  to: Uint8Array,
  at: number,
): number {
  let pending = 0;
  let count = 0;
  let next = at;
  let i = end - 1;
  // Two codes and what is left of a byte are at most 29 bits.
  for (; i > start; i -= 2) {
    const first = codes[literals[i]!]!;
    pending |= (first & 0xffff) << count;
    count += first >>> 16;
    const second = codes[literals[i - 1]!]!;
    pending |= (second & 0xffff) << count;
    count += second >>> 16;
    to[next] = pending;
    to[next + 1] = pending >>> 8;
    to[next + 2] = pending >>> 16;
    next += count >>> 3;
    pending >>>= count & 24;
    count &= 7;
  }
  if (i === start) {
    const code = codes[literals[i]!]!;
    pending |= (code & 0xffff) << count;
    count += code >>> 16;
  }
  pending |= 1 << count;
  for (let left = count + 1; left > 0; left -= 8, pending >>>= 8) to[next++] = pending;
  return next;
}
