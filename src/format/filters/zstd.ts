/// <reference path="./zstd-codec.d.ts" />
import type { ZstdSimple } from "zstd-codec";
import { ZSTDDecoder } from "zstddec";
import { LimitError } from "../../errors.js";
import { concatBytes } from "../../util/typed-arrays.js";
import { badPart } from "./compression.js";
import type { Compress, Decompress } from "./filter.js";

/** Zstandard filter (code 2): a part is one or more frames (RFC 8878) in a row. */

/** What the decoder's WebAssembly memory is trusted with at a time. */
const MAX_PART = 1 << 29;

/** zstd-codec's memory is 16 MB for good; larger slices do not fit at the highest levels. */
const ENCODER_SLICE = 1 << 18;

/** One decoder and one encoder serve all pipelines: each has WebAssembly memory of its own, and takes time to start. */
let decoding: Promise<Decompress> | undefined;
let encoding: Promise<Compress> | undefined;

export function loadZstdDecoder(): Promise<Decompress> {
  decoding ??= startDecoder();
  return decoding;
}

export function loadZstdEncoder(): Promise<Compress> {
  encoding ??= startEncoder();
  return encoding;
}

async function startDecoder(): Promise<Decompress> {
  const decoder = new ZSTDDecoder();
  await decoder.init();
  return (part, out) => {
    zstdFrames(part, out);
    // A size of 0 would let the decoder believe the frame.
    const bytes = decoder.decode(part, Math.max(1, out.byteLength));
    if (bytes.byteLength !== out.byteLength) throw badPart("zstd", part, out, "corrupt frame");
    out.set(bytes);
  };
}

async function startEncoder(): Promise<Compress> {
  const { ZstdCodec } = await import("zstd-codec");
  const simple = await new Promise<ZstdSimple>((resolve) =>
    ZstdCodec.run((zstd) => resolve(new zstd.Simple())),
  );
  return (part, step) => {
    const frames: Uint8Array[] = [];
    let at = 0;
    do {
      const slice = part.subarray(at, at + ENCODER_SLICE);
      const frame = simple.compress(slice, zstdLevel(step.spec));
      if (frame === null) throw new LimitError(`zstd filter: cannot compress ${slice.byteLength} bytes`);
      frames.push(frame);
      at += ENCODER_SLICE;
    } while (at < part.byteLength);
    return concatBytes(frames);
  };
}

/** Zstandard's level, which may be negative (faster); below -7 stands for the default, 3, as in TileDB. */
export function zstdLevel(spec: object): number {
  const level = "level" in spec ? Number(spec.level) : 3;
  return level < -7 || level === 0 ? 3 : Math.min(22, level);
}

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
