import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { FilterSpec } from "../../src/format/filter-pipeline.js";
import { decodeTile, encodeTile, loadPipeline } from "../../src/format/tile.js";

/** Filters before a compressor put out memory that is used again for the next chunk: no chunk may lose its data to it. */

const zstd: FilterSpec = { type: "zstd", level: 1 };
const chains: readonly (readonly FilterSpec[])[] = [
  [{ type: "delta", level: -1 }, zstd],
  [{ type: "delta", level: -1 }, { type: "byteshuffle" }, zstd],
  [{ type: "byteshuffle" }, zstd],
  [{ type: "byteshuffle" }, { type: "delta", level: -1, reinterpret: "uint8" }, zstd],
  [{ type: "byteshuffle" }, { type: "byteshuffle" }],
  [
    { type: "delta", level: -1 },
    { type: "checksum_md5" },
    { type: "byteshuffle" },
    { type: "gzip", level: 6 },
  ],
  [zstd, { type: "byteshuffle" }],
];

const cells = fc.array(fc.oneof(fc.nat(3), fc.nat(300), fc.nat(0xffffffff)), {
  minLength: 1,
  maxLength: 3000,
});

describe("tiles of many chunks", () => {
  for (const filters of chains) {
    for (const withoutRepeats of [false, true]) {
      const name = `${filters.map(({ type }) => type).join(", ")}${withoutRepeats ? ", runs only" : ""}`;
      it(`come back: ${name}`, async () => {
        const context = { datatype: "uint32", cellValNum: 1, version: 22 } as const;
        const pipeline = { filters, maxChunkSize: 1000 };
        const writing = await loadPipeline(pipeline, context, { encode: true, withoutRepeats });
        const reading = await loadPipeline(pipeline, context);
        await fc.assert(
          fc.asyncProperty(cells, cells, async (first, second) => {
            const tiles = [first, second].map((list) => new Uint8Array(Uint32Array.from(list).buffer));
            const stored = tiles.map((tile) => encodeTile(tile, writing, 4));
            for (const [at, tile] of tiles.entries()) {
              expect(Buffer.compare(decodeTile(stored[at]!, reading, tile.length), tile)).toBe(0);
            }
          }),
          { numRuns: 25 },
        );
      });
    }
  }
});
