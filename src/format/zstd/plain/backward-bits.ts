/**
 * Bits of a stream that is read backwards (RFC 8878, section 4.1): the last byte's highest 1 marks the end. Streams lie
 * in memory with PADDING readable bytes behind them. A place in a stream is the number of bits that are left before it.
 */

/** Bytes behind the input that may be read. */
export const PADDING = 8;

/** What any part of the decoder throws where a frame is corrupt; whoever called the decoder says which. */
export class CorruptFrame extends Error {
  constructor() {
    super("corrupt frame");
  }
}

/** Bits of the stream between `start` and `end` (bytes), without its mark. */
export function markedBits(bytes: Uint8Array, start: number, end: number): number {
  const last = end > start ? bytes[end - 1]! : 0;
  if (last === 0) throw new CorruptFrame();
  return (end - start - 1) * 8 + 31 - Math.clz32(last);
}

/** The `count` bits (up to 25) below place `end` of the stream at `start`; zeros where they lie before it. */
export function bitsBelow(bytes: Uint8Array, start: number, end: number, count: number): number {
  const first = end - count;
  if (first < 0) return end <= 0 ? 0 : bitsBelow(bytes, start, end, end) << -first;
  const at = start + (first >> 3);
  const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
  return (word >>> (first & 7)) & ((1 << count) - 1);
}
