import { UnsupportedError } from "../../errors.js";
import type { FilterType } from "../filter-pipeline.js";
import { bitWidthReduction } from "./bit-width-reduction.js";
import { bitshuffle } from "./bitshuffle.js";
import { byteshuffle } from "./byteshuffle.js";
import { checksumFilter } from "./checksum.js";
import { compressionFilter } from "./compression.js";
import { compressDelta, decompressDelta } from "./delta.js";
import { decompressDoubleDelta } from "./double-delta-decode.js";
import type { Cipher } from "./encryption.js";
import type { Compress, Decompress, Digest, Filter } from "./filter.js";
import { compressLz4, decompressLz4 } from "./lz4.js";
import { none } from "./none.js";
import { positiveDelta } from "./positive-delta.js";
import { compressRle, decompressRle } from "./rle.js";
import { scaleFloat } from "./scale-float.js";
import { xor } from "./xor.js";

/**
 * The filters by name, loaded with the first pipeline. The small ones are then simply there: a file of its own costs each
 * more than it weighs. Those with a library, or larger, are loaded when a pipeline first needs them. A platform may put a faster codec or digest in
 * the place of a portable one: `replaceCodec("gzip", { decoder: async () => inflate })`.
 */

export { decodeStrings } from "./string-decode.js";

/** How to get at a compressor. The two directions load apart, since a Zstandard encoder is large. */
export interface Codec {
  readonly decoder: () => Promise<Decompress>;
  readonly encoder: () => Promise<Compress>;
}

export type CodecType = "gzip" | "zstd" | "lz4" | "bzip2" | "rle" | "delta" | "double_delta";
export type DigestType = "checksum_md5" | "checksum_sha256";

const codecs: Record<CodecType, Codec> = {
  gzip: {
    decoder: async () => (await import("./gzip.js")).decompressGzip,
    encoder: async () => (await import("./gzip.js")).compressGzip,
  },
  zstd: {
    decoder: async () => (await import("./zstd.js")).loadZstdDecoder(),
    encoder: async () => (await import("./zstd.js")).loadZstdEncoder(),
  },
  lz4: {
    decoder: async () => decompressLz4,
    encoder: async () => compressLz4,
  },
  bzip2: {
    decoder: async () => (await import("../bzip2/bzip2-decode.js")).decompressBzip2,
    encoder: async () => (await import("../bzip2/bzip2-encode.js")).compressBzip2,
  },
  rle: {
    decoder: async () => decompressRle,
    encoder: async () => compressRle,
  },
  delta: {
    decoder: async () => decompressDelta,
    encoder: async () => compressDelta,
  },
  double_delta: {
    decoder: async () => decompressDoubleDelta,
    encoder: async () => (await import("./double-delta-encode.js")).compressDoubleDelta,
  },
};

const digests: Record<DigestType, () => Promise<Digest>> = {
  checksum_md5: async () => (await import("./digests.js")).md5Digest,
  checksum_sha256: async () => (await import("./digests.js")).sha256Digest,
};

let webpModule = async (): Promise<BufferSource> => (await import("./webp-decoder.js")).fetchWebpModule();
let webp: Promise<Filter> | undefined;

/** Says where the WebAssembly of WebP's decoder is: the file `webp.wasm` of the package @cwasm/webp. */
export function replaceWebpModule(load: () => Promise<BufferSource>): void {
  webpModule = load;
  webp = undefined;
}

/** The module is compiled once. */
async function loadWebp(encode: boolean): Promise<Filter> {
  if (encode) throw new UnsupportedError("webp filter: cells are read through it, not written");
  webp ??= startWebp();
  try {
    return await webp;
  } catch (error) {
    webp = undefined;
    throw error;
  }
}

async function startWebp(): Promise<Filter> {
  const [{ webpFilter }, { webpDecoder }] = await Promise.all([
    import("./webp.js"),
    import("./webp-decoder.js"),
  ]);
  return webpFilter(await webpDecoder(webpModule));
}

let cipher = async (): Promise<Cipher> => (await import("./aes.js")).portableCipher;

/** Puts a cipher in the place of the one that was there. Pipelines loaded before keep theirs. */
export function replaceCipher(load: () => Promise<Cipher>): void {
  cipher = load;
}

/** Puts a codec, or one direction of it, in the place of the one that was there. Pipelines loaded before keep theirs. */
export function replaceCodec(type: CodecType, codec: Partial<Codec>): void {
  codecs[type] = { ...codecs[type], ...codec };
}

/** Puts a digest in the place of the one that was there. Pipelines loaded before keep theirs. */
export function replaceDigest(type: DigestType, load: () => Promise<Digest>): void {
  digests[type] = load;
}

const compressor = (type: CodecType) => async (encode: boolean) => {
  const { decoder, encoder } = codecs[type];
  return compressionFilter(await decoder(), encode ? await encoder() : null);
};

const checksum = (type: DigestType) => async () => {
  return checksumFilter(await digests[type]());
};

const filters: Record<FilterType, ((encode: boolean) => Promise<Filter>) | null> = {
  none: async () => none,
  gzip: compressor("gzip"),
  zstd: compressor("zstd"),
  lz4: compressor("lz4"),
  rle: compressor("rle"),
  bzip2: compressor("bzip2"),
  double_delta: compressor("double_delta"),
  delta: compressor("delta"),
  bit_width_reduction: async () => bitWidthReduction,
  bitshuffle: async () => bitshuffle,
  byteshuffle: async () => byteshuffle,
  positive_delta: async () => positiveDelta,
  checksum_md5: checksum("checksum_md5"),
  checksum_sha256: checksum("checksum_sha256"),
  // Only as the first filter of variable-length strings, where it is no chunk filter: see string-decode.ts.
  dictionary: null,
  scale_float: async () => scaleFloat,
  xor: async () => xor,
  webp: loadWebp,
  // Needs a key, see loadFilter.
  aes_256_gcm: null,
};

/** Loads a filter; with `encode` also what it needs for writing. `key` is for that of encryption. */
export async function loadFilter(type: FilterType, encode: boolean, key?: Uint8Array): Promise<Filter> {
  if (type === "aes_256_gcm") {
    const { encryptionFilter } = await import("./encryption.js");
    return encryptionFilter(await cipher(), key);
  }
  const load = filters[type];
  if (load !== null) return load(encode);
  if (type === "dictionary") {
    throw new UnsupportedError("dictionary filter: only as the first filter of variable-length strings");
  }
  throw new UnsupportedError(`the ${type} filter is not supported`);
}

/** Zstandard for writing data that repeat nothing but single bytes. */
export async function loadRunsEncoder(): Promise<Filter> {
  const { encodeRuns } = await import("../zstd/encode-runs.js");
  return compressionFilter(
    () => {
      throw new UnsupportedError("zstd filter: the pipeline was loaded for writing only");
    },
    (part) => encodeRuns(part),
  );
}

/** A filter's line in the table of what is there. */
export interface FilterSupport {
  readonly type: FilterType;
  readonly read: boolean;
  readonly write: boolean;
  /** Where it is limited; else "". */
  readonly note: string;
}

/** All filters of the format, in the order of their codes; encryption is no filter that one asks for. */
export function filterSupport(): FilterSupport[] {
  const types = (Object.keys(filters) as FilterType[]).filter((type) => type !== "aes_256_gcm");
  return types.map((type) =>
    type === "dictionary"
      ? { type, read: true, write: true, note: "of variable-length strings, as in the official library" }
      : { type, read: filters[type] !== null, write: filters[type] !== null && type !== "webp", note: "" },
  );
}
