import { tableToIPC } from "apache-arrow";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readDataFrame } from "../../src/tiledb-node.js";
import { patience, runs } from "../support/property.js";
import { hasPython, pythonPeer } from "../support/python.js";
import { keptFolder, temporaryFolder } from "../support/temporary.js";

/** Dataframes as TileDB-Py writes them: our table, sent to pandas, is the frame that `tiledb.open_dataframe` gives. */

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
