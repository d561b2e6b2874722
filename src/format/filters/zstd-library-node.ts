/// <reference path="./zstd-codec.d.ts" />
import type { ZstdSimple } from "zstd-codec";
import { LimitError } from "../../errors.js";
import { concatBytes } from "../../util/typed-arrays.js";
import type { Compress } from "./filter.js";
import { zstdLevel } from "./levels.js";

/** The Zstandard library in WebAssembly, for Node before 22.15, which has none of its own. */

/** zstd-codec's memory is 16 MB for good; larger slices do not fit at the highest levels. */
const ENCODER_SLICE = 1 << 18;

/** One encoder serves all pipelines: it has WebAssembly memory of its own, and takes time to start. */
let encoding: Promise<Compress> | undefined;

export function loadLibraryEncoder(): Promise<Compress> {
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
