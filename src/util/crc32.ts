import { fasterCrc32 } from "./faster-crc32.js";

/** CRC-32 as zip files and gzip have it (polynomial 0xEDB88320, reflected), eight bytes a step. */

let tables: readonly Uint32Array[] | undefined;

function makeTables(): Uint32Array[] {
  const made = Array.from({ length: 8 }, () => new Uint32Array(256));
  const first = made[0]!;
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    first[byte] = crc;
  }
  for (let at = 1; at < 8; at++) {
    const before = made[at - 1]!;
    for (let byte = 0; byte < 256; byte++) {
      made[at]![byte] = first[before[byte]! & 0xff]! ^ (before[byte]! >>> 8);
    }
  }
  return made;
}

/** The sum of `bytes`, or of what `before` is the sum of followed by them. */
export function crc32(bytes: Uint8Array, before = 0): number {
  return (fasterCrc32() ?? sumOf)(bytes, before);
}

function sumOf(bytes: Uint8Array, before = 0): number {
  tables ??= makeTables();
  const [T0, T1, T2, T3, T4, T5, T6, T7] = tables as [
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
  ];
  let crc = ~before;
  let at = 0;
  for (const end = bytes.byteLength - 7; at < end; at += 8) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    crc =
      T7[crc & 0xff]! ^
      T6[(crc >>> 8) & 0xff]! ^
      T5[(crc >>> 16) & 0xff]! ^
      T4[crc >>> 24]! ^
      T3[bytes[at + 4]!]! ^
      T2[bytes[at + 5]!]! ^
      T1[bytes[at + 6]!]! ^
      T0[bytes[at + 7]!]!;
  }
  for (; at < bytes.byteLength; at++) crc = T0[(crc ^ bytes[at]!) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}
