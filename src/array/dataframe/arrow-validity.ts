/** Which cells are there, as Arrow keeps it: a bit per cell, lowest first, 1 for valid. */

/** The package, which is loaded at the first use. */
export type ArrowModule = typeof import("apache-arrow");

export interface Validity {
  readonly nullCount: number;
  readonly nullBitmap?: Uint8Array;
}

/** From a byte per cell (all valid where there is none), and cells that are null besides. */
export function arrowValidity(
  count: number,
  validity: Uint8Array | undefined,
  nulls: readonly number[] = [],
): Validity {
  if (validity === undefined && nulls.length === 0) return { nullCount: 0 };
  const nullBitmap = validity === undefined ? packBits(new Uint8Array(count).fill(1)) : packBits(validity);
  for (const cell of nulls) nullBitmap[cell >> 3]! &= ~(1 << (cell & 7));
  let nullCount = count;
  for (const byte of nullBitmap) nullCount -= bitsOf(byte);
  return nullCount === 0 ? { nullCount } : { nullCount, nullBitmap };
}

/** A bit per byte, set where the byte is not 0. */
export function packBits(bytes: Uint8Array): Uint8Array {
  const bits = new Uint8Array(Math.ceil(bytes.length / 8));
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] !== 0) bits[i >> 3]! |= 1 << (i & 7);
  }
  return bits;
}

function bitsOf(byte: number): number {
  let left = byte;
  let count = 0;
  for (; left !== 0; left &= left - 1) count++;
  return count;
}
