import { describe, expect, test } from "vitest";
import type { Column } from "../../src/array/columns.js";
import { attributeFields } from "../../src/array/fields.js";
import { defineSchema } from "../../src/array/write/schema-input.js";
import { StatisticsCollector } from "../../src/array/write/tile-statistics.js";
import type { AttributeInput } from "../../src/array/write/write-types.js";
import { datatypeInfo } from "../../src/format/datatype.js";
import { sumOf, sumType } from "../../src/format/fragment/fragment-statistics.js";
import { type TypedArray, viewAs } from "../../src/util/typed-arrays.js";

/** Statistics of one tile of values (null: not valid). */
function statisticsOf(attribute: Omit<AttributeInput, "name">, values: TypedArray, validity?: Uint8Array) {
  const schema = defineSchema({
    arrayType: "sparse",
    dimensions: [{ name: "d", datatype: "int8", domain: [0, 9] }],
    attributes: [{ ...attribute, name: "a" }],
  });
  const [field] = attributeFields(schema);
  const collector = new StatisticsCollector(field!);
  const { datatype } = attribute;
  const column: Column = { kind: "fixed", datatype, cellValNum: 1, values, ...(validity && { validity }) };
  collector.add(column, 0, values.length);
  collector.endTile(values.length);
  const { mins, maxes, statistics } = collector.finish();
  const first = (of: typeof mins) =>
    of?.kind === "fixed" ? viewAs(of.values, datatypeInfo(datatype).array)[0] : undefined;
  const sum = sumOf(statistics.sum, sumType(field!)!);
  return { min: first(mins), max: first(maxes), sum, nulls: statistics.nullCount };
}

describe("statistics of a tile", () => {
  test("a NaN is no smallest or largest value, wherever it stands, but shows in the sum", () => {
    for (const values of [
      [Number.NaN, 5, 1],
      [5, Number.NaN, 1],
      [5, 1, Number.NaN],
    ]) {
      const found = statisticsOf({ datatype: "float32" }, Float32Array.from(values));
      expect(found).toEqual({ min: 1, max: 5, sum: Number.NaN, nulls: 0 });
    }
  });

  test("sums stop at the ends of their type", () => {
    const large = 2n ** 62n;
    const sums = [
      statisticsOf({ datatype: "int64" }, BigInt64Array.of(large, large, large)).sum,
      statisticsOf({ datatype: "int64" }, BigInt64Array.of(-large, -large, -large)).sum,
      statisticsOf({ datatype: "uint64" }, BigUint64Array.of(2n ** 63n, 2n ** 63n)).sum,
      statisticsOf({ datatype: "float64" }, Float64Array.of(1e308, 1e308)).sum,
      statisticsOf({ datatype: "float64" }, Float64Array.of(-1e308, -1e308)).sum,
    ];
    const expected = [2n ** 63n - 1n, -(2n ** 63n), 2n ** 64n - 1n, Number.MAX_VALUE, -Number.MAX_VALUE];
    expect(sums).toEqual(expected);
  });

  test("64-bit values compare by both halves", () => {
    const values = [2n ** 32n, -1n, 2n ** 32n + 1n, -(2n ** 40n), 0xffffffffn];
    const found = statisticsOf({ datatype: "int64" }, BigInt64Array.from(values));
    expect(found).toEqual({
      min: -(2n ** 40n),
      max: 2n ** 32n + 1n,
      sum: values.reduce((a, b) => a + b),
      nulls: 0,
    });
    const unsigned = statisticsOf({ datatype: "uint64" }, BigUint64Array.of(2n ** 63n, 1n, 2n ** 64n - 1n));
    expect(unsigned).toMatchObject({ min: 1n, max: 2n ** 64n - 1n });
  });

  test("sums of many 32-bit values are exact", () => {
    const values = new Uint32Array(3_000_000).fill(0xffffffff);
    expect(statisticsOf({ datatype: "uint32" }, values).sum).toBe(3_000_000n * 0xffffffffn);
  });

  test("nulls count for nothing but their number", () => {
    const found = statisticsOf(
      { datatype: "int16", nullable: true },
      Int16Array.of(-9, 3, 99, 4),
      Uint8Array.of(0, 1, 0, 1),
    );
    expect(found).toEqual({ min: 3, max: 4, sum: 7n, nulls: 2 });
    const none = statisticsOf(
      { datatype: "int16", nullable: true },
      Int16Array.of(5, 6),
      Uint8Array.of(0, 0),
    );
    expect(none).toEqual({ min: 0, max: 0, sum: 0n, nulls: 2 });
  });
});
