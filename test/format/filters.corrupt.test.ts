import { readdirSync, readFileSync } from "node:fs";
import { inflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { CellarrError, isCellarrError } from "../../src/errors.js";
import { type Datatype, VAR_NUM } from "../../src/format/datatype.js";
import type { FilterSpec } from "../../src/format/filter-pipeline.js";
import { decodeTile, decodeVarTile, loadPipeline } from "../../src/format/tile.js";

/**
 * Official tiles that were cut or changed: reading them gives bytes of the right length or an error of this package,
 * soon, and without memory that the file cannot account for.
 */

const folder = new URL("../../spec-fixtures/filters/v22/", import.meta.url);
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "base64"));

interface Golden {
  readonly version: number;
  readonly datatype: Datatype;
  readonly cellValNum?: number;
  readonly offsets?: number[];
  readonly values: string;
  readonly cases: {
    filters: FilterSpec[];
    tile: string;
    offsetsFilters?: FilterSpec[];
    offsetsTile?: string;
  }[];
}

/** Returns the data, or undefined where the tile was refused as it should be. */
type Decode = (tile: Uint8Array) => Uint8Array;

function outcome(decode: Decode, tile: Uint8Array): Uint8Array | undefined {
  try {
    return decode(tile);
  } catch (error) {
    if (!(error instanceof CellarrError)) throw error;
    expect(["FORMAT", "LIMIT", "UNSUPPORTED"]).toContain(error.code);
    return undefined;
  }
}

function attack(decode: Decode, tile: Uint8Array, values: Uint8Array): void {
  const step = Math.max(1, Math.floor(tile.byteLength / 80));
  for (let length = 0; length < tile.byteLength; length += step) {
    const cut = outcome(decode, tile.slice(0, length));
    if (cut !== undefined) throw new Error(`a tile cut to ${length} of ${tile.byteLength} bytes was read`);
  }
  expect(outcome(decode, Uint8Array.from([...tile, 0]))).toBeUndefined();
  for (let at = 0; at < tile.byteLength; at += step) {
    for (const flip of [0x01, 0x80, 0xff]) {
      const changed = tile.slice();
      changed[at]! ^= flip;
      const found = outcome(decode, changed);
      if (found !== undefined) expect(found.byteLength).toBe(values.byteLength);
    }
  }
}

async function decoderOf(golden: Golden, each: Golden["cases"][number], size: number): Promise<Decode> {
  const { datatype, version } = golden;
  const pipeline = (filters: FilterSpec[], type: Datatype, cellValNum: number) =>
    loadPipeline({ maxChunkSize: 65536, filters }, { datatype: type, cellValNum, version });
  if (golden.offsets === undefined) {
    const fixed = await pipeline(each.filters, datatype, golden.cellValNum ?? 1);
    return (tile) => decodeTile(tile, fixed, size, "a.tdb");
  }
  const data = await pipeline(each.filters, datatype, VAR_NUM);
  const lengths = await pipeline(each.offsetsFilters!, "uint64", 1);
  const cells = golden.offsets.length - 1;
  return (tile) => decodeVarTile(bytes(each.offsetsTile!), tile, lengths, data, cells, size, "a.tdb").data;
}

for (const file of [
  "int32.increasing",
  "int64.small",
  "uint32.random",
  "float32",
  "text.ascii",
  "text.utf8",
  "int8.small",
]) {
  const golden: Golden = JSON.parse(readFileSync(new URL(`${file}.json`, folder), "utf8"));
  const values = new Uint8Array(inflateSync(bytes(golden.values)));
  describe(`${file}, cut and changed`, () => {
    it.each(
      golden.cases.map(
        (each) => [each.filters.map((spec) => spec.type).join(" ") || "no filter", each] as const,
      ),
    )("%s", async (_, each) => {
      attack(await decoderOf(golden, each, values.byteLength), bytes(each.tile), values);
    });
  });
}

it("covers files that are there", () => {
  expect(readdirSync(folder)).toContain("int32.increasing.json");
});

describe("checksums", () => {
  const golden: Golden = JSON.parse(readFileSync(new URL("int32.increasing.json", folder), "utf8"));
  const size = inflateSync(bytes(golden.values)).byteLength;
  const summed = golden.cases.filter((each) => each.filters.some((spec) => spec.type.startsWith("checksum")));
  it.each(summed.map((each) => [each.filters.map((spec) => spec.type).join(" "), each] as const))(
    "%s: no changed byte of the data goes unseen",
    async (_, each) => {
      const decode = await decoderOf(golden, each, size);
      const tile = bytes(each.tile);
      const before = Buffer.from(decode(tile));
      const metadata = new DataView(tile.buffer, tile.byteOffset).getUint32(16, true);
      for (let at = 20 + metadata; at < tile.byteLength; at++) {
        const changed = tile.slice();
        changed[at]! ^= 0x10;
        const found = outcome(decode, changed);
        // Compressed streams have bits that mean nothing.
        if (found !== undefined) expect(before.compare(found)).toBe(0);
      }
    },
  );

  it("names the checksum that does not hold, and the file", async () => {
    const each = golden.cases.find(
      (one) => one.filters.length === 1 && one.filters[0]!.type === "checksum_md5",
    )!;
    const decode = await decoderOf(golden, each, size);
    const tile = bytes(each.tile);
    tile[tile.byteLength - 1]! ^= 1;
    expect(() => decode(tile)).toThrow(/checksum_md5 filter: the checksum of data does not hold.*a\.tdb/);
  });
});

describe("claims of memory", () => {
  const none = loadPipeline(
    { maxChunkSize: 65536, filters: [] },
    { datatype: "uint8", cellValNum: 1, version: 22 },
  );
  const rle = loadPipeline(
    {
      maxChunkSize: 65536,
      filters: [
        { type: "rle", level: -1 },
        { type: "zstd", level: 3 },
      ],
    },
    { datatype: "uint8", cellValNum: 1, version: 22 },
  );

  function tileOf(chunks: number, ...lengths: number[]): Uint8Array {
    const tile = new Uint8Array(8 + lengths.length * 4);
    const view = new DataView(tile.buffer);
    view.setBigUint64(0, BigInt(chunks), true);
    for (const [i, length] of lengths.entries()) view.setUint32(8 + i * 4, length, true);
    return tile;
  }

  it("refuses a chunk of 4 GB in 12 bytes, even if the caller expects it", async () => {
    const pipeline = await none;
    expect(() => decodeTile(tileOf(1, 0xffffffff, 0, 0), pipeline, 0xffffffff)).toThrow(
      /claims 4294967295 bytes/,
    );
  });

  it("refuses more chunks than there are bytes for", async () => {
    const pipeline = await none;
    expect(() => decodeTile(tileOf(2 ** 40), pipeline, 10)).toThrow(/number of chunks .* is 1099511627776/);
  });

  it("refuses parts between filters that the chunk cannot account for", async () => {
    const pipeline = await rle;
    const tile = tileOf(1, 10, 4, 16, 0, 1, 0xfffffff0, 4, 0);
    let error: unknown;
    try {
      decodeTile(tile, pipeline, 10);
    } catch (caught) {
      error = caught;
    }
    expect(isCellarrError(error, "FORMAT")).toBe(true);
    expect(String(error)).toMatch(/4294967280 bytes, more than/);
  });
});
