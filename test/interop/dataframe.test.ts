import { writeFile } from "node:fs/promises";
import { tableToIPC } from "apache-arrow";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readDataFrame } from "../../src/tiledb-node.js";
import { patience, runs } from "../support/property.js";
import { hasPython, pythonPeer } from "../support/python.js";
import { keptFolder, temporaryFolder } from "../support/temporary.js";

/**
 * Dataframes as TileDB-Py writes them: our table, sent to pandas, is the frame that `tiledb.open_dataframe` gives.
 *
 * | test of TileDB-Py's test_pandas_dataframe | here |
 * | :--- | :--- |
 * | ColumnInfo, apply_dtype_index_*, DimType, filters_options, set_ascii_dtype | what writing makes of dtypes and options |
 * | basic1, basic2, basic3, basic_rt1_manual, index_name, misc, int_column_names | "dense", "sparse", "drawn" (names too) |
 * | basic1 with full_domain | "the whole domain" |
 * | categorical, test_enumeration | column c, co, ci; "drawn" |
 * | csv_rt1, csv_dense, csv_chunked, csv_chunked_sparse_row_indices, csv_fillna, csv_col_to_sparse_dims | "from CSV" |
 * | csv_schema_only, csv_schema_only_no_index, append_empty_dataframe | "appended to", "an empty frame" |
 * | index_to_sparse_dims, set_index_dims, append_index_dims, multiindex_dims, write_unnamed_index | the indexes of `shapes` |
 * | fillna, date_spec, read_parquet, fit_to_df | what it writes then is a frame like the others |
 * | empty, str_empty | "of no rows" |
 * | query | attributes of "drawn"; `dimensions` of the query |
 * | indexing_with_pyarrow_and_numpy_arrays | multi-index.test.ts: typed arrays |
 * | nullable_integers, nullable_bool, write_var_nullable_str, pyarrow_nullable_string | ni, nu, nb, nf; "drawn" |
 * | nullable_integers_open_dataframe | "appended to" |
 * | var_length | multi-index.test.ts: threeValues; ../array/dataframe.test.ts |
 * | incomplete_df | reads here have no buffers to run out of; ../array/batches.test.ts |
 * | tile_and_cell_order | "in every order" |
 * | bool_type | b |
 * | datetime64_days_* | ../array/dataframe.test.ts: units that Arrow lacks |
 */

const everything = [
  { name: "i", kind: "int16", values: [1, 2, 3] },
  { name: "f", kind: "float64", values: [1.5, "nan", 3] },
  { name: "w", kind: "int64", values: [-1, 2, 10 ** 12] },
  { name: "g", kind: "float64", values: [1.5, -2, 3] },
  { name: "k", kind: "text", values: ["b", "a", "zz"] },
  { name: "d", kind: "datetime", values: [5, -7, 10 ** 15] },
  { name: "s", kind: "text", values: ["a", "", "çé"] },
  { name: "b", kind: "bool", values: [true, false, true] },
  { name: "y", kind: "bytes", values: ["a", "", "z"] },
  { name: "t", kind: "datetime", values: [0, -5, null] },
  { name: "c", kind: "category", values: { codes: [0, 1, 0], categories: ["x", "y"] } },
  { name: "co", kind: "category", values: { codes: [0, 1, 0], categories: ["lo", "hi"], ordered: true } },
  { name: "ci", kind: "category", values: { codes: [0, 1, 0], categories: [10, 20] } },
  { name: "ni", kind: "Int64", values: [1, null, 3] },
  { name: "nu", kind: "UInt8", values: [1, null, 3] },
  { name: "nb", kind: "boolean", values: [true, null, false] },
  { name: "nf", kind: "Float32", values: [1.5, null, 2] },
  { name: "ns", kind: "string", values: ["x", null, "zz"] },
];

describe.skipIf(!hasPython)("frames of from_pandas", () => {
  const shapes = [
    { what: "dense", index: undefined, options: {} },
    { what: "sparse", index: undefined, options: { sparse: true } },
    { what: "an index of two levels", index: ["k", "i"], options: {} },
    { what: "an index of text", index: ["k"], options: {} },
    { what: "an index of times", index: ["d"], options: { sparse: true } },
    { what: "an index of bytes and numbers", index: ["y", "g"], options: {} },
    { what: "an index of integers", index: ["i"], options: { sparse: true } },
    { what: "an index of float numbers", index: ["g"], options: { sparse: true } },
    { what: "the whole domain", index: ["w"], options: { sparse: true, full_domain: true } },
    { what: "the whole domain, dense", index: undefined, options: { full_domain: true } },
  ];
  it.each(shapes)("$what", async ({ index, options }) => {
    const uri = `${await temporaryFolder()}/frame`;
    const peer = await pythonPeer();
    await peer.call("write_frame", { uri, columns: everything, index, options });
    const table = await readDataFrame(uri);
    expect(await peer.call("compare_frame", { uri, ipc: tableToIPC(table) })).toMatchObject({ rows: 3 });
  });

  const three = (values: readonly number[]) => [
    { name: "k", kind: "int64", values },
    { name: "v", kind: "Int64", values: values.map((one) => (one % 2 === 0 ? null : one)) },
    { name: "s", kind: "text", values: values.map((one) => "x".repeat(one % 5)) },
  ];

  it.each([
    { what: "sparse", index: undefined, options: { sparse: true } },
    { what: "dense", index: undefined, options: { sparse: false } },
    { what: "by an index", index: ["k"], options: { sparse: true } },
    { what: "by an index with duplicates", index: ["k"], options: { sparse: true, allows_duplicates: true } },
  ])("appended to, $what", async ({ index, options }) => {
    const uri = `${await temporaryFolder()}/frame`;
    const peer = await pythonPeer();
    const second = [4, 1, 9].map((one) =>
      index === undefined || "allows_duplicates" in options ? one : one + 50,
    );
    await peer.call("frames_in_turn", {
      uri,
      frames: [
        { columns: three([3, 1, 2]), index, options: { ...options, full_domain: true } },
        { columns: three(second), index, options: index === undefined ? { row_start_idx: 3 } : {} },
      ],
    });
    const table = await readDataFrame(uri);
    expect(await peer.call("compare_frame", { uri, ipc: tableToIPC(table) })).toMatchObject({ rows: 6 });
  });

  const orders = ["row-major", "col-major"].flatMap((tile_order) =>
    ["row-major", "col-major", "hilbert"].map((cell_order) => ({ tile_order, cell_order })),
  );
  it.each(orders)("in every order: tiles $tile_order, cells $cell_order", async (order) => {
    const uri = `${await temporaryFolder()}/frame`;
    const peer = await pythonPeer();
    await peer.call("write_frame", {
      uri,
      columns: everything,
      index: null,
      options: { sparse: true, ...order },
    });
    const table = await readDataFrame(uri);
    expect(await peer.call("compare_frame", { uri, ipc: tableToIPC(table) })).toMatchObject({ rows: 3 });
  });

  const csv = `t,d,i,s\n2013-01-02 03:04:05.678,1.5,7,ab\n1969-12-31 00:00:00.5,-2,8,"c,d"\n2001-01-01 00:00:00.25,,9,é\n`;
  const dates = { parse_dates: ["t"], date_format: "%Y-%m-%d %H:%M:%S.%f" };
  it.each([
    { what: "dense", options: { sparse: false } },
    { what: "sparse", options: { sparse: true } },
    { what: "in chunks", options: { sparse: true, chunksize: 2 } },
    { what: "dense in chunks", options: { sparse: false, chunksize: 2 } },
    { what: "with an index", options: { sparse: true, index_col: ["i"], ...dates } },
    {
      what: "with two levels, duplicates allowed",
      options: { sparse: true, index_col: ["t", "i"], allows_duplicates: true, ...dates },
    },
    { what: "with gaps filled", options: { sparse: true, fillna: { d: 0 } } },
  ])("from CSV, $what", async ({ options }) => {
    const folder = await temporaryFolder();
    const [uri, file] = [`${folder}/frame`, `${folder}/rows.csv`];
    await writeFile(file, csv);
    const peer = await pythonPeer();
    await peer.call("frame_from_csv", { uri, file, options });
    const ranges = "chunksize" in options && !options.sparse ? { __tiledb_rows: [[0n, 2n] as const] } : {};
    const table = await readDataFrame(uri, { ranges });
    const rows = Object.keys(ranges).length > 0 ? [0, 2] : null;
    expect(await peer.call("compare_frame", { uri, ipc: tableToIPC(table), rows })).toMatchObject({
      rows: 3,
    });
  });

  it("an empty frame, and ranges of no rows", async () => {
    const folder = await temporaryFolder();
    const peer = await pythonPeer();
    await peer.call("frames_in_turn", {
      uri: `${folder}/a`,
      frames: [{ columns: three([1, 2, 3]), options: { sparse: true, mode: "schema_only" } }],
    });
    const empty = await readDataFrame(`${folder}/a`);
    expect(empty.numRows).toBe(0);
    expect(empty.schema.fields.map(({ name }) => name)).toEqual(["__tiledb_rows", "k", "v", "s"]);
    await peer.call("write_frame", { uri: `${folder}/b`, columns: everything, index: ["k"], options: {} });
    const none = await readDataFrame(`${folder}/b`, { ranges: { k: [] } });
    expect(none.numRows).toBe(0);
    expect(none.schema.fields.length).toBe(everything.length);
  });

  it(
    "drawn",
    async () => {
      const peer = await pythonPeer();
      await fc.assert(
        fc.asyncProperty(frame, async ({ columns, index, sparse, rows, attributes }) => {
          const folder = await keptFolder();
          const uri = `${folder.path}/frame`;
          const isSparse = await peer.call("write_frame", { uri, columns, index, options: { sparse } });
          const range = index === null && rows !== null ? rows : null;
          const ranges =
            range === null ? {} : { __tiledb_rows: [[BigInt(range[0]), BigInt(range[1])] as const] };
          const names = attributes.filter((name) => columns.some((one) => one.name === name));
          const attrs = names.length === 0 ? undefined : names;
          const table = await readDataFrame(uri, { ranges, attributes: attrs });
          const ipc = tableToIPC(table);
          await peer.call("compare_frame", { uri, ipc, attrs, rows: range });
          expect(isSparse).toBe(sparse || index !== null);
          await folder.remove();
        }),
        { numRuns: runs(40, 1000) },
      );
    },
    patience(60_000),
  );
});

const text = fc.string({ unit: "grapheme", maxLength: 6 }).filter((one) => !one.includes("\0"));
const orNull = <T>(one: fc.Arbitrary<T>) => fc.option(one, { freq: 4 });

/** A column's values by the kind that peer_frames.py knows. */
const kinds: Record<string, fc.Arbitrary<unknown>> = {
  int8: fc.integer({ min: -128, max: 127 }),
  uint16: fc.nat(65535),
  int32: fc.integer(),
  uint64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((one) => ({ integer: String(one) })),
  float32: fc.float({ noNaN: false }).map(String),
  float64: fc.double().map(String),
  bool: fc.boolean(),
  text,
  bytes: text,
  datetime: orNull(fc.integer()),
  Int16: orNull(fc.integer({ min: -32768, max: 32767 })),
  UInt32: orNull(fc.nat()),
  boolean: orNull(fc.boolean()),
  Float64: orNull(fc.integer()),
  string: orNull(text),
};

const categories = (count: number) =>
  fc.record({
    codes: fc.array(fc.nat(2), { minLength: count, maxLength: count }),
    categories: fc.oneof(
      fc.uniqueArray(text, { minLength: 3, maxLength: 3 }),
      fc.uniqueArray(fc.integer(), { minLength: 3, maxLength: 3 }),
    ),
    ordered: fc.boolean(),
  });

const columnOf = (name: string, count: number) =>
  fc.oneof(
    fc.constantFrom(...Object.keys(kinds)).chain((kind) =>
      fc.record({
        name: fc.constant(name),
        kind: fc.constant(kind),
        values: fc.array(kinds[kind]!, { minLength: count, maxLength: count }),
      }),
    ),
    fc.record({ name: fc.constant(name), kind: fc.constant("category"), values: categories(count) }),
  );

const frame = fc.integer({ min: 1, max: 20 }).chain((count) => {
  const names = fc.uniqueArray(fc.constantFrom("a", "b é", "c.d", "e", "f"), { minLength: 1, maxLength: 5 });
  const keys = { minLength: count, maxLength: count };
  return fc.record({
    columns: names
      .chain((list) => fc.tuple(...list.map((name) => columnOf(name, count))))
      .chain((columns) =>
        fc
          .record({
            number: fc.uniqueArray(fc.integer({ min: -1000, max: 1000 }), keys),
            word: fc.uniqueArray(fc.stringMatching(/^[a-z]{1,4}$/), keys),
          })
          .map(({ number, word }) => [
            ...columns,
            { name: "number", kind: "int64", values: number },
            { name: "word", kind: "text", values: word },
          ]),
      ),
    index: fc.constantFrom(null, ["word"], ["word", "number"], ["number", "word"]),
    sparse: fc.boolean(),
    rows: fc.option(
      fc
        .tuple(fc.nat(count - 1), fc.nat(count - 1))
        .map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const),
    ),
    attributes: fc.subarray(["a", "b é", "c.d", "e", "f"]),
  });
});
