import type { Column, Datatype, SchemaInput } from "../../src/tiledb.js";
import { datatypeInfo } from "../../src/tiledb.js";
import { varColumn } from "../support/cell-values.js";

/** The arrays of TileDB-Py's reading tests, with values that do not depend on chance. */

export interface ArrayOfTest {
  readonly schema: SchemaInput;
  readonly fragments: readonly {
    readonly cells: Readonly<Record<string, Column>>;
    readonly subarray?: readonly (readonly [number | bigint, number | bigint])[];
    readonly timestamp: number;
  }[];
}

export function numbers(datatype: Datatype, values: readonly (number | bigint)[], cellValNum = 1): Column {
  const info = datatypeInfo(datatype);
  const array = new info.array(values.length);
  const big = array instanceof BigInt64Array || array instanceof BigUint64Array;
  for (const [i, value] of values.entries()) array[i] = (big ? BigInt(value) : Number(value)) as never;
  return { kind: "fixed", datatype, cellValNum, values: array };
}

export function texts(datatype: Datatype, values: readonly string[]): Column {
  return varColumn(
    datatype,
    values.map((value) => new TextEncoder().encode(value)),
  );
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);
const attribute = (name: string, datatype: Datatype) => ({ name, datatype }) as const;

function dense(
  dimensions: SchemaInput["dimensions"],
  box: readonly (readonly [number | bigint, number | bigint])[],
  a: Column,
): ArrayOfTest {
  const schema = { arrayType: "dense", dimensions, attributes: [attribute("a", a.datatype)] } as const;
  return { schema, fragments: [{ cells: { a }, subarray: box, timestamp: 1 }] };
}

function sparse(
  dimensions: SchemaInput["dimensions"],
  cells: Readonly<Record<string, Column>>,
  rest: Partial<SchemaInput> = {},
): ArrayOfTest {
  const named = new Set(dimensions.map(({ name }) => name));
  const attributes = Object.entries(cells)
    .filter(([name]) => !named.has(name))
    .map(([name, column]) => ({
      name,
      datatype: column.datatype,
      cellValNum: column.kind === "var" ? ("var" as const) : column.cellValNum,
    }));
  const schema: SchemaInput = { arrayType: "sparse", dimensions, attributes, ...rest };
  return { schema, fragments: [{ cells, timestamp: 1 }] };
}

const grid = upTo(121);
const float = (name: string) => ({ name, datatype: "float32", domain: [0, 10], tileExtent: 1 }) as const;
const units = [
  "year",
  "month",
  "week",
  "day",
  "hr",
  "min",
  "sec",
  "ms",
  "us",
  "ns",
  "ps",
  "fs",
  "as",
] as const;
const days = [-4000, -3, -1, 0, 1, 2, 17, 365, 366, 9999];

/** One array of each datetime unit: test_multirange_1d_sparse_datetime64, test_datetime_types. */
export const datetimes = Object.fromEntries(
  units.map((unit) => {
    const datatype = `datetime_${unit}` as const;
    const t = { name: "t", datatype, domain: [-4000n, 9999n], tileExtent: 1n } as const;
    return [unit, sparse([t], { t: numbers(datatype, days), a: numbers(datatype, days) })];
  }),
);

const most = { uint8: 2n ** 8n, uint16: 2n ** 16n, uint32: 2n ** 32n, uint64: 2n ** 64n } as const;

/** Coordinates over the whole of each unsigned type: test_multirange_2d_sparse_domain_utypes. */
export const unsigned = Object.fromEntries(
  (["uint8", "uint16", "uint32", "uint64"] as const).map((datatype) => {
    const high = most[datatype] - 2n;
    const own = (value: bigint) => (datatype === "uint64" ? value : Number(value));
    const all = upTo(100).map((i) => own((BigInt(i) * high) / 99n));
    const x = { name: "x", datatype, domain: [own(0n), own(high)], tileExtent: own(1n) } as const;
    return [datatype, sparse([x], { x: numbers(datatype, all), a: numbers(datatype, all) })];
  }),
);

export const arrays = {
  dense1d: dense(
    [{ name: "x", datatype: "uint64", domain: [0n, 35n], tileExtent: 35n }],
    [[0n, 35n]],
    numbers("int64", upTo(36)),
  ),
  dense2d: dense(
    [
      { name: "x", datatype: "uint64", domain: [0n, 8n], tileExtent: 9n },
      { name: "y", datatype: "uint64", domain: [0n, 3n], tileExtent: 4n },
    ],
    [
      [0n, 8n],
      [0n, 3n],
    ],
    numbers("int64", upTo(36)),
  ),
  denseSigned: dense(
    [{ name: "x", datatype: "int64", domain: [-10n, 10n], tileExtent: 9n }],
    [[-10n, 10n]],
    numbers(
      "float32",
      upTo(21).map((i) => i / 4),
    ),
  ),
  denseNegative2d: dense(
    [
      { name: "x", datatype: "int32", domain: [-7, 8], tileExtent: 4 },
      { name: "y", datatype: "int32", domain: [-3, 4], tileExtent: 4 },
    ],
    [
      [-7, 8],
      [-3, 4],
    ],
    numbers("int32", upTo(128)),
  ),
  denseDates: dense(
    [{ name: "x", datatype: "datetime_day", domain: [-10n, 20n], tileExtent: 5n }],
    [[-10n, 20n]],
    numbers("int32", upTo(31)),
  ),
  double1d: sparse([{ name: "x", datatype: "float64", domain: [0, 30], tileExtent: 10 }], {
    x: numbers("float64", upTo(31)),
    a: numbers(
      "float64",
      upTo(31).map((i) => i / 3),
    ),
  }),
  steps: sparse(
    [{ name: "idx", datatype: "float64", domain: [-1, 0.8], tileExtent: 2 }],
    {
      idx: numbers(
        "float64",
        upTo(10).map((i) => i * 0.2 - 1),
      ),
      a: numbers("float64", upTo(10)),
    },
    { allowsDuplicates: true },
  ),
  float2d: sparse([float("x"), float("y")], {
    x: numbers(
      "float32",
      grid.map((i) => Math.floor(i / 11)),
    ),
    y: numbers(
      "float32",
      grid.map((i) => i % 11),
    ),
    a: numbers("float64", grid),
  }),
  twoAttributes: sparse([{ name: "x", datatype: "float32", domain: [-100, 100], tileExtent: 1 }], {
    x: numbers(
      "float32",
      upTo(11).map((i) => 2 * i - 10),
    ),
    U: numbers(
      "float64",
      upTo(11).map((i) => i / 7),
    ),
    V: numbers(
      "uint32",
      upTo(11).map((i) => 2 ** 32 - 1 - i),
    ),
  }),
  wide: sparse([{ name: "x", datatype: "uint64", domain: [0n, 2n ** 64n - 2n], tileExtent: 1n }], {
    x: numbers("uint64", [10]),
    a: numbers("uint64", [10]),
  }),
  threeValues: sparse([{ name: "x", datatype: "int32", domain: [0, 2], tileExtent: 3 }], {
    x: numbers("int32", [0, 1, 2]),
    a: numbers("int32", upTo(9), 3),
    v: {
      kind: "var",
      datatype: "int32",
      offsets: Uint32Array.of(0, 4, 12, 24),
      data: new Uint8Array(Int32Array.of(1, 1, 1, 1, 1, 1).buffer),
    },
  }),
  intAndText: sparse(
    [
      { name: "n", datatype: "int32", domain: [0, 4], tileExtent: 5 },
      { name: "s", datatype: "string_ascii" },
    ],
    {
      n: numbers(
        "int32",
        upTo(10).map((i) => i % 5),
      ),
      s: texts("string_ascii", ["a", "b", "ab", "ab", "c", "c", "c", "c", "d", "e"]),
      a: numbers("int32", upTo(10)),
    },
  ),
  words: sparse([{ name: "s", datatype: "string_ascii" }], {
    s: texts("string_ascii", ["", "aa", "bbb", "c", "dddd"]),
    a: texts("string_utf8", ["", "ñ", "日本", "", "x"]),
    b: texts("blob", ["a", "", "ccc", "dd", "e"]),
  }),
  repeated: sparse(
    [{ name: "x", datatype: "int32", domain: [-5, 5], tileExtent: 3 }],
    { x: numbers("int32", [0, -5, 0, 3, 3, 3, 5]), a: numbers("int32", upTo(7)) },
    { allowsDuplicates: true, capacity: 2 },
  ),
} as const satisfies Record<string, ArrayOfTest>;
