import { ArgumentError, UnsupportedError } from "../../errors.js";
import type { Dimension } from "../../format/array-schema.js";
import { datatypeInfo } from "../../format/datatype.js";
import {
  DEFAULT_MAX_CHUNK_SIZE,
  type FilterPipeline,
  type FilterSpec,
} from "../../format/filter-pipeline.js";
import type { FilterInput, FiltersInput } from "./write-types.js";

/** The official library's default windows, in bytes. */
const BIT_WIDTH_WINDOW = 256;
const POSITIVE_DELTA_WINDOW = 1024;

/** The pipeline that the input stands for; ArgumentError naming `what` where a filter is unknown. */
export function pipelineOf(input: FiltersInput, what: string): FilterPipeline {
  if ("maxChunkSize" in input) return input;
  return { maxChunkSize: DEFAULT_MAX_CHUNK_SIZE, filters: input.map((filter) => specOf(filter, what)) };
}

function specOf(input: FilterInput, what: string): FilterSpec {
  const given = typeof input === "string" ? { type: input } : input;
  switch (given.type) {
    case "gzip":
    case "zstd":
    case "lz4":
    case "rle":
    case "bzip2":
    case "dictionary":
      return { level: -1, ...given, type: given.type };
    case "double_delta":
    case "delta":
      return { level: -1, ...given, type: given.type };
    case "bit_width_reduction":
      return { maxWindow: BIT_WIDTH_WINDOW, ...given, type: given.type };
    case "positive_delta":
      return { maxWindow: POSITIVE_DELTA_WINDOW, ...given, type: given.type };
    case "none":
    case "bitshuffle":
    case "byteshuffle":
    case "checksum_md5":
    case "checksum_sha256":
    case "xor":
      return { type: given.type };
    case "scale_float":
      if ("factor" in given) return given;
      throw new ArgumentError(`filters of ${what}: scale_float needs factor, offset and byteWidth`);
    case "webp":
      throw new UnsupportedError(`filters of ${what}: cells are read through webp, not written`);
    default:
      throw new ArgumentError(`filters of ${what}: unknown filter '${String((given as FilterSpec).type)}'`);
  }
}

/** What the official library refuses about the coordinates' filters, or null. */
export function coordsFiltersProblem(
  pipeline: FilterPipeline,
  dimensions: readonly Dimension[],
): string | null {
  const types = pipeline.filters.map((filter) => filter.type);
  for (const dimension of dimensions) {
    if (dimension.filters.filters.length > 0) continue;
    if (datatypeInfo(dimension.datatype).kind === "float" && types.includes("double_delta")) {
      return `dimension '${dimension.name}': double_delta of the coordinates' filters is for integers only`;
    }
    const text = types.findIndex((type) => type === "rle" || type === "dictionary");
    if (dimension.domain === null && text > 0) {
      return `dimension '${dimension.name}': ${types[text]} must be the first filter of a string dimension`;
    }
  }
  return null;
}
