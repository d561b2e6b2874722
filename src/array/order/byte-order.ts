/** Comparison of two runs of bytes, unsigned, the shorter first where one begins the other. */
export function compareBytes(
  a: Uint8Array,
  startA: number,
  endA: number,
  b: Uint8Array,
  startB: number,
  endB: number,
): number {
  return compare(a, startA, endA, b, startB, endB, 0);
}

/**
 * The same with bytes from 128 on below the others: cells of text dimensions are stored so, since the official library
 * compares its `char`, which is signed on x86. Bounds of tiles and ranges compare unsigned bytes.
 */
export function compareSignedBytes(
  a: Uint8Array,
  startA: number,
  endA: number,
  b: Uint8Array,
  startB: number,
  endB: number,
): number {
  return compare(a, startA, endA, b, startB, endB, 0x80);
}

/** @param flip bits of each byte that are turned round before they are compared */
function compare(
  a: Uint8Array,
  startA: number,
  endA: number,
  b: Uint8Array,
  startB: number,
  endB: number,
  flip: number,
): number {
  const shorter = Math.min(endA - startA, endB - startB);
  for (let i = 0; i < shorter; i++) {
    const difference = (a[startA + i]! ^ flip) - (b[startB + i]! ^ flip);
    if (difference !== 0) return difference;
  }
  return endA - startA - (endB - startB);
}
