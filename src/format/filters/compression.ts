import { FormatError, UnsupportedError } from "../../errors.js";
import { concatBytes } from "../../util/typed-arrays.js";
import { ByteReader } from "../byte-reader.js";
import type { Compress, Decompress, Filter, Filtered, FilterStep, Output, Stored } from "./filter.js";
import { u32Bytes } from "./filter.js";

/**
 * Compression filters (format_spec/tile.md, "Compression Filters"). They compress the metadata of earlier filters
 * too, each part by itself, and put out one part of data. Their metadata:
 *
 * | field | type |
 * |---|---|
 * | number of metadata parts | uint32 |
 * | number of data parts | uint32 |
 * | of each part, metadata first: original length, compressed length | uint32, uint32 |
 */

const MAX_PARTS = 1 << 16;

export function compressionFilter(decompress: Decompress, compress: Compress | null): Filter {
  return {
    forward: (input, step) => {
      if (compress === null) {
        throw new UnsupportedError(
          `${step.spec.type} filter: the pipeline was loaded for reading only; load it with { encode: true }`,
        );
      }
      return forward(input, step, compress);
    },
    reverse: (input, step, output) => reverse(input, step, output, decompress),
  };
}

function forward(input: Filtered, step: FilterStep, compress: Compress): Filtered {
  const header = [input.metadata.length, 1];
  const parts: Uint8Array[] = [];
  // Parts that come together must not share memory.
  const each = input.metadata.length === 0 ? step : { ...step, output: undefined };
  for (const part of [...input.metadata, input.data]) {
    const compressed = compress(part, each);
    header.push(part.byteLength, compressed.byteLength);
    parts.push(compressed);
  }
  return { metadata: [u32Bytes(...header)], data: concatBytes(parts) };
}

function reverse(input: Stored, step: FilterStep, output: Output, decompress: Decompress): Stored {
  const reader = new ByteReader(input.metadata, `${step.spec.type} filter`);
  const metadataParts = reader.count("number of metadata parts", 4, 8);
  const dataParts = reader.count("number of data parts", 4, 8);
  const parts = metadataParts + dataParts;
  if (parts > MAX_PARTS || parts * 8 > reader.remaining) {
    throw reader.error(`${parts} parts in ${reader.remaining} bytes of metadata`);
  }
  const metadataBytes = originalBytes(input.metadata, 8, metadataParts);
  const dataBytes = originalBytes(input.metadata, 8 + metadataParts * 8, dataParts);
  const metadata = output.metadata(metadataBytes);
  const data = output.data(dataBytes);

  let from = 0;
  let to = 0;
  for (let i = 0; i < parts; i++) {
    if (i === metadataParts) to = 0;
    const original = reader.u32("original length");
    const compressed = reader.u32("compressed length");
    if (compressed > input.data.byteLength - from) {
      throw reader.error(
        `expected ${compressed} compressed bytes, ${input.data.byteLength - from} left in the chunk`,
      );
    }
    const target = i < metadataParts ? metadata : data;
    decompress(input.data.subarray(from, from + compressed), target.subarray(to, to + original), step);
    from += compressed;
    to += original;
  }
  if (from !== input.data.byteLength) {
    throw reader.error(`${input.data.byteLength - from} bytes after the last part`);
  }
  return { metadata, data };
}

function originalBytes(metadata: Uint8Array, at: number, parts: number): number {
  const view = new DataView(metadata.buffer, metadata.byteOffset, metadata.byteLength);
  let total = 0;
  for (let i = 0; i < parts; i++) total += view.getUint32(at + i * 8, true);
  return total;
}

/** The error of a part that does not decompress to what its header says. */
export function badPart(filter: string, part: Uint8Array, out: Uint8Array, problem: unknown): FormatError {
  const text = problem instanceof Error ? problem.message : String(problem);
  return new FormatError(
    `${filter} filter: ${part.byteLength} bytes do not decompress to ${out.byteLength}: ${text}`,
    problem instanceof Error ? { cause: problem } : {},
  );
}
