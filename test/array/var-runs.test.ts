import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { joinRuns, onlyRun, type VarRun } from "../../src/array/read/var-runs.js";
import { decodeVarTile, encodeVarTile, loadPipeline } from "../../src/format/tile.js";

/** Columns of texts from runs of tiles equal those put together cell by cell. */

const utf8 = new TextEncoder();

function cellsOf(texts: readonly string[], before = "") {
  const offsets = new Uint32Array(texts.length + 1);
  const parts = [before, ...texts].map((text) => utf8.encode(text));
  let at = parts[0]!.length;
  for (const [i, part] of parts.slice(1).entries()) {
    offsets[i] = at;
    at += part.length;
  }
  offsets[texts.length] = at;
  return {
    offsets,
    data: Uint8Array.from([...utf8.encode(parts.length ? before : ""), ...utf8.encode(texts.join(""))]),
  };
}

const texts = fc.array(fc.string({ maxLength: 5 }), { maxLength: 12 });

describe("runs of text cells", () => {
  it("join in any order to what the cells are", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(texts, fc.string({ maxLength: 3 })), { maxLength: 5 }),
        fc.nat(),
        (tiles, seed) => {
          let to = 0;
          const runs: VarRun[] = tiles.map(([cells, before]) => {
            const run = { cells: cellsOf(cells, before), to };
            to += cells.length;
            return run;
          });
          const filled = runs.filter((run) => run.cells.offsets.length > 1);
          const turned = filled.map((_, i) => filled[(i + seed) % filled.length]!);
          const all = tiles.flatMap(([cells]) => cells);
          expect(joinRuns(turned, all.length, "a")).toEqual(cellsOf(all));
        },
      ),
    );
  });

  it("are no column where they overlap or leave cells out", () => {
    const three = cellsOf(["a", "b", "c"]);
    expect(joinRuns([{ cells: three, to: 0 }], 4, "a")).toBeNull();
    expect(joinRuns([{ cells: three, to: 1 }], 4, "a")).toBeNull();
    expect(
      joinRuns(
        [
          { cells: three, to: 0 },
          { cells: three, to: 2 },
        ],
        5,
        "a",
      ),
    ).toBeNull();
    expect(
      joinRuns(
        [
          { cells: three, to: 0 },
          { cells: three, to: 0 },
        ],
        3,
        "a",
      ),
    ).toBeNull();
  });

  it("are found only where a tile gives one, next to one another", () => {
    const layout = { tileStrides: [1], resultStrides: [1], colMajor: false };
    const piece = { inTile: 4, inResult: 2, length: 3 };
    expect(onlyRun({ tile: 0, pieces: [[piece]] }, layout)).toEqual({ from: 4, to: 2, length: 3 });
    expect(onlyRun({ tile: 0, pieces: [[piece, piece]] }, layout)).toBeNull();
    expect(onlyRun({ tile: 0, pieces: [[piece], [piece]] }, layout)).toBeNull();
    expect(onlyRun({ tile: 0, pieces: [[piece]] }, { ...layout, resultStrides: [2] })).toBeNull();
  });

  it.each(["zstd", "rle", "dictionary"] as const)(
    "are what decoding the whole tile gives, %s",
    async (type) => {
      const offsets = { maxChunkSize: 65536, filters: [{ type: "zstd", level: 1 }] } as const;
      const values = { maxChunkSize: 65536, filters: [{ type, level: 1 }] } as const;
      const context = { datatype: "string_ascii", cellValNum: 0xffffffff, version: 22 } as const;
      const lengths = await loadPipeline(
        offsets,
        { datatype: "uint64", cellValNum: 1, version: 22 },
        { encode: true },
      );
      const data = await loadPipeline(values, context, { encode: true });
      const ascii = fc.array(fc.constantFrom("", "x", "lung", "heart"), { minLength: 1, maxLength: 20 });
      fc.assert(
        fc.property(ascii, fc.nat(), fc.nat(), (cells, a, b) => {
          const own = cellsOf(cells);
          const [from, to] = [a % (cells.length + 1), b % (cells.length + 1)].sort((x, y) => x - y) as [
            number,
            number,
          ];
          const stored = encodeVarTile(own.offsets, own.data, lengths, data);
          const size = own.data.byteLength;
          const part = decodeVarTile(stored.offsets, stored.data, lengths, data, cells.length, size, "f", [
            from,
            to,
          ]);
          if (to > from) expect(part.offsets).toEqual(own.offsets.slice(from, to + 1));
          expect(part.data).toEqual(own.data);
        }),
      );
    },
  );
});
