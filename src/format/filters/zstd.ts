/// <reference path="./zstd-codec.d.ts" />
import { ZSTDDecoder } from "zstddec";
import { FormatError, LimitError } from "../../errors.js";
import { badPart } from "./compression.js";
import type { Compress, Decompress } from "./filter.js";

/** Zstandard filter (code 2): a frame (RFC 8878) per part. */

/** What the decoder's WebAssembly memory is trusted with at a time. */
const MAX_PART = 1 << 29;

/** One decoder and one encoder serve all pipelines: each has WebAssembly memory of its own, and takes time to start. */
let loadedDecoder: Promise<Decompress> | undefined;
let loadedEncoder: Promise<Compress> | undefined;

export function loadZstdDecoder(): Promise<Decompress> {
  loadedDecoder ??= startDecoder();
  return loadedDecoder;
}

async function startDecoder(): Promise<Decompress> {
  const decoder = new ZSTDDecoder();
  await decoder.init();
  return (part, out) => {
    checkFrame(part, out);
    // A size of 0 would let the decoder believe the frame.
    const bytes = decoder.decode(part, Math.max(1, out.byteLength));
    if (bytes.byteLength !== out.byteLength) throw badPart("zstd", part, out, "corrupt frame");
    out.set(bytes);
  };
}

export function loadZstdEncoder(): Promise<Compress> {
  loadedEncoder ??= startEncoder();
  return loadedEncoder;
}

async function startEncoder(): Promise<Compress> {
  const { ZstdCodec } = await import("zstd-codec");
  const simple = await new Promise<
    InstanceType<Parameters<Parameters<typeof ZstdCodec.run>[0]>[0]["Simple"]>
  >((resolve) => ZstdCodec.run((zstd) => resolve(new zstd.Simple())));
  return (part, step) => {
    const bytes = simple.compress(part, zstdLevel(step.spec));
    if (bytes === null) throw new LimitError(`zstd filter: cannot compress ${part.byteLength} bytes`);
    return bytes;
  };
}

/** Zstandard's level, which may be negative (faster); below -7 stands for the default, 3, as in TileDB. */
export function zstdLevel(spec: object): number {
  const level = "level" in spec ? Number(spec.level) : 3;
  return level < -7 || level === 0 ? 3 : Math.min(22, level);
}

/**
 * Compares the frame header with the size that is expected, before any memory is taken for what a corrupt frame
 * claims: magic number, descriptor, window and dictionary fields, content size.
 */
export function checkFrame(part: Uint8Array, out: Uint8Array): void {
  if (out.byteLength > MAX_PART) throw new LimitError(`zstd filter: a part of ${out.byteLength} bytes`);
  if (part.byteLength < 6 || part[0] !== 0x28 || part[1] !== 0xb5 || part[2] !== 0x2f || part[3] !== 0xfd) {
    throw badPart("zstd", part, out, "no zstd frame");
  }
  const size = contentSize(part);
  if (size !== null && size !== out.byteLength) {
    throw new FormatError(`zstd filter: expected a frame of ${out.byteLength} bytes, found ${size}`);
  }
}

function contentSize(part: Uint8Array): number | null {
  const descriptor = part[4]!;
  const single = (descriptor >> 5) & 1;
  const dictionary = [0, 1, 2, 4][descriptor & 3]!;
  const width = [single, 2, 4, 8][descriptor >> 6]!;
  const at = 5 + (single === 1 ? 0 : 1) + dictionary;
  if (width === 0 || at + width > part.byteLength) return null;
  const view = new DataView(part.buffer, part.byteOffset + at, width);
  if (width === 1) return view.getUint8(0);
  if (width === 2) return view.getUint16(0, true) + 256;
  if (width === 4) return view.getUint32(0, true);
  return Number(view.getBigUint64(0, true));
}
