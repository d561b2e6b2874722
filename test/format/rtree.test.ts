import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ByteReader } from "../../src/format/byte-reader.js";
import { type Datatype, VAR_NUM } from "../../src/format/datatype.js";
import { buildRTree, type DimensionBounds, readRTree, writeRTree } from "../../src/format/fragment/rtree.js";
import { bytesOfText, compareBytes } from "../../src/format/text-bytes.js";

const dimension = (datatype: Datatype) => ({
  name: datatype,
  datatype,
  cellValNum: datatype === "string_ascii" ? VAR_NUM : 1,
});

/** Rectangles counted level by level, the root first. */
function levelSizes(payload: Uint8Array, bytesEach: number): number[] {
  const reader = new ByteReader(payload, "R-tree");
  reader.skip(4, "fanout");
  return Array.from({ length: reader.u32("levels") }, () => {
    const size = reader.u64n("rectangles");
    reader.skip(size * bytesEach, "rectangles");
    return size;
  });
}

const fixed = (lo: number[], hi: number[]): DimensionBounds => ({
  kind: "fixed",
  lo: Int32Array.from(lo),
  hi: Int32Array.from(hi),
});

describe("R-tree", () => {
  test("has as many levels as the core's: ceil(log10(tiles)) above the tiles", () => {
    const sizes = (tiles: number) => {
      const ends = Array.from({ length: tiles }, (_, i) => i);
      return levelSizes(writeRTree(buildRTree([fixed(ends, ends)])), 8);
    };
    expect(sizes(0)).toEqual([]);
    expect(sizes(1)).toEqual([1]);
    expect(sizes(2)).toEqual([1, 2]);
    expect(sizes(10)).toEqual([1, 10]);
    expect(sizes(11)).toEqual([1, 2, 11]);
    expect(sizes(100)).toEqual([1, 10, 100]);
    expect(sizes(101)).toEqual([1, 2, 11, 101]);
    expect(sizes(1000)).toEqual([1, 10, 100, 1000]);
  });

  test("upper rectangles are the unions of those below", () => {
    const tree = buildRTree([fixed([5, -2, 7], [6, 9, 8])], 2);
    const reader = new ByteReader(writeRTree(tree), "R-tree");
    const numbers: number[] = [];
    while (reader.remaining > 0) numbers.push(reader.i32("number"));
    // fanout, levels, then per level a 64-bit count and pairs
    expect(numbers).toEqual([2, 3, 1, 0, -2, 9, 2, 0, -2, 9, 7, 8, 3, 0, 5, 6, -2, 9, 7, 8]);
  });

  test("ends of any datatypes come back, whatever they are beside", () => {
    const numbers = fc.array(
      fc.tuple(fc.double(), fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), fc.string(), fc.integer()),
      {
        maxLength: 40,
      },
    );
    fc.assert(
      fc.property(numbers, fc.integer({ min: 2, max: 12 }), fc.boolean(), (cells, fanout, withText) => {
        const bounds: DimensionBounds[] = [
          {
            kind: "fixed",
            lo: Float64Array.from(cells, ([x]) => x),
            hi: Float64Array.from(cells, ([x]) => x / 2),
          },
          {
            kind: "fixed",
            lo: BigInt64Array.from(cells, ([, x]) => x),
            hi: BigInt64Array.from(cells, ([, x]) => -x),
          },
          {
            kind: "fixed",
            lo: Int16Array.from(cells, (c) => c[3]),
            hi: Int16Array.from(cells, (c) => ~c[3]),
          },
        ];
        const dimensions = [dimension("float64"), dimension("datetime_ns"), dimension("int16")];
        if (withText) {
          bounds.splice(1, 0, { kind: "text", lo: cells.map((c) => c[2]), hi: cells.map((c) => `${c[2]}z`) });
          dimensions.splice(1, 0, dimension("string_ascii"));
        }
        const payload = writeRTree(buildRTree(bounds, fanout));
        const read = readRTree(payload, dimensions);
        expect(read).toEqual({ fanout, tileCount: cells.length, bounds });
        expect(writeRTree(read)).toEqual(payload);
      }),
    );
  });

  test("text unions follow bytes, not UTF-16", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: fc.constantFrom("a", "\0", "é", "\uffee", "𝒳") }), {
          minLength: 2,
          maxLength: 9,
        }),
        (texts) => {
          const tree = buildRTree([{ kind: "text", lo: texts, hi: texts }]);
          const reader = new ByteReader(writeRTree(tree), "R-tree", undefined, 16);
          const size = reader.u64n("size");
          const start = reader.u64n("start");
          const sorted = texts.map(bytesOfText).sort(compareBytes);
          expect(reader.take(start, "low")).toEqual(sorted[0]);
          expect(reader.take(size - start, "high")).toEqual(sorted.at(-1));
        },
      ),
    );
  });

  test("says what is wrong", () => {
    const read = (bytes: number[]) => () => readRTree(Uint8Array.from(bytes), [dimension("int32")], "f");
    expect(read([1, 0, 0, 0, 0, 0, 0, 0])).toThrow("R-tree: fanout is 1, expected at least 2 (f)");
    expect(read([10, 0, 0, 0, 0, 0, 0, 0, 9])).toThrow("1 unexpected bytes at offset 8");
    expect(read([10, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3])).toThrow(
      "number of rectangles at offset 8 is 2, needing at least 16 bytes, 3 left",
    );
    const huge = [10, 0, 0, 0, 255, 255, 255, 255];
    expect(read(huge)).toThrow("number of levels at offset 4 is 4294967295");
  });
});
