/// <reference path="./zstd-codec.d.ts" />
import type { ZstdSimple } from "zstd-codec";
import { LimitError } from "../../errors.js";
import { concatBytes } from "../../util/typed-arrays.js";
import { startZstdDecoder } from "../zstd/zstd-decoder.js";
import type { Compress, Decompress } from "./filter.js";
import { zstdLevel } from "./levels.js";

/** Zstandard filter (code 2): a part is one or more frames (RFC 8878) in a row. */

/** zstd-codec's memory is 16 MB for good; larger slices do not fit at the highest levels. */
const ENCODER_SLICE = 1 << 18;

/** One decoder and one encoder serve all pipelines: each has WebAssembly memory of its own, and takes time to start. */
let decoding: Promise<Decompress> | undefined;
let encoding: Promise<Compress> | undefined;

export function loadZstdDecoder(): Promise<Decompress> {
  decoding ??= startZstdDecoder();
  return decoding;
}

export function loadZstdEncoder(): Promise<Compress> {
  encoding ??= startEncoder();
  return encoding;
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
