/** Huffman codes of bytes for Zstandard's literals (RFC 8878, section 4.2). */

/** Bits of a code at most. */
export const MAX_BITS = 11;

export interface HuffmanCode {
  /** Bits of each byte's code, 0 for bytes that do not occur. */
  readonly lengths: Uint8Array;
  /** Code and, from bit 16 on, its length, of each byte that occurs. */
  readonly codes: Int32Array;
  /** Bits of the longest code. */
  readonly longest: number;
  /** Largest byte that occurs. */
  readonly last: number;
}

// Memory of all calls: a code is made for every few thousand bytes, and small arrays cost more than what is done in them.
const lengths = new Uint8Array(256);
const codes = new Int32Array(256);
const keys = new Uint32Array(256);
const weights = new Float64Array(511);
const parents = new Uint16Array(511);
const depths = new Uint8Array(511);
const next = new Uint32Array(MAX_BITS + 2);

/** A complete code for bytes that occur so often; at least two of them have to. Good until the next call. */
export function huffmanCode(counts: Uint32Array): HuffmanCode {
  const symbols = occurring(counts);
  lengths.fill(0);
  codeLengths(symbols, counts);
  limitLengths(symbols);
  let longest = 0;
  let last = 0;
  for (let byte = 0; byte < 256; byte++) {
    if (lengths[byte] === 0) continue;
    last = byte;
    if (lengths[byte]! > longest) longest = lengths[byte]!;
  }
  assignCodes(longest);
  return { lengths, codes, longest, last };
}

/** Bytes that occur, the rarest first. */
function occurring(counts: Uint32Array): Uint32Array {
  // Sorted as numbers: count, then byte. Counts are below 2^17 here.
  let found = 0;
  for (let byte = 0; byte < 256; byte++) if (counts[byte]! > 0) keys[found++] = counts[byte]! * 256 + byte;
  const sorted = keys.subarray(0, found).sort();
  for (let at = 0; at < found; at++) sorted[at] = sorted[at]! & 255;
  return sorted;
}

/** Depths in Huffman's tree: leaves and inner nodes both come rarest first, so two queues do. */
function codeLengths(symbols: Uint32Array, counts: Uint32Array): void {
  const leaves = symbols.length;
  const nodes = 2 * leaves - 1;
  weights.fill(0, leaves, nodes);
  for (let at = 0; at < leaves; at++) weights[at] = counts[symbols[at]!]!;
  let leaf = 0;
  let inner = leaves;
  for (let node = leaves; node < nodes; node++) {
    for (let child = 0; child < 2; child++) {
      const takesLeaf = leaf < leaves && (inner === node || weights[leaf]! <= weights[inner]!);
      const taken = takesLeaf ? leaf++ : inner++;
      weights[node] = weights[node]! + weights[taken]!;
      parents[taken] = node;
    }
  }
  depths[nodes - 1] = 0;
  for (let node = nodes - 2; node >= 0; node--) depths[node] = depths[parents[node]!]! + 1;
  for (let at = 0; at < leaves; at++) lengths[symbols[at]!] = depths[at]!;
}

/** Cuts codes to MAX_BITS and keeps the code complete: what the cut takes too much, the rarest others give. */
function limitLengths(symbols: Uint32Array): void {
  const share = (length: number) => 1 << (MAX_BITS - length);
  let free = 1 << MAX_BITS;
  for (const byte of symbols) {
    if (lengths[byte]! > MAX_BITS) lengths[byte] = MAX_BITS;
    free -= share(lengths[byte]!);
  }
  if (free === 0) return;
  for (let at = 0; free < 0; at = (at + 1) % symbols.length) {
    const byte = symbols[at]!;
    while (free < 0 && lengths[byte]! < MAX_BITS) {
      lengths[byte] = lengths[byte]! + 1;
      free += share(lengths[byte]!);
    }
  }
  for (let at = symbols.length - 1; free > 0; at = (at === 0 ? symbols.length : at) - 1) {
    const byte = symbols[at]!;
    while (lengths[byte]! > 1 && share(lengths[byte]!) <= free) {
      free -= share(lengths[byte]!);
      lengths[byte] = lengths[byte]! - 1;
    }
  }
}

/** Codes ascend from the longest to the shortest, bytes of one length in their order. */
function assignCodes(longest: number): void {
  next.fill(0);
  for (const length of lengths) next[length]!++;
  next[0] = 0;
  for (let length = longest, first = 0; length > 0; length--) {
    const count = next[length]!;
    next[length] = first;
    first = (first + count) >>> 1;
  }
  for (let byte = 0; byte < 256; byte++) {
    const length = lengths[byte]!;
    if (length > 0) codes[byte] = next[length]!++ | (length << 16);
  }
}
