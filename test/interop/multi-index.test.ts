import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { columnCells } from "../../src/array/column-ops.js";
import {
  type Column,
  cellScalars,
  openArray,
  type ReadQuery,
  type ReadResult,
} from "../../src/tiledb-node.js";
import { patience, runs } from "../support/property.js";
import { hasPython, type Peer, pythonPeer } from "../support/python.js";
import { keptFolder } from "../support/temporary.js";
import { fromWire, toWireColumns } from "../support/wire.js";
import { type ArrayOfTest, arrays, datetimes, unsigned } from "./multi-index.arrays.js";

/**
 * What TileDB-Py's tests promise of reading, asked of both: its `multi_index` over an array that the official library
 * wrote, and our `read` of the same ranges.
 *
 * | TileDB-Py test | here |
 * | :--- | :--- |
 * | test_multi_index: shape_funcs, sel_to_ranges | its indexing syntax; here ranges are values, see open-ranges.test.ts |
 * | return_arrow_indexers, return_large_arrow_table | options of its Arrow buffers; tables: dataframe.test.ts |
 * | multirange_behavior | steps: all |
 * | multirange_empty, empty_idx | dense1d, dense2d, float2d: empty |
 * | 1d_1dim_ranges, 2d_1dim_ranges, 2d_2dim_ranges | dense1d, dense2d |
 * | 1d_dense_int64 | denseSigned (stepped slices: there is no such range) |
 * | 1d_sparse_double | double1d |
 * | 2d_sparse_domain_utypes | unsigned |
 * | 2d_sparse_float | float2d |
 * | 1d_sparse_query, query_args | twoAttributes |
 * | 1d_dense_vectorized, 2d_dense_float | "as listed": dense1d, dense2d, denseNegative2d |
 * | 1d_sparse_datetime64 | datetimes |
 * | fix_473_sparse_index_bug | wide (there an open end is that of what was written, here of the domain) |
 * | fixed_multi_attr_df, var_multi_attr_df, fixed_width_char | threeValues, words |
 * | implicit_full_string_range | intAndText |
 * | open_timestamp_with_empty_nonempty_domain | "before anything was written" |
 * | timing | statistics of its own code |
 * | ndarray, ndarray_2d | "typed arrays" |
 * | test_multi_index-hp: two_way_query, inputs | "drawn ranges" |
 * | test_libtiledb: array_1d, array_2d, index_1d, index_2d, id_point_queries | dense1d, dense2d, denseSigned, denseNegative2d |
 * | open_with_timestamp, open_timestamp_range, array_consolidate_with_timestamp, array_vacuum | "over time" |
 * | simple_1d/2d/3d_sparse_vector, query_real_multi_index, query_real_exact, subarray, sparse_query | double1d, float2d |
 * | sparse_ordered/unordered_fp_domain, mixed_domain* | float2d, intAndText; arrays.property.test.ts draws them |
 * | varlen_*, sparse_bytes, sparse_unicode, fixed_string, ncell_* | words, threeValues |
 * | sparse_string_domain, sparse_string_domain2, nonempty_domain_empty_string | words |
 * | dense/sparse_datetime_vector, datetime_types, test_read_subarray: DenseDatetime1D | denseDates, datetimes |
 * | sparse/dense_query_specified_dim_coords | "coordinates" |
 * | incomplete_dense, incomplete_sparse_varlen, incomplete_return, incomplete_global_order_read | ../array/batches.test.ts |
 * | array_consolidate_with_uris, delete_fragments, upgrade_version | writing |
 * | test_read_subarray: 1D, 2D, NegativeDomain2D, SparseArray1D | dense1d, dense2d, denseNegative2d, double1d |
 * | its label tests, test_dimension_label, test_query | ../array/labels.test.ts |
 * | test_domain_index: int, fp | repeated, double1d; fp_domain_count: steps |
 * | test_attribute, test_filters, test_domain, test_dimension | reading: arrays.property.test.ts over all types and filters |
 * | complex64, complex128 | two floats a cell: threeValues is the same shape |
 * | test_timestamp_overrides | the names that writes in one millisecond get; never runs (it asks for the platform "linux2") |
 * | test_vfs: ls, ls_recursive, test_util: ls, object_type | objects.test.ts; other calls write or are the store's |
 * | pickling, threads, contexts, statistics, memory, numpy views | parts of Python |
 */

type End = number | bigint | string | null;
type Entry = Exclude<End, null> | readonly [End, End];
type Selection = readonly Entry[] | "empty" | "all";
type Order = "row-major" | "col-major" | "unordered" | "global";

const layouts = { "row-major": "C", "col-major": "F", unordered: "U", global: "G" } as const;
let peer: Peer;
let root: string;
let folder: Awaited<ReturnType<typeof keptFolder>> | undefined;
const written = new Map<ArrayOfTest, Promise<string>>();

function uriOf(array: ArrayOfTest): Promise<string> {
  const kept = written.get(array);
  if (kept !== undefined) return kept;
  const writing = write(array, join(root, `array${written.size}`));
  written.set(array, writing);
  return writing;
}

async function write({ schema, fragments }: ArrayOfTest, uri: string): Promise<string> {
  const own = fragments.map((one) => ({ ...one, cells: toWireColumns(one.cells) }));
  await peer.call("write_array", { uri, schema, fragments: own });
  return uri;
}

const onWire = (end: End) => (typeof end === "bigint" ? { integer: String(end) } : end);

function wireOf(selection: Selection): unknown {
  if (selection === "empty") return "empty";
  if (selection === "all") return [{ slice: [null, null] }];
  return selection.map((one) => (Array.isArray(one) ? { slice: one.map(onWire) } : onWire(one as End)));
}

interface Asked {
  readonly select: readonly Selection[];
  readonly order?: Order;
  readonly attributes?: readonly string[];
  readonly coordinates?: boolean;
  readonly timestamp?: number | readonly [number, number];
}

type Cells = Record<string, unknown[]>;

async function theirs(uri: string, asked: Asked): Promise<Cells> {
  const { select, order = "row-major", coordinates = true, attributes, timestamp } = asked;
  const answer = await peer.call("multi_index", {
    uri,
    selection: select.map(wireOf),
    order: layouts[order],
    coordinates,
    attributes: attributes ?? null,
    timestamp: timestamp ?? null,
  });
  return Object.fromEntries(
    Object.entries(fromWire(answer) as Cells).map(([name, cells]) => [name, cells.map(plain)]),
  );
}

async function ours(uri: string, asked: Asked, rest: Partial<ReadQuery> = {}): Promise<Cells> {
  const { select, order = "row-major", coordinates = true, attributes, timestamp } = asked;
  const array = await openArray(uri, { timestamp });
  const names = array.schema.dimensions.map(({ name }) => name);
  const chosen = names.flatMap((name, d): [string, readonly Entry[]][] => {
    const one = select[d] ?? "all";
    return one === "all" ? [] : [[name, one === "empty" ? [] : one]];
  });
  const ranges = Object.fromEntries(chosen);
  const dimensions = coordinates ? names : [];
  return cellsOf(await array.read({ ranges, order, attributes, dimensions, ...rest }));
}

function cellsOf({ columns }: ReadResult): Cells {
  return Object.fromEntries(
    Object.entries(columns).map(([name, column]) => [
      name,
      columnCells(column) === 0 ? [] : valuesOf(column),
    ]),
  );
}

function valuesOf(column: Column): unknown[] {
  if (column.kind === "var" && column.datatype === "int32") {
    const { offsets, data } = column;
    return Array.from({ length: offsets.length - 1 }, (_, i) =>
      Array.from(new Int32Array(data.slice(offsets[i], offsets[i + 1]).buffer)),
    );
  }
  return cellScalars(column).map(plain);
}

/** Whole numbers by their digits: int64 is a bigint here and a number there. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  return typeof value === "bigint" ? Number(value) : value;
}

/** In the order asked for, or of unordered cells as a set. */
function comparable(cells: Cells, sorted: boolean): unknown {
  const names = Object.keys(cells).sort();
  const rows = (cells[names[0]!] ?? []).map((_, i) => names.map((name) => cells[name]![i]));
  return sorted ? rows.map((row) => JSON.stringify(row)).sort() : { names, rows };
}

const slice = (low: End, high: End): Entry => [low, high];

/** Ranges that don't overlap, ascending where the official library would otherwise give them as listed. */
const cases: Record<keyof typeof arrays, readonly (readonly Selection[])[]> = {
  dense1d: [
    ["all"],
    ["empty"],
    [[slice(0n, 0n)]],
    [[slice(1n, 1n), slice(5n, 8n)]],
    [[35n]],
    [[1n, 2n, 4n, slice(6n, 7n), slice(30n, null)]],
  ],
  dense2d: [
    ["all", "all"],
    [[slice(0n, 0n), slice(5n, 8n)], "all"],
    [[slice(0n, 4n)], [slice(0n, 3n)]],
    [[slice(null, 0n)], "all"],
    ["all", [slice(null, 0n)]],
    ["all", [slice(1n, 1n)]],
    [[8n], [3n]],
    ["all", [0n, 2n, slice(3n, null)]],
    [
      [0n, 2n, 7n],
      [0n, 2n],
    ],
  ],
  denseSigned: [
    ["all"],
    [[-10n, 10n]],
    [[-10n]],
    [[slice(-10n, 10n)]],
    [[slice(-10n, -1n)]],
    [[slice(null, -9n), 0n]],
  ],
  denseNegative2d: [
    ["all", "all"],
    [
      [slice(-7, -5), slice(-1, 2), 8],
      [-3, slice(0, 1), 4],
    ],
    [[slice(null, -6)], [slice(3, null)]],
  ],
  denseDates: [["all"], [[slice(-10n, -4n)]], [[-1n, slice(1n, 3n), 20n]], [[slice(null, 0n)]]],
  double1d: [
    ["all"],
    [[0]],
    [[30]],
    [[slice(28, 30)]],
    [[slice(0, 5)]],
    [[slice(null, 30)]],
    [[slice(0.5, 0.75)]],
    [[1, 2.5, slice(7.25, 9)]],
    ["empty"],
  ],
  steps: [["all"], [[slice(-1, 0)]], [[slice(-0.5, null)]]],
  float2d: [
    ["all", "all"],
    [[0], "all"],
    [[10], "all"],
    [[slice(0, 2), 5], "all"],
    [[slice(0, 2)], [slice(2, 5)]],
    [[slice(9.5, 9.75)], "all"],
    ["all", [slice(0.5, 3.5), slice(8, null)]],
  ],
  twoAttributes: [["all"], [[-10]], [[10]], [[slice(-10, -6), 10]], [[slice(-100, 100)]]],
  wide: [["all"], [[slice(0n, 4n)]], [[slice(null, 10n)]], [[10n]]],
  threeValues: [["all"], [[0]], [[1]], [[slice(1, 2)]]],
  intAndText: [
    ["all", "all"],
    [[slice(1, 3)], "all"],
    [[0], "all"],
    ["all", ["ab", "e"]],
    ["all", [slice("ab", "c")]],
    [[slice(null, 2)], [slice("b", null)]],
    [[slice(0, 4)], [slice("f", "z")]],
  ],
  words: [
    ["all"],
    [["aa"]],
    [["aa", "c"]],
    [[slice("b", "cc")]],
    [[slice("", "aa")]],
    [["zz"]],
    [["aa", slice("c", null)]],
  ],
  repeated: [["all"], [[0]], [[3]], [[slice(-5, 0), 5]], [[slice(null, null)]], [[4]]],
};

describe.skipIf(!hasPython)("ranges as TileDB-Py's tests ask for them", () => {
  beforeAll(async () => {
    peer = await pythonPeer();
    folder = await keptFolder();
    root = folder.path;
  });
  afterAll(() => folder?.remove());

  it.each(Object.keys(cases) as (keyof typeof arrays)[])("%s", async (name) => {
    const array: ArrayOfTest = arrays[name];
    const isSparse = array.schema.arrayType === "sparse";
    const uri = await uriOf(array);
    for (const select of cases[name]) {
      for (const order of [
        "row-major",
        "col-major",
        ...(isSparse ? (["unordered"] as const) : []),
      ] as const) {
        const asked = { select, order, coordinates: isSparse && name !== "threeValues" };
        const sorted = order === "unordered" || array.schema.allowsDuplicates === true;
        const found = comparable(await ours(uri, asked), sorted);
        expect(
          found,
          JSON.stringify(asked, (_, v) => (typeof v === "bigint" ? `${v}` : v)),
        ).toEqual(comparable(await theirs(uri, asked), sorted));
      }
    }
  });

  it.each(Object.entries(datetimes))("datetimes in units of %s", async (_unit, array) => {
    const uri = await uriOf(array);
    const ranges: Selection[] = [
      "all",
      [slice(-4000n, -3n)],
      [slice(2n, 17n), 366n],
      [0n],
      [slice(9998n, null)],
    ];
    for (const one of ranges) {
      const asked = { select: [one] };
      expect(await ours(uri, asked)).toEqual(await theirs(uri, asked));
    }
  });

  it.each(Object.entries(unsigned))("the whole of %s", async (_type, array) => {
    const uri = await uriOf(array);
    const { x } = array.fragments[0]!.cells;
    const at = (i: number) => cellScalars(x!)[i] as number | bigint;
    for (const one of [
      "all",
      [slice(at(0), at(99))],
      [at(0)],
      [at(99)],
      [slice(at(30), at(70))],
    ] as Selection[]) {
      const asked = { select: [one] };
      expect(await ours(uri, asked)).toEqual(await theirs(uri, asked));
    }
  });

  it("attributes and coordinates asked for", async () => {
    const uri = await uriOf(arrays.twoAttributes);
    for (const attributes of [["U"], ["V"], ["U", "V"]]) {
      for (const coordinates of [true, false]) {
        const asked = { select: [[slice(-6, 2)]], attributes, coordinates };
        const found = await ours(uri, asked);
        expect(found).toEqual(await theirs(uri, asked));
        expect(Object.keys(found).length).toBe(attributes.length + (coordinates ? 1 : 0));
      }
    }
    const dense = { select: [[slice(2n, 3n)], "all"] as const };
    expect(await ours(await uriOf(arrays.dense2d), dense)).toEqual(
      await theirs(await uriOf(arrays.dense2d), dense),
    );
  });

  it("typed arrays are points", async () => {
    const uri = await uriOf(arrays.repeated);
    const array = await openArray(uri);
    const points = Int32Array.of(-5, 3, 5);
    const listed = await array.read({ ranges: { x: Array.from(points) } });
    expect(cellsOf(await array.read({ ranges: { x: points } }))).toEqual(cellsOf(listed));
    const asked = { select: [Array.from(points)] };
    expect(comparable(cellsOf(listed), true)).toEqual(comparable(await theirs(uri, asked), true));
  });

  it("of sparse cells ranges that overlap are a set, as in TileDB's unordered and global reads", async () => {
    const uri = await uriOf(arrays.double1d);
    for (const select of [[[slice(3, 9), slice(1, 5)]], [[slice(1, 4), 2, 2]], [[8, 2, 5]]] as const) {
      const asked = { select, order: "unordered" } as const;
      const expected = comparable(await theirs(uri, asked), true);
      for (const order of ["unordered", "row-major", "col-major", "global"] as const) {
        expect(comparable(await ours(uri, { select, order }), true)).toEqual(expected);
      }
    }
  });

  it("outside the domain both refuse", async () => {
    const uri = await uriOf(arrays.denseSigned);
    for (const one of [[11n], [slice(-11n, 0n)], [slice(3n, 99n)]] as Selection[]) {
      await expect(theirs(uri, { select: [one] })).rejects.toThrow(/out of domain bounds/);
      await expect(ours(uri, { select: [one] })).rejects.toMatchObject({ code: "RANGE" });
    }
    await expect(theirs(uri, { select: [[slice(3n, 1n)]] })).rejects.toThrow(/larger than the higher bound/);
    await expect(ours(uri, { select: [[slice(3n, 1n)]] })).rejects.toMatchObject({ code: "ARGUMENT" });
  });

  it("over time: before anything was written, at each moment, between two, consolidated, vacuumed", async () => {
    const x = { name: "x", datatype: "int64", domain: [1n, 4n], tileExtent: 2n } as const;
    const cells = (value: number) => ({ a: numbersOf([value, value, value, value]) });
    const box = [[1n, 4n]] as const;
    const dense: ArrayOfTest = {
      schema: { arrayType: "dense", dimensions: [x], attributes: [{ name: "a", datatype: "int32" }] },
      fragments: [2, 4, 7].map((timestamp) => ({ cells: cells(timestamp), subarray: box, timestamp })),
    };
    const sparse: ArrayOfTest = {
      schema: { ...dense.schema, arrayType: "sparse" },
      fragments: [2, 4, 7].map((timestamp) => ({
        cells: {
          ...cells(timestamp),
          x: { ...numbersOf([]), datatype: "int64", values: BigInt64Array.of(1n, 2n, 3n, 4n) },
        },
        timestamp,
      })),
    };
    for (const array of [dense, sparse]) {
      const uri = await write(array, join(root, array.schema.arrayType));
      const moments = [2, 3, 4, 6, 7, 9, [3, 6], [4, 4], [5, 9]] as const;
      const select = [[slice(1n, 4n)]];
      for (const timestamp of array === sparse ? [1, ...moments] : moments) {
        expect(await ours(uri, { select, timestamp })).toEqual(await theirs(uri, { select, timestamp }));
      }
      for (const step of ["consolidate", "vacuum"]) {
        await peer.call(step, {
          uri,
          config: step === "consolidate" ? { "sm.consolidation.buffer_size": "1000000" } : null,
        });
        expect(await ours(uri, { select })).toEqual(await theirs(uri, { select }));
        for (const timestamp of array === sparse ? moments : []) {
          expect(await ours(uri, { select, timestamp })).toEqual(await theirs(uri, { select, timestamp }));
        }
      }
    }
  });

  it("dense ranges as listed: unsorted, repeated, overlapping", async () => {
    const lists: [keyof typeof arrays, readonly Selection[]][] = [
      ["dense1d", [[33n, 2n, 17n, 0n, 35n]]],
      ["dense1d", [[2n, 2n, slice(1n, 4n), slice(3n, 6n)]]],
      ["dense2d", [[8n, 8n], "all"]],
      [
        "dense2d",
        [
          [slice(3n, 4n), 1n],
          [slice(2n, 3n), 0n, 2n],
        ],
      ],
      ["dense2d", ["all", [3n, 1n]]],
      [
        "denseNegative2d",
        [
          [slice(5, null), -7, slice(null, -6)],
          [4, slice(-3, -2)],
        ],
      ],
      ["denseDates", [[20n, slice(-3n, 0n), -2n]]],
    ];
    for (const [name, select] of lists) {
      for (const order of ["row-major", "col-major"] as const) {
        const uri = await uriOf(arrays[name]);
        const asked = { select, order, coordinates: false };
        expect(await ours(uri, asked, { asListed: true })).toEqual(await theirs(uri, asked));
      }
    }
    const array = await openArray(await uriOf(arrays.dense2d));
    const { shape } = await array.read({ ranges: { x: [8n, 8n, 1n] }, asListed: true });
    expect(shape).toEqual([3, 4]);
    const sparse = await openArray(await uriOf(arrays.double1d));
    await expect(sparse.read({ asListed: true })).rejects.toMatchObject({ code: "ARGUMENT" });
    await expect(array.read({ asListed: true, order: "global" })).rejects.toMatchObject({ code: "ARGUMENT" });
  });

  it(
    "drawn ranges",
    async () => {
      const end = fc.integer({ min: -10, max: 10 }).map(BigInt);
      const entry = fc.oneof(
        end,
        fc.tuple(end, end).map(([a, b]): Entry => (a < b ? [a, b] : [b, a])),
      );
      const uri = await uriOf(arrays.denseSigned);
      const sparse = await uriOf(arrays.repeated);
      await fc.assert(
        fc.asyncProperty(fc.array(entry, { minLength: 1, maxLength: 8 }), async (entries) => {
          const asked = { select: [entries], coordinates: false };
          expect(await ours(uri, asked, { asListed: true })).toEqual(await theirs(uri, asked));
          const inside = entries.map(
            (one) => (Array.isArray(one) ? one.map(half) : half(one as bigint)) as Entry,
          );
          const set = { select: [inside], order: "unordered" } as const;
          expect(comparable(await ours(sparse, set), true)).toEqual(
            comparable(await theirs(sparse, set), true),
          );
        }),
        { numRuns: runs(100, 3000), interruptAfterTimeLimit: patience(50_000) },
      );
    },
    patience(60_000),
  );
});

const half = (value: bigint) => Number(value / 2n);

function numbersOf(values: readonly number[]): Extract<Column, { kind: "fixed" }> {
  return { kind: "fixed", datatype: "int32", cellValNum: 1, values: Int32Array.from(values) };
}
