import { FormatError } from "../../errors.js";
import { ByteReader } from "../byte-reader.js";
import { ByteWriter } from "../byte-writer.js";
import type { Digest, Filter } from "./filter.js";
import { restOf, withMetadata } from "./filter.js";

/**
 * Checksum filters (codes 12 MD5 and 13 SHA-256; format_spec/tile.md, "Checksum Filters"): data and earlier metadata
 * pass unchanged. Their own metadata:
 *
 * | field | type |
 * |---|---|
 * | number of metadata checksums, of data checksums | uint32, uint32 |
 * | of each, metadata first: bytes that it covers, digest | uint64, 16 or 32 bytes |
 */
export function checksumFilter(digest: Digest): Filter {
  return {
    forward: (input) => {
      const writer = new ByteWriter(128);
      writer.u32(input.metadata.length);
      writer.u32(1);
      for (const part of [...input.metadata, input.data]) {
        writer.u64n(part.byteLength);
        writer.raw(digest(part));
      }
      return { metadata: withMetadata(writer.finish(), input.metadata), data: input.data };
    },
    reverse: (input, step) => {
      const width = step.spec.type === "checksum_md5" ? 16 : 32;
      const reader = new ByteReader(input.metadata, `${step.spec.type} filter`);
      const metadataParts = reader.count("number of metadata checksums", 4, 8 + width);
      const dataParts = reader.count("number of data checksums", 4, 8 + width);
      const sumsAt = reader.offset;
      reader.skip(metadataParts * (8 + width), "checksums of metadata");
      reader.skip(dataParts * (8 + width), "checksums of data");
      const metadata = restOf(input.metadata, reader.offset);
      const sums = new ByteReader(input.metadata, `${step.spec.type} filter`, undefined, sumsAt);
      verify(sums, metadataParts, width, metadata, digest, "metadata");
      verify(sums, dataParts, width, input.data, digest, "data");
      return { metadata, data: input.data };
    },
  };
}

/** Compares the checksums of consecutive parts, which must cover all of `bytes`. */
function verify(
  sums: ByteReader,
  parts: number,
  width: number,
  bytes: Uint8Array,
  digest: Digest,
  what: string,
): void {
  let at = 0;
  for (let i = 0; i < parts; i++) {
    const length = sums.u64n("bytes of a checksum");
    const expected = sums.take(width, "checksum");
    if (length > bytes.byteLength - at) {
      throw sums.error(`a checksum of ${length} bytes of ${what}, ${bytes.byteLength - at} left`);
    }
    const found = digest(bytes.subarray(at, at + length));
    if (!expected.every((byte, index) => byte === found[index])) {
      throw new FormatError(
        `${sums.structure}: the checksum of ${what} does not hold: expected ${hex(expected)}, found ${hex(found)}`,
      );
    }
    at += length;
  }
  if (at !== bytes.byteLength)
    throw sums.error(`checksums of ${at} bytes of ${what}, expected ${bytes.byteLength}`);
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
