/** Comparison of two runs of bytes, unsigned, the shorter first where one begins the other. */
export function compareBytes(
  a: Uint8Array,
  startA: number,
  endA: number,
  b: Uint8Array,
  startB: number,
  endB: number,
): number {
  const shorter = Math.min(endA - startA, endB - startB);
  for (let i = 0; i < shorter; i++) {
    const difference = a[startA + i]! - b[startB + i]!;
    if (difference !== 0) return difference;
  }
  return endA - startA - (endB - startB);
}
