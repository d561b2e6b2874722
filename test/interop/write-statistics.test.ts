import { cp } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { consolidate } from "../../src/array/consolidate/consolidate.js";
import { createArray } from "../../src/array/write/create.js";
import { writeDense } from "../../src/array/write/write-dense.js";
import { writeSparse } from "../../src/array/write/write-sparse.js";
import { openTarget } from "../../src/array/write/write-target.js";
import type { AttributeInput, SchemaInput } from "../../src/array/write/write-types.js";
import { NodeFsStore } from "../../src/storage/node-fs.js";
import { bytesOf } from "../../src/util/typed-arrays.js";
import { fragmentContent, fragmentKeys } from "../array/write-support.js";
import { hasPython, pythonPeer } from "../support/python.js";
import { temporaryFolder } from "../support/temporary.js";

/**
 * The same cells written by us and by the official library, into arrays without filters: files are then the same byte
 * for byte, and metadata the same value for value.
 */

const none = { coordsFilters: [], offsetsFilters: [], validityFilters: [] };

const attributes: AttributeInput[] = [
  { name: "i32", datatype: "int32" },
  { name: "u8", datatype: "uint8" },
  { name: "i64", datatype: "int64", nullable: true },
  { name: "u64", datatype: "uint64" },
  { name: "f32", datatype: "float32" },
  { name: "f64", datatype: "float64", nullable: true },
  { name: "bool", datatype: "bool" },
  { name: "pair", datatype: "int16", cellValNum: 2 },
  { name: "char", datatype: "char" },
  { name: "chars", datatype: "char", cellValNum: 3 },
  { name: "ascii", datatype: "string_ascii" },
  { name: "nullAscii", datatype: "string_ascii", nullable: true },
  { name: "utf8", datatype: "string_utf8" },
  { name: "time", datatype: "datetime_ms" },
  { name: "varInt", datatype: "int32", cellValNum: "var" },
  { name: "blob", datatype: "blob" },
];

function text(cells: readonly (string | null)[]) {
  const parts = cells.map((cell) => new TextEncoder().encode(cell ?? ""));
  const offsets = new Uint32Array(cells.length + 1);
  parts.forEach((part, i) => {
    offsets[i + 1] = offsets[i]! + part.byteLength;
  });
  const data = Uint8Array.from(parts.flatMap((part) => [...part]));
  const validity = Uint8Array.from(cells, (cell) => (cell === null ? 0 : 1));
  return { offsets, data, validity };
}

/** Columns as both writers take them: ours, and bytes for the official one. */
function cellsOf(n: number) {
  const of = <T>(make: (i: number) => T) => Array.from({ length: n }, (_, i) => make((i * 7919) % 101));
  const valid = Uint8Array.from(of((i) => (i % 4 === 0 ? 0 : 1)));
  // The second half of the tiles is all null.
  valid.fill(0, Math.floor(n / 2));
  const words = ["", "a", "b", "ba", "zebra", "Zebra", "a b"];
  const ascii = text(of((i) => words[i % 7]!));
  const nullAscii = text(of((i) => (i % 3 === 0 ? null : words[i % 7]!)));
  const utf8 = text(of((i) => "é".repeat(i % 3)));
  const fixed = {
    i32: Int32Array.from(of((i) => (i - 50) * 40_000_000)),
    u8: Uint8Array.from(of((i) => i * 2)),
    i64: BigInt64Array.from(of((i) => BigInt(i - 70) * 2n ** 50n)),
    u64: BigUint64Array.from(of((i) => 2n ** 63n + BigInt(i))),
    f32: Float32Array.from(of((i) => i / 7 - 3)),
    f64: Float64Array.from(of((i) => (i - 30) * 1.1e300)),
    bool: Uint8Array.from(of((i) => i % 2)),
    pair: Int16Array.from(of((i) => [i, -i]).flat()),
    char: Uint8Array.from(of((i) => 100 + i)),
    chars: Uint8Array.from(of((i) => [65 + (i % 20), 97, 65 + (i % 7)]).flat()),
    time: BigInt64Array.from(of((i) => BigInt(i) * 86_400_000n)),
    blob: Uint8Array.from(of((i) => i)),
  };
  const nulls: Record<string, Uint8Array> = { i64: valid, f64: valid };
  const ours: Record<string, unknown> = {};
  const theirs: Record<string, unknown> = {};
  for (const attribute of attributes) {
    const values = fixed[attribute.name as keyof typeof fixed];
    if (values === undefined) continue;
    const validity = nulls[attribute.name];
    const { datatype, cellValNum = 1 } = attribute;
    ours[attribute.name] = { kind: "fixed", datatype, cellValNum, values, ...(validity && { validity }) };
    theirs[attribute.name] = { values: bytesOf(values), ...(validity && { validity }) };
  }
  const varInt = {
    offsets: Uint32Array.from({ length: n + 1 }, (_, i) => Math.floor(i / 2) * 8),
    data: bytesOf(Int32Array.from({ length: n * 2 }, (_, i) => i)).subarray(0, Math.floor(n / 2) * 8),
  };
  const texts = { ascii, nullAscii, utf8, varInt: { ...varInt, validity: new Uint8Array(n).fill(1) } };
  for (const [name, { offsets, data, validity }] of Object.entries(texts)) {
    const { datatype, nullable } = attributes.find((attribute) => attribute.name === name)!;
    ours[name] = { kind: "var", datatype, offsets, data, ...(nullable && { validity }) };
    theirs[name] = { offsets: bytesOf(offsets), data, ...(nullable && { validity }) };
  }
  return { ours: ours as Record<string, never>, theirs };
}

async function compareWriters(
  schema: SchemaInput,
  write: (folder: string) => Promise<unknown>,
  official: (folder: string) => Promise<unknown>,
) {
  const folder = await temporaryFolder();
  const store = new NodeFsStore(folder);
  await createArray({ store, path: "ours" }, schema);
  await cp(`${folder}/ours`, `${folder}/theirs`, { recursive: true });
  await write(folder);
  await official(`${folder}/theirs`);
  const target = await openTarget({ store, path: "ours" });
  const [ours] = await fragmentKeys(store, "ours");
  const [theirs] = await fragmentKeys(store, "theirs");
  const expected = await fragmentContent(store, theirs!, target.schema);
  expect(await fragmentContent(store, ours!, target.schema)).toEqual(expected);
  const files = await store.list(theirs!);
  expect(files.length).toBeGreaterThan(3);
  for (const { key } of files) {
    const name = key.slice(theirs!.length);
    if (name === "/__fragment_metadata.tdb") continue;
    expect(await store.get(`${ours}${name}`), name).toEqual(await store.get(key));
  }
}

describe.skipIf(!hasPython)("fragments are what the official writer makes of the same cells", () => {
  test("sparse, unordered, several tiles", async () => {
    const n = 37;
    const { ours, theirs } = cellsOf(n);
    const row = Uint32Array.from({ length: n }, (_, i) => (i * 31) % 41);
    const gene = text(Array.from({ length: n }, (_, i) => "g".repeat(i % 5)));
    const schema: SchemaInput = {
      ...none,
      arrayType: "sparse",
      capacity: 5,
      dimensions: [
        { name: "row", datatype: "uint32", domain: [0, 1000], tileExtent: 10 },
        { name: "gene", datatype: "string_ascii" },
      ],
      attributes,
    };
    const cells = { row, gene: { kind: "var", datatype: "string_ascii", ...gene }, ...ours } as const;
    const peer = await pythonPeer();
    await compareWriters(
      schema,
      (folder) =>
        writeSparse({ store: new NodeFsStore(folder), path: "ours" }, cells as never, { timestamp: 5 }),
      (uri) =>
        peer.call("write_cells", {
          uri,
          cells: {
            row: { values: bytesOf(row) },
            gene: { offsets: bytesOf(gene.offsets), data: gene.data },
            ...theirs,
          },
          timestamp: 5,
        }),
    );
  });

  test.each(["row-major", "col-major"] as const)("dense, not aligned to tiles, %s", async (order) => {
    // More tiles than attributes: with fewer the official writer loses the extremes of variable-length attributes.
    const { ours, theirs } = cellsOf(7 * 9);
    // The official writer takes the validity of each slab of such a tile from the tile's beginning.
    const compared = attributes.filter(({ name }) => name !== "nullAscii");
    for (const cells of [ours, theirs]) delete cells.nullAscii;
    const schema: SchemaInput = {
      ...none,
      arrayType: "dense",
      cellOrder: order,
      tileOrder: order === "row-major" ? "col-major" : "row-major",
      dimensions: [
        { name: "x", datatype: "int32", domain: [-3, 20], tileExtent: 2 },
        { name: "y", datatype: "int32", domain: [0, 9], tileExtent: 2 },
      ],
      attributes: compared,
    };
    const subarray = [
      [-2, 4],
      [1, 9],
    ] as const;
    const peer = await pythonPeer();
    await compareWriters(
      schema,
      (folder) => writeDense({ store: new NodeFsStore(folder), path: "ours" }, subarray, ours),
      (uri) => peer.call("write_cells", { uri, cells: theirs, subarray }),
    );
  });

  test("consolidated with the time of each cell", async () => {
    const folder = await temporaryFolder();
    const store = new NodeFsStore(folder);
    const place = { store, path: "ours" };
    await createArray(place, {
      ...none,
      arrayType: "sparse",
      capacity: 4,
      dimensions: [{ name: "row", datatype: "uint32", domain: [0, 1000] }],
      attributes,
    });
    for (const [timestamp, n] of [
      [3, 11],
      [5, 14],
      [8, 9],
    ] as const) {
      const row = Uint32Array.from({ length: n }, (_, i) => (i * 7 + timestamp) % 31);
      await writeSparse(place, { row, ...cellsOf(n).ours } as never, { timestamp });
    }
    await cp(`${folder}/ours`, `${folder}/theirs`, { recursive: true });
    const peer = await pythonPeer();
    await peer.call("consolidate", { uri: `${folder}/theirs` });
    await consolidate(place);
    const { schema } = await openTarget(place);
    const newest = async (path: string) => {
      const keys = await fragmentKeys(store, path);
      return keys.find((key) => key.includes("__3_8_"))!;
    };
    const [ours, theirs] = [await newest("ours"), await newest("theirs")];
    const expected = await fragmentContent(store, theirs, schema);
    expect(expected.footer.hasTimestamps).toBe(true);
    expect(await fragmentContent(store, ours, schema)).toEqual(expected);
    for (const { key } of await store.list(theirs)) {
      const name = key.slice(theirs.length);
      if (name === "/__fragment_metadata.tdb") continue;
      expect(await store.get(`${ours}${name}`), name).toEqual(await store.get(key));
    }
  });
});
