/** Where a platform puts a CRC-32 that is faster than our own: apart from that, which few programs need. */

export type Crc32 = (bytes: Uint8Array, before?: number) => number;

let faster: Crc32 | undefined;

export function replaceCrc32(own: Crc32): void {
  faster = own;
}

export function fasterCrc32(): Crc32 | undefined {
  return faster;
}
