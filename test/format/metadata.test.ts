import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isCellarrError } from "../../src/errors.js";
import {
  decodeMetadataValue,
  encodeMetadataValue,
  type MetadataEntry,
  type MetadataValue,
  mergeMetadata,
  readMetadata,
  writeMetadata,
} from "../../src/format/metadata.js";
import { payloadOf, readGolden } from "./golden-files.js";

function through(value: MetadataValue, datatype?: Parameters<typeof encodeMetadataValue>[2]): MetadataValue {
  const [entry] = readMetadata(writeMetadata([encodeMetadataValue("key", value, datatype)]));
  if (entry === undefined || entry.deleted) throw new Error("expected a value");
  return decodeMetadataValue(entry);
}

const typeOf = (value: MetadataValue) => {
  const entry = encodeMetadataValue("k", value);
  return entry.deleted ? null : [entry.datatype, entry.count];
};

describe("metadata values", () => {
  test("come back", () => {
    expect(through("héllo 𝒳\0\ufeff")).toBe("héllo 𝒳\0\ufeff");
    expect(through("")).toBe("");
    expect(through(0.5)).toBe(0.5);
    expect(through(7)).toBe(7n);
    expect(through(7, "uint8")).toBe(7);
    expect(through(-0)).toBe(-0);
    expect(through(2n ** 64n - 1n, "uint64")).toBe(2n ** 64n - 1n);
    expect(through(true)).toBe(1n);
    expect(through(true, "bool")).toBe(true);
    expect(through(Number.NaN)).toBeNaN();
    expect(through(Uint8Array.of(1, 2))).toEqual(Uint8Array.of(1, 2));
    expect(through(Uint16Array.of(1, 65535))).toEqual(Uint16Array.of(1, 65535));
    expect(through(Float32Array.of(0.1))).toBe(Math.fround(0.1));
    expect(through(null, "int32")).toBeNull();
    expect(through(1.1, "float32")).toBe(Math.fround(1.1));
  });

  test("get the datatypes that TileDB-Py gives them", () => {
    expect(typeOf("héllo")).toEqual(["string_utf8", 6]);
    expect(typeOf(3)).toEqual(["int64", 1]);
    expect(typeOf(2n)).toEqual(["int64", 1]);
    expect(typeOf(true)).toEqual(["int64", 1]);
    expect(typeOf(0.5)).toEqual(["float64", 1]);
    expect(typeOf(2 ** 60)).toEqual(["float64", 1]);
    expect(typeOf(Uint8Array.of(1))).toEqual(["blob", 1]);
    expect(typeOf(BigInt64Array.of(1n, 2n))).toEqual(["int64", 2]);
  });

  test("that do not fit are refused", () => {
    for (const [value, datatype] of [
      [300, "uint8"],
      [-1, "uint32"],
      [1.5, "int32"],
      [2n ** 64n, "uint64"],
      [2n ** 63n, "int64"],
      [Number.NaN, "int16"],
      [1.5, "int64"],
      [1e300, "float32"],
      [Uint8Array.of(1, 2, 3), "int32"],
    ] as const) {
      expect(() => encodeMetadataValue("k", value, datatype)).toThrow(
        expect.objectContaining({ code: "VALUE", message: expect.stringContaining("metadata k: ") }),
      );
    }
  });

  test("of other string types are text", () => {
    const entry = (
      datatype: "string_utf16" | "string_utf32",
      bytes: number[],
    ): MetadataEntry & { deleted: false } => ({
      key: "k",
      deleted: false,
      datatype,
      count: 1,
      bytes: Uint8Array.from(bytes),
    });
    expect(decodeMetadataValue(entry("string_utf16", [0xe9, 0, 0x3d, 0xd8, 0, 0xde]))).toBe("é😀");
    expect(
      decodeMetadataValue(entry("string_utf32", [0xe9, 0, 0, 0, 0, 0xf6, 1, 0, 255, 255, 255, 255])),
    ).toBe("é😀\ufffd");
  });

  test("empty ones of the official library", async () => {
    const name = "v22/metadata/0";
    const entries = mergeMetadata([readMetadata(await payloadOf({ name, bytes: readGolden(name) }))]);
    expect(decodeMetadataValue(entries.get("empty")!)).toBe("");
    expect(decodeMetadataValue(entries.get("none")!)).toBeNull();
    expect(decodeMetadataValue(entries.get("true")!)).toBe(1n);
    expect(decodeMetadataValue(entries.get("__np_flat_array")!)).toEqual(Uint16Array.of(0, 1, 2, 3, 4, 5));
  });
});

describe("metadata files", () => {
  test("any bytes give entries that are written back the same, or a typed error", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        let entries: MetadataEntry[];
        try {
          entries = readMetadata(bytes);
        } catch (error) {
          expect(isCellarrError(error, "FORMAT")).toBe(true);
          return;
        }
        expect(readMetadata(writeMetadata(entries))).toEqual(entries);
      }),
    );
  });

  test("later files win, and delete", () => {
    const of = (key: string, value: MetadataValue | undefined): MetadataEntry =>
      value === undefined ? { key, deleted: true } : encodeMetadataValue(key, value);
    const merged = mergeMetadata([
      [of("a", 1), of("b", 1), of("c", 1)],
      [of("a", 2), of("b", undefined)],
      [of("b", undefined), of("c", undefined), of("c", 3)],
    ]);
    expect(Array.from(merged, ([key, entry]) => [key, decodeMetadataValue(entry)])).toEqual([
      ["a", 2n],
      ["c", 3n],
    ]);
  });

  test("a count beyond the bytes", () => {
    const bytes = writeMetadata([encodeMetadataValue("k", Float64Array.of(1, 2))]).slice();
    bytes[7] = 255;
    expect(() => readMetadata(bytes, "f")).toThrow(
      "metadata: expected 2040 bytes for value of k at offset 11, 16 left (f)",
    );
  });
});
