import { startZstdDecoder } from "../zstd/zstd-decoder.js";
import type { Compress, Decompress } from "./filter.js";

/** Zstandard filter (code 2): a part is one or more frames (RFC 8878) in a row. */

/** One decoder serves all pipelines: it has WebAssembly memory of its own, and takes time to start. */
let decoding: Promise<Decompress> | undefined;

export function loadZstdDecoder(): Promise<Decompress> {
  decoding ??= startZstdDecoder();
  return decoding;
}

/** An encoder for any platform; levels are the same to it. */
export async function loadZstdEncoder(): Promise<Compress> {
  const { encodeMatches } = await import("../zstd/encode-matches.js");
  return encodeMatches;
}
