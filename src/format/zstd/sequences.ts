import { BitWriter } from "./bit-writer.js";
import { FseEncoder, FseTable } from "./fse-encoder.js";

/**
 * Sequences section of a block (RFC 8878, section 3.1.1.3.2) whose matches all repeat the byte before them: offset 1,
 * which is the first of the recent offsets from the start and stays it, as long as each match has a literal before it.
 */

/** Pairs of numbers: literals before a match, bytes of the match (at least 3). */
export interface Runs {
  readonly literals: Uint32Array;
  readonly lengths: Uint32Array;
  readonly count: number;
}

// Distributions that need no description (section 3.1.1.3.2.2), of 2^6 each, offsets 2^5.
export const LITERALS = encoderOf([
  4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1,
  -1,
]);
export const MATCHES = encoderOf([
  1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
  1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1,
]);
export const OFFSETS = encoderOf(
  [1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1],
  5,
);

function encoderOf(distribution: readonly number[], log = 6): FseEncoder {
  return new FseEncoder(new FseTable().build(distribution, log));
}

/** How lengths become a code and further bits (sections 3.1.1.3.2.1.1.1 and .2): the smallest length of each code. */
class LengthCodes {
  readonly #starts: readonly number[];
  readonly #plain: number;
  readonly #plainEnd: number;

  /** @param first the least length; each of the first `plain` codes stands for one length */
  constructor(first: number, plain: number, bits: readonly number[]) {
    this.#plain = first;
    this.#plainEnd = first + plain;
    const starts: number[] = [];
    for (let code = 0; code < plain; code++) starts.push(first + code);
    let next = first + plain;
    for (const count of bits) {
      starts.push(next);
      next += 2 ** count;
    }
    this.#starts = starts;
  }

  code(length: number): number {
    if (length < this.#plainEnd) return length - this.#plain;
    let code = this.#starts.length - 1;
    while (this.#starts[code]! > length) code--;
    return code;
  }

  /** Writes what the code leaves open. */
  rest(length: number, code: number, to: BitWriter): void {
    const start = this.#starts[code]!;
    const end = this.#starts[code + 1] ?? start + 65536;
    if (end - start > 1) to.add(length - start, 31 - Math.clz32(end - start));
  }
}

export const literalCodes = new LengthCodes(
  0,
  16,
  [1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
);
export const matchCodes = new LengthCodes(
  3,
  32,
  [1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
);

/** Offsets by one code, the others by the distributions above. */
const MODES = 1 << 4;

/** Writes the section at `at` and returns its end. There has to be room for 8 bytes a run and 16. */
export function writeSequences(runs: Runs, to: Uint8Array, at: number): number {
  const { count, literals, lengths } = runs;
  let next = writeCount(count, to, at);
  if (count === 0) return next;
  to[next++] = MODES;
  to[next++] = 0;
  const bits = new BitWriter(to, next);
  for (let i = count - 1; i >= 0; i--) {
    const [before, length] = [literals[i]!, lengths[i]!];
    const [literalCode, matchCode] = [literalCodes.code(before), matchCodes.code(length)];
    if (i === count - 1) {
      MATCHES.start(matchCode);
      LITERALS.start(literalCode);
    } else {
      MATCHES.encode(matchCode, bits);
      LITERALS.encode(literalCode, bits);
    }
    literalCodes.rest(before, literalCode, bits);
    matchCodes.rest(length, matchCode, bits);
  }
  MATCHES.end(bits);
  LITERALS.end(bits);
  return next + bits.close();
}

export function writeCount(count: number, to: Uint8Array, at: number): number {
  if (count < 128) {
    to[at] = count;
    return at + 1;
  }
  if (count < 0x7f00) {
    to[at] = (count >> 8) + 128;
    to[at + 1] = count;
    return at + 2;
  }
  to[at] = 255;
  to[at + 1] = count - 0x7f00;
  to[at + 2] = (count - 0x7f00) >> 8;
  return at + 3;
}
