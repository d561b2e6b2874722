import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ValueError } from "../../src/errors.js";
import { type Datatype, datatypeInfo, datatypes, VAR_NUM } from "../../src/format/datatype.js";
import type { FilterSpec } from "../../src/format/filter-pipeline.js";
import { decodeTile, decodeVarTile, encodeTile, encodeVarTile, loadPipeline } from "../../src/format/tile.js";
import { bytesOf } from "../../src/util/typed-arrays.js";

/** What goes in comes out: each filter, each datatype, pipelines of up to four filters, chunks of any size. */

const window = fc.constantFrom(1, 2, 7, 8, 30, 256, 1024);
const level = fc.constantFrom(-1, 1, 5, 9);
const plainFilter: fc.Arbitrary<FilterSpec> = fc.oneof(
  fc.record({ type: fc.constantFrom("gzip", "zstd", "lz4", "rle", "bzip2"), level }),
  fc.constantFrom<FilterSpec>(
    { type: "none" },
    { type: "bitshuffle" },
    { type: "byteshuffle" },
    { type: "checksum_md5" },
    { type: "checksum_sha256" },
    { type: "xor" },
  ),
  window.map((maxWindow): FilterSpec => ({ type: "bit_width_reduction", maxWindow })),
  level.map((each): FilterSpec => ({ type: "delta", level: each })),
);
const anyFilter: fc.Arbitrary<FilterSpec> = fc.oneof(
  { weight: 4, arbitrary: plainFilter },
  { weight: 1, arbitrary: window.map((maxWindow): FilterSpec => ({ type: "positive_delta", maxWindow })) },
  { weight: 1, arbitrary: level.map((each): FilterSpec => ({ type: "double_delta", level: each })) },
);

/** Values of a type: runs, ramps, small numbers or anything. */
function valuesOf(datatype: Datatype): fc.Arbitrary<Uint8Array> {
  const width = datatypeInfo(datatype).bytes;
  const noise = fc.uint8Array({ maxLength: 400 * width });
  const runs = fc
    .array(fc.tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 1, max: 40 })), { maxLength: 12 })
    .map((pairs) => Uint8Array.from(pairs.flatMap(([value, count]) => cells(count, width, () => value))));
  const ramp = fc
    .tuple(fc.integer({ min: 0, max: 1000 }), fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 60 }))
    .map(([start, step, count]) => Uint8Array.from(cells(count, width, (i) => start + i * step)));
  return fc.oneof(noise, runs, ramp).map((raw) => raw.slice(0, raw.length - (raw.length % width)));
}

function cells(count: number, width: number, value: (index: number) => number): number[] {
  const bytes: number[] = [];
  for (let i = 0; i < count; i++) {
    for (let byte = 0; byte < width; byte++) bytes.push(Math.floor(value(i) / 256 ** byte) % 256);
  }
  return bytes;
}

/** Encodes, unless the official library too would refuse the values or the combination. */
function tryEncode(encode: () => Uint8Array): Uint8Array | undefined {
  try {
    return encode();
  } catch (error) {
    if (error instanceof ValueError) return undefined;
    if (error instanceof Error && /put it first in the pipeline|are not values of/.test(error.message))
      return undefined;
    throw error;
  }
}

const numeric = datatypes.filter((info) => info.kind !== "float").map((info) => info.name);

describe("fixed cells", () => {
  it.each(numeric)("%s through any pipeline", async (datatype) => {
    let encodedSome = 0;
    await fc.assert(
      fc.asyncProperty(
        valuesOf(datatype),
        fc.array(anyFilter, { maxLength: 4 }),
        fc.constantFrom(0, 8, 100, 65536),
        fc.constantFrom(19, 22),
        async (values, filters, maxChunkSize, version) => {
          const context = { datatype, cellValNum: 1, version };
          const usable = filters.filter((spec) => accepts(spec, datatype));
          const pipeline = await loadPipeline({ maxChunkSize, filters: usable }, context, { encode: true });
          const before = values.slice();
          const tile = tryEncode(() => encodeTile(values, pipeline, datatypeInfo(datatype).bytes));
          expect(Buffer.compare(values, before)).toBe(0);
          if (tile === undefined) return;
          encodedSome++;
          // Decoding must not care where in memory the tile, or what it is decoded into, begins.
          const shifted = new Uint8Array(tile.byteLength + 3).subarray(3);
          shifted.set(tile);
          const into = new Uint8Array(values.byteLength + 1).subarray(1);
          expect(
            Buffer.compare(decodeTile(shifted, pipeline, values.byteLength, undefined, into), values),
          ).toBe(0);
          expect(Buffer.compare(decodeTile(tile, pipeline, values.byteLength), values)).toBe(0);
        },
      ),
      { numRuns: 40 },
    );
    expect(encodedSome).toBeGreaterThan(5);
  });

  it("several values per cell in runs", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(1, 2, 70_000), { maxLength: 90 }), async (drawn) => {
        const values = bytesOf(Int32Array.from(drawn.slice(0, drawn.length - (drawn.length % 3))));
        const pipeline = await loadPipeline(
          {
            maxChunkSize: 50,
            filters: [
              { type: "rle", level: -1 },
              { type: "lz4", level: -1 },
            ],
          },
          { datatype: "int32", cellValNum: 3, version: 22 },
          { encode: true },
        );
        const tile = encodeTile(values, pipeline, 12);
        expect(Buffer.compare(decodeTile(tile, pipeline, values.byteLength), values)).toBe(0);
      }),
    );
  });
});

function accepts(spec: FilterSpec, datatype: Datatype): boolean {
  const windowed = spec.type === "bit_width_reduction" || spec.type === "positive_delta";
  return !windowed || /^(u?int|datetime|time|bool|blob|geom)/.test(datatype);
}

const floatFilter: fc.Arbitrary<FilterSpec> = fc.constantFrom<FilterSpec>(
  { type: "gzip", level: -1 },
  { type: "byteshuffle" },
  { type: "bitshuffle" },
  { type: "xor" },
  { type: "delta", level: -1, reinterpret: "int32" },
  { type: "delta", level: -1, reinterpret: "uint8" },
  { type: "double_delta", level: -1, reinterpret: "int16" },
);

describe("floats", () => {
  it.each(["float32", "float64"] as const)("%s, also reinterpreted", async (datatype) => {
    await fc.assert(
      fc.asyncProperty(valuesOf(datatype), floatFilter, async (values, filter) => {
        const context = { datatype, cellValNum: 1, version: 22 };
        const pipeline = await loadPipeline({ maxChunkSize: 64, filters: [filter] }, context, {
          encode: true,
        });
        const tile = encodeTile(values, pipeline, datatypeInfo(datatype).bytes);
        expect(Buffer.compare(decodeTile(tile, pipeline, values.byteLength), values)).toBe(0);
      }),
    );
  });
});

describe("variable-length cells", () => {
  const first = fc.constantFrom<FilterSpec | null>(
    null,
    { type: "rle", level: -1 },
    { type: "dictionary", level: -1 },
  );
  const word = fc.oneof(fc.constantFrom("", "lung", "T cell", "é"), fc.string({ maxLength: 12 }));
  const repeated = fc
    .array(fc.tuple(word, fc.integer({ min: 1, max: 9 })), { maxLength: 20 })
    .map((pairs) => pairs.flatMap(([text, count]) => Array<string>(count).fill(text)));

  it.each(["string_ascii", "string_utf8"] as const)("%s", async (datatype) => {
    await fc.assert(
      fc.asyncProperty(
        repeated,
        first,
        fc.array(plainFilter, { maxLength: 2 }),
        fc.constantFrom(0, 16, 65536),
        fc.constantFrom(12, 16, 22),
        async (strings, coding, others, maxChunkSize, version) => {
          if (coding?.type === "dictionary" && (version < 13 || (version < 17 && datatype === "string_utf8")))
            return;
          const usable = others.filter((spec) => spec.type !== "rle" && accepts(spec, datatype));
          const filters = coding === null ? usable : [coding, ...usable];
          const context = { datatype, cellValNum: VAR_NUM, version };
          const data = await loadPipeline({ maxChunkSize, filters }, context, { encode: true });
          const lengths = await loadPipeline(
            { maxChunkSize, filters: [{ type: "double_delta", level: -1 }] },
            { datatype: "uint64", cellValNum: 1, version },
            { encode: true },
          );
          const encoder = new TextEncoder();
          const parts = strings.map((text) => encoder.encode(text));
          const offsets = new Uint32Array(parts.length + 1);
          parts.forEach((part, i) => {
            offsets[i + 1] = offsets[i]! + part.byteLength;
          });
          const values = new Uint8Array(Buffer.concat(parts));
          const tiles = encodeVarTile(offsets, values, lengths, data);
          const back = decodeVarTile(
            tiles.offsets,
            tiles.data,
            lengths,
            data,
            strings.length,
            values.byteLength,
          );
          expect(back.offsets).toEqual(offsets);
          expect(Buffer.compare(back.data, values)).toBe(0);
        },
      ),
      { numRuns: 200 },
    );
  });
});
