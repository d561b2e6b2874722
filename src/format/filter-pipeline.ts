import type { Datatype } from "./datatype.js";

/**
 * Filter pipeline (format_spec/filter_pipeline.md).
 *
 * A filter's options as they stand in a schema. The names are TileDB's, in lower case.
 */
export type FilterSpec =
  | { readonly type: "none" }
  | { readonly type: "gzip" | "zstd" | "lz4" | "rle" | "bzip2" | "dictionary"; readonly level: number }
  | { readonly type: "double_delta" | "delta"; readonly level: number; readonly reinterpret?: Datatype }
  | { readonly type: "bit_width_reduction" | "positive_delta"; readonly maxWindow: number }
  | { readonly type: "bitshuffle" | "byteshuffle" | "checksum_md5" | "checksum_sha256" | "xor" }
  | {
      readonly type: "scale_float";
      readonly factor: number;
      readonly offset: number;
      readonly byteWidth: number;
    }
  | { readonly type: "webp"; readonly options: Uint8Array };

export type FilterType = FilterSpec["type"];

export interface FilterPipeline {
  /** Bytes of cells that one chunk of a tile holds at most, 65,536 by default. */
  readonly maxChunkSize: number;
  /** In the order in which they run on writing. */
  readonly filters: readonly FilterSpec[];
}
