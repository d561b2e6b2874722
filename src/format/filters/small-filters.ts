/** The filters that are a few kilobytes each, and what those with a library share: see registry.ts. */
export { bitWidthReduction } from "./bit-width-reduction.js";
export { bitshuffle } from "./bitshuffle.js";
export { byteshuffle } from "./byteshuffle.js";
export { checksumFilter } from "./checksum.js";
export { compressionFilter } from "./compression.js";
export { compressDelta, decompressDelta } from "./delta.js";
export { decompressDoubleDelta } from "./double-delta-decode.js";
export { compressLz4, decompressLz4 } from "./lz4.js";
export { positiveDelta } from "./positive-delta.js";
export { compressRle, decompressRle } from "./rle.js";
export { scaleFloat } from "./scale-float.js";
export { xor } from "./xor.js";
