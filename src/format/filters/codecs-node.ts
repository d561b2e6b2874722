import { readFile } from "node:fs/promises";
import * as zlib from "node:zlib";
import { replaceBase64 } from "../../util/base64.js";
import { replaceCrc32 } from "../../util/faster-crc32.js";
import { zstdFrames } from "../zstd/zstd-frames.js";
import { badPart } from "./compression.js";
import type { Compress, Decompress } from "./filter.js";
import { gzipLevel, zstdLevel } from "./levels.js";
import { replaceCipher, replaceCodec, replaceDigest, replaceWebpModule } from "./registry.js";
import { reusedInflate, reusedUnzstd } from "./zlib-handle-node.js";

/** Node's own codecs: zlib always, CRC-32 since Node 20.15, Zstandard since Node 22.15, digests and AES; WebP's decoder from disk. Calling it again changes nothing. */
export function registerNodeCodecs(): void {
  // Since Node 20.15; @types/node has it always.
  if ("crc32" in zlib) replaceCrc32((bytes, before) => zlib.crc32(bytes, before));
  replaceBase64((text) => new Uint8Array(Buffer.from(text, "base64")));
  replaceCodec("gzip", { decoder: async () => reusedInflate() ?? inflate, encoder: async () => deflate });
  replaceDigest("checksum_md5", async () => (await loadCrypto()).digest("md5"));
  replaceDigest("checksum_sha256", async () => (await loadCrypto()).digest("sha256"));
  replaceCipher(async () => (await loadCrypto()).nodeCipher);
  replaceWebpModule(async () => {
    const { createRequire } = await import("node:module");
    return readFile(createRequire(import.meta.url).resolve("@cwasm/webp/webp.wasm"));
  });
  const zstd = zstdOf(zlib);
  if (zstd === null) {
    replaceCodec("zstd", {
      encoder: async () => (await import("./zstd-library-node.js")).loadLibraryEncoder(),
    });
    return;
  }
  replaceCodec("zstd", { decoder: async () => zstd.decompress, encoder: async () => zstd.compress });
}

/** Apart, as node:crypto takes longer to load than a small query takes. */
const loadCrypto = () => import("./crypto-node.js");

/** What zlib's functions give with `info: true`; their declared type does not have it. */
interface Inflated {
  readonly buffer: Uint8Array;
  /** bytesWritten: bytes of the input that were used. */
  readonly engine: { readonly bytesWritten: number };
}

function isInflated(result: object): result is Inflated {
  return "buffer" in result && "engine" in result;
}

const inflate: Decompress = (part, out) => {
  const size = out.byteLength;
  let result: object;
  try {
    // zlib takes its output in pieces of chunkSize, so the expected size makes one piece.
    const options = { chunkSize: Math.max(64, size), maxOutputLength: Math.max(1, size), info: true };
    result = zlib.inflateSync(part, options);
  } catch (problem) {
    throw badPart("gzip", part, out, problem);
  }
  if (!isInflated(result)) throw badPart("gzip", part, out, "zlib gives no count of the bytes used");
  if (result.buffer.byteLength !== size) {
    throw badPart("gzip", part, out, `it gives ${result.buffer.byteLength}`);
  }
  // zlib passes over what follows the stream.
  if (result.engine.bytesWritten !== part.byteLength) {
    throw badPart(
      "gzip",
      part,
      out,
      `${part.byteLength - result.engine.bytesWritten} bytes follow the stream`,
    );
  }
  out.set(result.buffer);
};

const deflate: Compress = (part, step) =>
  zlib.deflateSync(part, { level: gzipLevel(step.spec), chunkSize: Math.max(1024, part.byteLength) });

/** What of node:zlib is there since Node 22.15. */
interface NodeZstd {
  zstdCompressSync(bytes: Uint8Array, options: { params: Record<number, number> }): Uint8Array;
  zstdDecompressSync(bytes: Uint8Array, options: { chunkSize: number; maxOutputLength: number }): Uint8Array;
  readonly constants: { readonly ZSTD_c_compressionLevel: number };
}

function hasZstd(module: object): module is NodeZstd {
  return "zstdCompressSync" in module && "zstdDecompressSync" in module;
}

function zstdOf(module: object): { decompress: Decompress; compress: Compress } | null {
  if (!hasZstd(module)) return null;
  const reused = reusedUnzstd(module);
  return {
    decompress: (part, out) => {
      let to = 0;
      // Node stops after the first frame.
      for (const frame of zstdFrames(part, out)) {
        const size = frame.size ?? out.byteLength - to;
        if (size > out.byteLength - to) throw badPart("zstd", part, out, `a frame claims ${size}`);
        if (reused !== null && frame.size !== null && size > 0) {
          if (!reused(frame.bytes, out.subarray(to, to + size)))
            throw badPart("zstd", part, out, "corrupt frame");
          to += size;
          continue;
        }
        const bytes = unzstd(module, frame.bytes, size, part, out);
        if (bytes.byteLength !== size) throw badPart("zstd", part, out, `a frame gives ${bytes.byteLength}`);
        out.set(bytes, to);
        to += size;
      }
      if (to !== out.byteLength) throw badPart("zstd", part, out, `it gives ${to}`);
    },
    compress: (part, step) =>
      module.zstdCompressSync(part, {
        params: { [module.constants.ZSTD_c_compressionLevel]: zstdLevel(step.spec) },
      }),
  };
}

function unzstd(
  module: NodeZstd,
  frame: Uint8Array,
  size: number,
  part: Uint8Array,
  out: Uint8Array,
): Uint8Array {
  try {
    const options = { chunkSize: Math.max(64, size), maxOutputLength: Math.max(1, size) };
    return module.zstdDecompressSync(frame, options);
  } catch (problem) {
    throw badPart("zstd", part, out, problem);
  }
}
