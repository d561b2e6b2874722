import { describe, expect, it } from "vitest";
import { ByteReader } from "../../src/format/byte-reader.js";
import { ByteWriter } from "../../src/format/byte-writer.js";
import {
  emptyPipeline,
  type FilterPipeline,
  type FilterSpec,
  readFilterPipeline,
  writeFilterPipeline,
} from "../../src/format/filter-pipeline.js";

const fromHex = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, "hex"));

function write(pipeline: FilterPipeline, version = 22): string {
  const writer = new ByteWriter();
  writeFilterPipeline(writer, pipeline, version);
  return Buffer.from(writer.finish()).toString("hex");
}

function read(hex: string, version = 22): FilterPipeline {
  const reader = new ByteReader(fromHex(hex), "array schema", "a/__schema/s");
  const pipeline = readFilterPipeline(reader, version);
  reader.end();
  return pipeline;
}

/** As core 2.30 wrote it: filters in the order delta, double delta, gzip 3, zstd, lz4, rle, bzip2, ... */
const official =
  "000001000d000000130600000008ffffffff11060600000006ffffffff1101050000000103000000020500000002ffffffff" +
  "030500000003ffffffff040500000004ffffffff050500000005ffffffff0704000000000100000a040000000004000008000000" +
  "0009000000000c000000000d00000000";

const filters: FilterSpec[] = [
  { type: "delta", level: -1 },
  { type: "double_delta", level: -1 },
  { type: "gzip", level: 3 },
  { type: "zstd", level: -1 },
  { type: "lz4", level: -1 },
  { type: "rle", level: -1 },
  { type: "bzip2", level: -1 },
  { type: "bit_width_reduction", maxWindow: 256 },
  { type: "positive_delta", maxWindow: 1024 },
  { type: "bitshuffle" },
  { type: "byteshuffle" },
  { type: "checksum_md5" },
  { type: "checksum_sha256" },
];

describe("filter pipeline", () => {
  it("reads and writes what the official library wrote", () => {
    expect(read(official)).toEqual({ maxChunkSize: 65536, filters });
    expect(write({ maxChunkSize: 65536, filters })).toBe(official);
  });

  it("writes the dictionary filter with its compressor code", () => {
    const pipeline: FilterPipeline = { maxChunkSize: 65536, filters: [{ type: "dictionary", level: -1 }] };
    expect(write(pipeline)).toBe("00000100010000000e0500000007ffffffff");
    expect(read(write(pipeline))).toEqual(pipeline);
  });

  it("has no filters when empty", () => {
    expect(write(emptyPipeline)).toBe("0000010000000000");
  });

  it("keeps the options of the other filters", () => {
    const pipeline: FilterPipeline = {
      maxChunkSize: 1000,
      filters: [
        { type: "none" },
        { type: "scale_float", factor: 0.5, offset: -3, byteWidth: 2 },
        { type: "xor" },
        { type: "delta", level: 2, reinterpret: "uint16" },
        { type: "webp", quality: 62.5, format: "bgra", lossless: true, extents: [12, 16383] },
      ],
    };
    expect(read(write(pipeline))).toEqual(pipeline);
  });

  it("has the reinterpreted type of delta since version 19, of double delta since 20", () => {
    const both: FilterPipeline = {
      maxChunkSize: 65536,
      filters: [
        { type: "delta", level: -1 },
        { type: "double_delta", level: -1 },
      ],
    };
    const lengths = [18, 19, 20].map((version) => write(both, version).length / 2);
    expect(lengths).toEqual([28, 29, 30]);
    for (const version of [18, 19, 20]) expect(read(write(both, version), version)).toEqual(both);
    const set: FilterPipeline = {
      maxChunkSize: 65536,
      filters: [{ type: "double_delta", level: -1, reinterpret: "int32" }],
    };
    expect(() => write(set, 19)).toThrow(/needs format version 20, not 19/);
  });

  it("names an unknown filter and where it stands", () => {
    expect(() => read("00000100010000006300000000")).toThrow(
      /array schema: unknown filter 99 at offset 8 .*a\/__schema\/s/,
    );
  });

  it("names the encryption of encrypted arrays' generic tiles", () => {
    expect(read("00000100010000000b00000000").filters).toEqual([{ type: "aes_256_gcm" }]);
  });

  it("refuses options of the wrong size or with the wrong compressor, and cut pipelines", () => {
    expect(() => read("0000010001000000010600000001ffffffff00")).toThrow(
      /expected 5 bytes of options for the gzip/,
    );
    expect(() => read("0000010001000000010500000002ffffffff")).toThrow(
      /expected compressor type 1 for the gzip/,
    );
    expect(() => read("00000100ffffff7f0105")).toThrow(/number of filters/);
    for (let length = 0; length < official.length; length += 2) {
      expect(() => read(official.slice(0, length))).toThrow(/array schema/);
    }
  });
});
