import { describe, expect, it } from "vitest";
import { type Datatype, VAR_NUM } from "../../src/format/datatype.js";
import type { FilterSpec } from "../../src/format/filter-pipeline.js";
import { decodeTile, decodeVarTile, encodeTile, encodeVarTile, loadPipeline } from "../../src/format/tile.js";
import { chunkEnds } from "../../src/format/var-tile.js";

const load = (
  filters: FilterSpec[],
  datatype: Datatype,
  options: { cellValNum?: number; maxChunkSize?: number; encode?: boolean } = {},
) =>
  loadPipeline(
    { maxChunkSize: options.maxChunkSize ?? 65536, filters },
    { datatype, cellValNum: options.cellValNum ?? 1, version: 22 },
    { encode: options.encode ?? true },
  );

/** The unfiltered lengths of a tile's chunks. */
function chunkLengths(tile: Uint8Array): number[] {
  const view = new DataView(tile.buffer, tile.byteOffset);
  const lengths: number[] = [];
  for (let i = 0, at = 8; i < view.getUint32(0, true); i++) {
    lengths.push(view.getUint32(at, true));
    at += 12 + view.getUint32(at + 4, true) + view.getUint32(at + 8, true);
  }
  return lengths;
}

describe("chunks of fixed cells", () => {
  it("hold whole cells", async () => {
    const pipeline = await load([], "int32", { cellValNum: 3 });
    const tile = encodeTile(new Uint8Array(12 * 6000), pipeline, 12);
    expect(chunkLengths(tile)).toEqual([65532, 6468]);
  });

  it("hold one cell where that is larger than a chunk should be", async () => {
    const pipeline = await load([], "int32", { maxChunkSize: 10 });
    expect(chunkLengths(encodeTile(new Uint8Array(48), pipeline, 24))).toEqual([24, 24]);
  });

  it("are one with a chunk size of 0", async () => {
    const pipeline = await load([], "int32", { maxChunkSize: 0 });
    expect(chunkLengths(encodeTile(new Uint8Array(400_000), pipeline, 4))).toEqual([400_000]);
  });

  it("are none in an empty tile", async () => {
    const pipeline = await load([{ type: "zstd", level: 3 }], "int32");
    const tile = encodeTile(new Uint8Array(0), pipeline, 4);
    expect([...tile]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    expect(decodeTile(tile, pipeline, 0).byteLength).toBe(0);
  });
});

describe("decoding", () => {
  it("refuses a size other than the chunks', or other memory to decode into", async () => {
    const pipeline = await load([], "uint8");
    const tile = encodeTile(new Uint8Array(10), pipeline, 1);
    expect(() => decodeTile(tile, pipeline, 11, "f")).toThrow(
      /expected 11 bytes of cells, found chunks of 10 \(f\)/,
    );
    expect(() => decodeTile(tile, pipeline, 10, "f", new Uint8Array(9))).toThrow(
      /expected 10 bytes to decode into/,
    );
  });

  it("gives no view of the stored bytes", async () => {
    const pipeline = await load([{ type: "checksum_md5" }], "uint8");
    const tile = encodeTile(Uint8Array.of(1, 2, 3), pipeline, 1);
    const values = decodeTile(tile, pipeline, 3);
    tile.fill(0);
    expect([...values]).toEqual([1, 2, 3]);
  });

  it("does not need the encoder; encoding says so", async () => {
    const writing = await load([{ type: "zstd", level: 3 }], "uint8");
    const reading = await load([{ type: "zstd", level: 3 }], "uint8", { encode: false });
    const tile = encodeTile(Uint8Array.of(1, 2, 3), writing, 1);
    expect([...decodeTile(tile, reading, 3)]).toEqual([1, 2, 3]);
    expect(() => encodeTile(Uint8Array.of(1), reading, 1)).toThrow(/loaded for reading only.*encode: true/);
  });
});

describe("filters that are refused", () => {
  it("names the filter, and the type that it cannot take", async () => {
    const webp = { type: "webp", quality: 100, format: "rgb", lossless: true, extents: [1, 3] } as const;
    await expect(load([webp], "uint8")).rejects.toThrow(/webp filter.*not written/);
    await expect(load([{ type: "dictionary", level: 1 }], "int32")).rejects.toThrow(/dictionary filter/);
    await expect(load([{ type: "delta", level: 1 }], "float64")).rejects.toThrow(/delta filter.*float64/);
    await expect(load([{ type: "positive_delta", maxWindow: 8 }], "float32")).rejects.toThrow(
      /positive_delta filter.*float32/,
    );
    await expect(load([{ type: "delta", level: 1, reinterpret: "int64" }], "float32")).rejects.toThrow(
      /float32 cannot be reinterpreted as int64/,
    );
  });

  it("refuses values that the filter cannot hold", async () => {
    const positive = await load([{ type: "positive_delta", maxWindow: 64 }], "int64");
    const falling = new Uint8Array(BigInt64Array.of(2n, 1n).buffer);
    expect(() => encodeTile(falling, positive, 8)).toThrow(/smaller than the one before/);
    const double = await load([{ type: "double_delta", level: -1 }], "uint64");
    const far = new Uint8Array(BigUint64Array.of(0n, 1n, 2n ** 64n - 1n).buffer);
    expect(() => encodeTile(far, double, 8)).toThrow(/beyond the range of int64/);
    const scaled = await load([{ type: "scale_float", factor: 1, offset: 0, byteWidth: 1 }], "float64");
    for (const value of [128, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => encodeTile(new Uint8Array(Float64Array.of(value).buffer), scaled, 8)).toThrow(
        /does not fit/,
      );
    }
  });
});

describe("chunks of variable-length cells", () => {
  const ends = async (maxChunkSize: number, ...lengths: number[]) => {
    const offsets = new Uint32Array(lengths.length + 1);
    lengths.forEach((length, i) => {
      offsets[i + 1] = offsets[i]! + length;
    });
    return chunkEnds(offsets, await load([], "string_ascii", { cellValNum: VAR_NUM, maxChunkSize }));
  };

  it("end once a cell goes beyond their size", async () => {
    expect(await ends(10, 5, 5, 5, 5)).toEqual([15, 20]);
    expect(await ends(10, 5, 5, 6, 5)).toEqual([10, 21]);
  });

  it("take a cell of any size while they are at most half full", async () => {
    expect(await ends(10, 5, 100, 3)).toEqual([105, 108]);
  });

  it("take a cell up to one and a half times their size", async () => {
    expect(await ends(10, 6, 9, 3)).toEqual([15, 18]);
  });

  it("otherwise end before it, and a larger cell has its own", async () => {
    expect(await ends(10, 6, 10, 6)).toEqual([6, 16, 22]);
    expect(await ends(10, 6, 11, 3)).toEqual([6, 17, 20]);
  });

  it("are as the official library cuts them: see text.large in filters.golden.test.ts", async () => {
    expect(await ends(0, 5, 5, 5)).toEqual([15]);
  });
});

describe("variable-length cells", () => {
  const offsetsPipeline = () => load([], "uint64");

  it("have no offsets of their own where the data code strings", async () => {
    const data = await load([{ type: "rle", level: -1 }], "string_ascii", { cellValNum: VAR_NUM });
    const text = new TextEncoder().encode("aabb");
    const tiles = encodeVarTile(Uint32Array.of(0, 2, 2, 4), text, await offsetsPipeline(), data);
    expect([...tiles.offsets]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
  });

  it("refuses offsets that fall, or that leave the data", async () => {
    const lengths = await offsetsPipeline();
    const data = await load([], "string_ascii", { cellValNum: VAR_NUM });
    const values = new Uint8Array(4);
    const stored = encodeTile(values, data, 1);
    const decode = (...offsets: bigint[]) =>
      decodeVarTile(
        encodeTile(new Uint8Array(BigUint64Array.from(offsets).buffer), lengths, 8),
        stored,
        lengths,
        data,
        offsets.length,
        4,
        "a_var.tdb",
      );
    expect([...decode(0n, 1n, 4n).offsets]).toEqual([0, 1, 4, 4]);
    expect(() => decode(0n, 3n, 2n)).toThrow(/offset of cell 2 .*a_var\.tdb/);
    expect(() => decode(1n, 2n)).toThrow(/offset of cell 0/);
    expect(() => decode(0n, 5n)).toThrow(/offsets up to 5 in 4 bytes/);
    expect(() => decode(0n, 2n ** 32n)).toThrow(/offset of cell 1/);
    expect(() => decode()).toThrow(/in 4 bytes of 0 cells/);
  });

  it("refuses offsets that do not cover the data on writing", async () => {
    const lengths = await offsetsPipeline();
    const data = await load([], "string_ascii", { cellValNum: VAR_NUM });
    expect(() => encodeVarTile(Uint32Array.of(0, 3), new Uint8Array(4), lengths, data)).toThrow(
      /expected offsets from 0 to 4, got 0 to 3/,
    );
  });
});
