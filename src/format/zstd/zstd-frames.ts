import { LimitError } from "../../errors.js";
import { badPart } from "../filters/compression.js";

/** Zstandard's framing (RFC 8878), read without decompressing. */

/** What a decoder's WebAssembly memory is trusted with at a time. */
const MAX_PART = 1 << 29;

/** A frame of a part. */
export interface ZstdFrame {
  readonly bytes: Uint8Array;
  /** Bytes that it decompresses to, or null if it does not say. */
  readonly size: number | null;
}

/**
 * The frames of a part, by their headers and those of their blocks, which have to fill the part. Their sizes are
 * compared with what is expected before any memory is taken for what a corrupt frame claims.
 */
export function zstdFrames(part: Uint8Array, out: Uint8Array): ZstdFrame[] {
  if (out.byteLength > MAX_PART) throw new LimitError(`zstd filter: a part of ${out.byteLength} bytes`);
  const frames: ZstdFrame[] = [];
  let total: number | null = 0;
  for (let at = 0; at < part.byteLength || at === 0; ) {
    const { end, size } = frameAt(part, at, out);
    frames.push({ bytes: part.subarray(at, end), size });
    total = size === null || total === null ? null : total + size;
    at = end;
  }
  if (total !== null && total !== out.byteLength) throw badPart("zstd", part, out, `it gives ${total}`);
  return frames;
}

/**
 * Frame: magic number (4 bytes), descriptor, window (1 byte, unless a single segment), dictionary (0, 1, 2 or 4),
 * content size (0, 1, 2, 4 or 8), blocks, checksum (4 bytes, where the descriptor says so).
 */
function frameAt(part: Uint8Array, at: number, out: Uint8Array): { end: number; size: number | null } {
  const view = new DataView(part.buffer, part.byteOffset, part.byteLength);
  if (part.byteLength - at < 6 || view.getUint32(at, true) !== 0xfd2fb528) {
    throw badPart("zstd", part, out, `no frame at ${at}`);
  }
  const descriptor = part[at + 4]!;
  const single = (descriptor >> 5) & 1;
  const sizeAt = at + 6 - single + [0, 1, 2, 4][descriptor & 3]!;
  const width = [single, 2, 4, 8][descriptor >> 6]!;
  if (sizeAt + width > part.byteLength) throw badPart("zstd", part, out, "a frame is cut");
  const blocksEnd = endOfBlocks(part, sizeAt + width, out);
  const end = blocksEnd + ((descriptor >> 2) & 1) * 4;
  if (end > part.byteLength) throw badPart("zstd", part, out, "a frame is cut");
  return { end, size: contentSize(view, sizeAt, width) };
}

function contentSize(view: DataView, at: number, width: number): number | null {
  if (width === 0) return null;
  if (width === 1) return view.getUint8(at);
  if (width === 2) return view.getUint16(at, true) + 256;
  if (width === 4) return view.getUint32(at, true);
  return Number(view.getBigUint64(at, true));
}

/** Block: last (1 bit), type (2 bits: 0 raw, 1 one repeated byte, 2 compressed), size (21 bits), bytes. */
function endOfBlocks(part: Uint8Array, start: number, out: Uint8Array): number {
  for (let at = start; at + 3 <= part.byteLength; ) {
    const header = part[at]! | (part[at + 1]! << 8) | (part[at + 2]! << 16);
    at += 3 + (((header >> 1) & 3) === 1 ? 1 : header >> 3);
    if ((header & 1) === 1) return at;
  }
  throw badPart("zstd", part, out, "a frame without a last block");
}
