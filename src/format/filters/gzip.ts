import { unzlibSync, zlibSync } from "fflate";
import { badPart } from "./compression.js";
import type { Compress, Decompress } from "./filter.js";
import { gzipLevel } from "./levels.js";

/** Gzip filter (code 1): despite its name a zlib stream (RFC 1950) per part. */

export const compressGzip: Compress = (part, step) => zlibSync(part, { level: gzipLevel(step.spec) });

export const decompressGzip: Decompress = (part, out) => {
  let produced: number;
  try {
    produced = unzlibSync(part, { out }).byteLength;
  } catch (problem) {
    throw badPart("gzip", part, out, problem);
  }
  // fflate drops what does not fit, and compares no checksum; a stream that is longer than `out`, or that has
  // bytes after its end, fails the comparison too.
  if (produced !== out.byteLength) throw badPart("gzip", part, out, `it gives ${produced}`);
  const at = part.byteLength - 4;
  const stored = new DataView(part.buffer, part.byteOffset + at, 4).getUint32(0, false);
  if (stored !== adler32(out)) throw badPart("gzip", part, out, "wrong Adler-32 checksum");
};

function adler32(bytes: Uint8Array): number {
  let a = 1;
  let b = 0;
  for (let at = 0; at < bytes.byteLength; ) {
    // 3,800 bytes are the most after which `b` still fits in 31 bits.
    const end = Math.min(bytes.byteLength, at + 3800);
    for (; at < end; at++) {
      a += bytes[at]!;
      b += a;
    }
    a %= 65521;
    b %= 65521;
  }
  return ((b << 16) | a) >>> 0;
}
