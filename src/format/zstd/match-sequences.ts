import { BitWriter } from "./bit-writer.js";
import type { Matches } from "./find-matches.js";
import { LITERALS, literalCodes, MATCHES, matchCodes, OFFSETS, writeCount } from "./sequences.js";

/**
 * Sequences section of a block (RFC 8878, section 3.1.1.3.2) with matches from anywhere, by the distributions that need
 * no description. An offset is written as 3 more, or as 1 to 3 where it is one of the last three.
 */

/** The last three offsets of a frame, as they are before its first block. */
export const FIRST_OFFSETS: readonly number[] = [1, 4, 8];

/** Values that the offsets of one block are written as. */
let values = new Uint32Array(0);

/**
 * Writes the section at `at` and returns its end. There has to be room for 12 bytes a match and 16.
 *
 * @param recent the frame's last three offsets, which this changes
 */
export function writeMatches(found: Matches, recent: number[], to: Uint8Array, at: number): number {
  const { count, literals, lengths } = found;
  const next = writeCount(count, to, at);
  if (count === 0) return next;
  codeOffsets(found, recent);
  // Literals, offsets, matches: all by known distributions.
  to[next] = 0;
  const bits = new BitWriter(to, next + 1);
  for (let k = count - 1; k >= 0; k--) {
    const literalCode = literalCodes.code(literals[k]!);
    const matchCode = matchCodes.code(lengths[k]!);
    const offsetCode = 31 - Math.clz32(values[k]!);
    if (k === count - 1) {
      MATCHES.start(matchCode);
      OFFSETS.start(offsetCode);
      LITERALS.start(literalCode);
    } else {
      OFFSETS.encode(offsetCode, bits);
      MATCHES.encode(matchCode, bits);
      LITERALS.encode(literalCode, bits);
    }
    literalCodes.rest(literals[k]!, literalCode, bits);
    matchCodes.rest(lengths[k]!, matchCode, bits);
    addLong(values[k]! - 2 ** offsetCode, offsetCode, bits);
  }
  MATCHES.end(bits);
  OFFSETS.end(bits);
  LITERALS.end(bits);
  return next + 1 + bits.close();
}

function addLong(value: number, count: number, bits: BitWriter): void {
  if (count <= 16) {
    bits.add(value, count);
    return;
  }
  bits.add(value & 0xffff, 16);
  bits.add(value >>> 16, count - 16);
}

/**
 * Codes 1 to 3 stand for the last three offsets; without literals before the match for the second, the third, and the
 * first less 1. Whichever it is comes to the front.
 */
function codeOffsets({ count, literals, offsets }: Matches, recent: number[]): void {
  if (values.length < count) values = new Uint32Array(count);
  for (let k = 0; k < count; k++) {
    const offset = offsets[k]!;
    const [first, second, third] = recent as [number, number, number];
    const follows = literals[k] === 0;
    const which = (follows ? [second, third, first - 1] : [first, second, third]).indexOf(offset);
    values[k] = which < 0 ? offset + 3 : which + 1;
    const place = which < 0 ? 3 : which + (follows ? 1 : 0);
    if (place === 0) continue;
    if (place > 1) recent[2] = second;
    recent[1] = first;
    recent[0] = offset;
  }
}
