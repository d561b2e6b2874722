import { ArgumentError, FormatError } from "../errors.js";
import type { ByteReader } from "./byte-reader.js";
import { ByteWriter } from "./byte-writer.js";
import { type Datatype, datatypeFromCode, datatypeInfo } from "./datatype.js";

/**
 * Filter pipeline (format_spec/filter_pipeline.md).
 *
 * | field | type |
 * |---|---|
 * | max chunk size | uint32 |
 * | number of filters | uint32 |
 * | of each filter: type, size of its options, options | uint8, uint32, bytes |
 *
 * Options: of compressors the compressor type (uint8: the filter's code, but 7 for dictionary, 8 for delta) and level (int32), and of delta (since
 * version 19) and double delta (since 20) the datatype that values are reinterpreted as (uint8; "any" where none was
 * set); of bit width reduction and positive delta the window in bytes (uint32); of scale_float scale and offset
 * (float64) and byte width (uint64); of webp quality (float32), order of colours, lossless (uint8 each), tile extents
 * of both dimensions (uint16 each) and 2 bytes of nothing. The others have none.
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
  | {
      readonly type: "webp";
      /** Of lossy pictures, 0 to 100. */
      readonly quality: number;
      readonly format: WebpFormat;
      readonly lossless: boolean;
      /** Rows of a tile, and cells of a row. */
      readonly extents: readonly [number, number];
    }
  /** Only in the pipelines of encrypted arrays' generic tiles; those of fields don't name it. */
  | { readonly type: "aes_256_gcm" };

/** The order of colours, cell by cell; "none" where none was set. */
export type WebpFormat = "none" | "rgb" | "bgr" | "rgba" | "bgra";

export type FilterType = FilterSpec["type"];

export interface FilterPipeline {
  /**
   * Bytes of cells that one chunk of a tile holds at most, 65,536 by default; at least one cell. 0: a tile is one
   * chunk.
   */
  readonly maxChunkSize: number;
  /** In the order in which they run on writing. */
  readonly filters: readonly FilterSpec[];
}

/** Bytes of a chunk that TileDB writes in every pipeline. */
export const DEFAULT_MAX_CHUNK_SIZE = 65536;

/** A pipeline without filters. Tiles are still cut into chunks. */
export const emptyPipeline: FilterPipeline = { maxChunkSize: DEFAULT_MAX_CHUNK_SIZE, filters: [] };

const codes: Readonly<Record<FilterType, number>> = {
  none: 0,
  gzip: 1,
  zstd: 2,
  lz4: 3,
  rle: 4,
  bzip2: 5,
  double_delta: 6,
  bit_width_reduction: 7,
  bitshuffle: 8,
  byteshuffle: 9,
  positive_delta: 10,
  aes_256_gcm: 11,
  checksum_md5: 12,
  checksum_sha256: 13,
  dictionary: 14,
  scale_float: 15,
  xor: 16,
  webp: 18,
  delta: 19,
};

const byCode = new Map<number, FilterType>();
for (const type of Object.keys(codes) as FilterType[]) byCode.set(codes[type], type);

/** Reads a pipeline as a structure of that format version holds it. */
export function readFilterPipeline(reader: ByteReader, version: number): FilterPipeline {
  const maxChunkSize = reader.u32("max chunk size");
  const count = reader.count("number of filters", 4, 5);
  const filters: FilterSpec[] = [];
  for (let i = 0; i < count; i++) filters.push(readFilter(reader, version));
  return { maxChunkSize, filters };
}

function readFilter(reader: ByteReader, version: number): FilterSpec {
  const at = reader.offset;
  const code = reader.u8("filter type");
  const size = reader.u32("size of filter options");
  const type = byCode.get(code);
  if (type === undefined) throw unknownFilter(reader, code, at);
  const start = reader.offset;
  const spec = readOptions(reader, type, version);
  if (reader.offset - start !== size) {
    throw reader.error(
      `expected ${reader.offset - start} bytes of options for the ${type} filter at offset ${at}, found ${size}`,
    );
  }
  return spec;
}

function unknownFilter(reader: ByteReader, code: number, at: number): Error {
  const details = reader.where === undefined ? {} : { where: reader.where };
  return new FormatError(`${reader.structure}: unknown filter ${code} at offset ${at}`, details);
}

function readOptions(reader: ByteReader, type: FilterType, version: number): FilterSpec {
  switch (type) {
    case "gzip":
    case "zstd":
    case "lz4":
    case "rle":
    case "bzip2":
    case "dictionary":
      return { type, level: readLevel(reader, type) };
    case "delta":
    case "double_delta":
      return readDelta(reader, type, version);
    case "bit_width_reduction":
    case "positive_delta":
      return { type, maxWindow: reader.u32("max window size") };
    case "scale_float":
      return readScaleFloat(reader);
    case "webp":
      return readWebp(reader);
    default:
      return { type };
  }
}

function readLevel(reader: ByteReader, type: FilterType): number {
  const at = reader.offset;
  const compressor = reader.u8("compressor type");
  if (compressor !== compressorCode(type)) {
    throw reader.error(
      `expected compressor type ${compressorCode(type)} for the ${type} filter at offset ${at}, found ${compressor}`,
    );
  }
  return reader.i32("compression level");
}

/** Compressors have codes of their own, which are those of the filters but for two. */
function compressorCode(type: FilterType): number {
  if (type === "dictionary") return 7;
  return type === "delta" ? 8 : codes[type];
}

function readDelta(reader: ByteReader, type: "delta" | "double_delta", version: number): FilterSpec {
  const level = readLevel(reader, type);
  if (version < (type === "delta" ? 19 : 20)) return { type, level };
  const code = reader.u8("reinterpret datatype");
  const reinterpret = datatypeFromCode(code, reader.structure, reader.where);
  return reinterpret === "any" ? { type, level } : { type, level, reinterpret };
}

function readScaleFloat(reader: ByteReader): FilterSpec {
  const factor = reader.f64("scale");
  const offset = reader.f64("offset");
  const byteWidth = reader.u64n("byte width");
  if (![1, 2, 4, 8].includes(byteWidth)) {
    throw reader.error(
      `expected a byte width of 1, 2, 4 or 8 for the scale_float filter, found ${byteWidth}`,
    );
  }
  return { type: "scale_float", factor, offset, byteWidth };
}

const webpFormats: readonly WebpFormat[] = ["none", "rgb", "bgr", "rgba", "bgra"];

function readWebp(reader: ByteReader): FilterSpec {
  const quality = reader.f32("quality");
  const code = reader.u8("order of colours");
  const format = webpFormats[code];
  if (format === undefined) throw reader.error(`unknown order of colours ${code} of the webp filter`);
  const lossless = reader.u8("lossless") !== 0;
  const extents = [reader.u16("extent"), reader.u16("extent")] as const;
  reader.skip(2, "padding");
  return { type: "webp", quality, format, lossless, extents };
}

function writeWebp(writer: ByteWriter, spec: FilterSpec & { readonly type: "webp" }): void {
  writer.f32(spec.quality);
  writer.u8(webpFormats.indexOf(spec.format));
  writer.u8(spec.lossless ? 1 : 0);
  for (const extent of spec.extents) writer.u16(extent);
  writer.u16(0);
}

/** Writes a pipeline for a structure of that format version. */
export function writeFilterPipeline(writer: ByteWriter, pipeline: FilterPipeline, version: number): void {
  writer.u32(pipeline.maxChunkSize);
  writer.u32(pipeline.filters.length);
  for (const spec of pipeline.filters) {
    const options = new ByteWriter(32);
    writeOptions(options, spec, version);
    writer.u8(codes[spec.type]);
    writer.u32(options.length);
    writer.raw(options.finish());
  }
}

function writeOptions(writer: ByteWriter, spec: FilterSpec, version: number): void {
  switch (spec.type) {
    case "gzip":
    case "zstd":
    case "lz4":
    case "rle":
    case "bzip2":
    case "dictionary":
      writeLevel(writer, spec.type, spec.level);
      return;
    case "delta":
    case "double_delta":
      writeLevel(writer, spec.type, spec.level);
      writeReinterpret(writer, spec, version);
      return;
    case "bit_width_reduction":
    case "positive_delta":
      writer.u32(spec.maxWindow);
      return;
    case "scale_float":
      writer.f64(spec.factor);
      writer.f64(spec.offset);
      writer.u64n(spec.byteWidth);
      return;
    case "webp":
      writeWebp(writer, spec);
      return;
    default:
  }
}

function writeReinterpret(
  writer: ByteWriter,
  spec: { readonly type: "delta" | "double_delta"; readonly reinterpret?: Datatype },
  version: number,
): void {
  const since = spec.type === "delta" ? 19 : 20;
  if (version >= since) {
    writer.u8(datatypeInfo(spec.reinterpret ?? "any").code);
    return;
  }
  if (spec.reinterpret === undefined) return;
  throw new ArgumentError(
    `${spec.type} filter: a reinterpreted datatype needs format version ${since}, not ${version}`,
  );
}

function writeLevel(writer: ByteWriter, type: FilterType, level: number): void {
  writer.u8(compressorCode(type));
  writer.i32(level);
}
