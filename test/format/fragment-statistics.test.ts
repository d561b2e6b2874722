import { describe, expect, test } from "vitest";
import { fieldIndex, fieldNames, isVarField } from "../../src/format/fragment/fragment-fields.js";
import {
  readFragmentMinMaxSumNull,
  readTileMinMax,
  readTileNumbers,
  readTileSums,
  type TileExtremes,
} from "../../src/format/fragment/fragment-sections.js";
import {
  coordsFieldMetadata,
  emptyFieldMetadata,
  extremeOf,
  hasMinMax,
  statisticsFields,
  sumOf,
  sumsAs,
  sumType,
  varExtremes,
} from "../../src/format/fragment/fragment-statistics.js";
import { type GoldenFragment, goldenFiles, goldenFragment, readGolden } from "./golden-files.js";

/** The payload of a section such as "mins 3". */
function section(fragment: GoldenFragment, name: string): Uint8Array {
  const found = fragment.sections.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`${fragment.name} has no ${name}`);
  return found.payload;
}

function statisticsOf(fragment: GoldenFragment, index: number) {
  const isVar = isVarField(fragment.schema, index);
  return {
    mins: readTileMinMax(section(fragment, `mins ${index}`), isVar),
    maxes: readTileMinMax(section(fragment, `maxes ${index}`), isVar),
    sums: readTileSums(section(fragment, `sums ${index}`)),
    nullCounts: readTileNumbers(section(fragment, `null counts ${index}`), "null counts"),
    tileCount: readTileNumbers(section(fragment, `tile offsets ${index}`), "tile offsets").length,
    fragment: readFragmentMinMaxSumNull(section(fragment, "fragment statistics"))[index]!,
  };
}

const load = (name: string) => goldenFragment({ name, bytes: readGolden(name) });

describe("rules of what is there, in every official file", () => {
  for (const file of goldenFiles("fragment", ".metadata")) {
    test(file.name, async () => {
      const fragment = await goldenFragment(file);
      const { schema, footer } = fragment;
      const fields = statisticsFields(schema, footer);
      const coords = schema.attributes.length;
      fieldNames(schema, footer).forEach((name, index) => {
        const found = statisticsOf(fragment, index);
        const isDimension = index > coords && index <= coords + schema.dimensions.length;
        const expectsExtremes = !isDimension && hasMinMax(fields[index]!);
        const expectsSums = sumType(fields[index]!) !== null && !(isDimension && footer.dense);
        const nullable = schema.attributes[index]?.nullable === true;
        expect({
          name,
          mins: found.mins !== null,
          maxes: found.maxes !== null,
          sums: found.sums.length,
          nulls: found.nullCounts.length,
        }).toEqual({
          name,
          mins: expectsExtremes,
          maxes: expectsExtremes,
          sums: expectsSums ? found.tileCount : 0,
          nulls: nullable ? found.tileCount : 0,
        });
      });
    });

    test(`${file.name}: fields without files`, async () => {
      const fragment = await goldenFragment(file);
      const { schema, footer } = fragment;
      const coords = schema.attributes.length;
      const found = statisticsOf(fragment, coords);
      const made = coordsFieldMetadata(schema, found.tileCount);
      expect({ mins: found.mins, maxes: found.maxes, sums: found.sums, statistics: found.fragment }).toEqual({
        mins: made.mins,
        maxes: made.maxes,
        sums: made.sums,
        statistics: made.statistics,
      });
      if (!footer.dense) return;
      const dimension = statisticsOf(fragment, coords + 1);
      const empty = emptyFieldMetadata(dimension.tileCount);
      expect(dimension.fragment).toEqual(empty.statistics);
      expect(readTileNumbers(section(fragment, `tile offsets ${coords + 1}`), "")).toEqual(empty.tileOffsets);
    });
  }
});

describe("values", () => {
  const floats = (extremes: TileExtremes | null) => {
    if (extremes?.kind !== "fixed") throw new Error("expected fixed extremes");
    return Array.from(new Float32Array(extremes.values.slice().buffer));
  };
  const texts = (extremes: TileExtremes | null, tiles: number, cellBytes = 0) =>
    Array.from({ length: tiles }, (_, tile) =>
      Buffer.from(extremeOf(extremes!, tile, cellBytes)).toString("latin1"),
    );

  test("NaN forgets what came before it, and the sum tells of it", async () => {
    const fragment = await load("v22/fragment/sparse-types/0.metadata");
    const { mins, maxes, sums } = statisticsOf(fragment, fieldIndex(fragment.schema, "float32"));
    // Tiles [1.5, NaN, -Infinity], [2, 0.1, -0], [3e38]
    expect(floats(mins)).toEqual([Number.NEGATIVE_INFINITY, -0, Math.fround(3e38)]);
    expect(floats(maxes)).toEqual([Number.NEGATIVE_INFINITY, 2, Math.fround(3e38)]);
    const typed = sumsAs(sums, "float64");
    expect(typed[0]).toBeNaN();
    expect(typed[2]).toBe(Math.fround(3e38));
  });

  test("sums that overflow stay at the end of their type", async () => {
    const fragment = await load("v22/fragment/sparse-types/0.metadata");
    const int64 = statisticsOf(fragment, fieldIndex(fragment.schema, "int64"));
    // 2^60 times [3, -4, 0], [5, -1, 2], [9]; 9 * 2^60 is beyond int64 and wraps in the cell already.
    expect(sumsAs(int64.sums, "int64")).toEqual(
      BigInt64Array.of(-(2n ** 60n), 6n * 2n ** 60n, -7n * 2n ** 60n),
    );
    const uint64 = statisticsOf(fragment, fieldIndex(fragment.schema, "uint64"));
    // 2^60 times [3, 4, 0], [5, 1, 2], [9]: 24 * 2^60 in all.
    expect(sumOf(uint64.fragment.sum, "uint64")).toBe(2n ** 64n - 1n);
    const float64 = statisticsOf(fragment, fieldIndex(fragment.schema, "float64"));
    expect(sumsAs(float64.sums, "float64")[0]).toBe(Number.MAX_VALUE);
  });

  test("strings compare as unsigned bytes up to a NUL; char too, though its sum is signed", async () => {
    const fragment = await load("v22/fragment/sparse-types/0.metadata");
    const of = (name: string) => statisticsOf(fragment, fieldIndex(fragment.schema, name));
    expect(texts(of("ascii").mins, 3)).toEqual(["b", "", "f"]);
    expect(texts(of("ascii").maxes, 3)).toEqual(["zzz", "dd", "f"]);
    expect(texts(of("chars").mins, 3, 3)).toEqual(["abc", "ccc", "f\0\0"]);
    expect(texts(of("char").mins, 3, 1)).toEqual(["a", "c", "f"]);
    expect(texts(of("char").maxes, 3, 1)).toEqual(["\xff", "e", "f"]);
    expect(sumsAs(of("char").sums, "int64")[0]).toBe(97n + 98n - 1n);
    // "c", "d\0b", "d\0a": after the NUL nothing counts, so the first of the two stays the largest.
    expect(texts(of("bytes").maxes, 3)[1]).toBe("d\0b");
  });

  test("a tile of nulls alone, and null counts of text without mins", async () => {
    const fragment = await load("v22/fragment/nullable/0.metadata");
    const of = (name: string) => statisticsOf(fragment, fieldIndex(fragment.schema, name));
    // Tiles [3, -, 1], [-, -, -], [8, 7, 9], [-, 2]
    expect(Array.from(of("i").nullCounts)).toEqual([1, 3, 0, 1]);
    expect(Array.from(extremeOf(of("i").mins!, 1, 2))).toEqual([0, 0]);
    expect(texts(of("s").mins, 4)).toEqual(["v", "", "vvvvvvv", "vv"]);
    expect(Array.from(of("t").nullCounts)).toEqual([0, 0, 0, 0]);
    expect(of("t").mins).toBeNull();
    expect(of("i").fragment).toMatchObject({
      min: Uint8Array.of(1, 0),
      max: Uint8Array.of(9, 0),
      sum: 30n,
      nullCount: 5,
    });
  });

  test("var-length extremes can be made from values", async () => {
    const fragment = await load("v22/fragment/nullable/0.metadata");
    const { mins } = statisticsOf(fragment, fieldIndex(fragment.schema, "s"));
    const values = ["v", "", "vvvvvvv", "vv"].map((text) => new TextEncoder().encode(text));
    expect(varExtremes(values)).toEqual(mins);
  });
});
