import "../../src/node-platform.js";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { consolidate } from "../../src/array/consolidate/consolidate.js";
import { vacuum } from "../../src/array/consolidate/vacuum.js";
import { createArray } from "../../src/array/write/create.js";
import { addGroupMember, createGroup, removeGroupMember } from "../../src/array/write/group-io.js";
import { putMetadata } from "../../src/array/write/metadata-io.js";
import { writeDense } from "../../src/array/write/write-dense.js";
import { writeSparse } from "../../src/array/write/write-sparse.js";
import type {
  AttributeInput,
  CellValue,
  FilterInput,
  SchemaInput,
} from "../../src/array/write/write-types.js";
import { datatypeInfo } from "../../src/format/datatype.js";
import { NodeFsStore } from "../../src/storage/node-fs.js";
import { viewAs } from "../../src/util/typed-arrays.js";
import { hasPython, pythonPeer } from "../support/python.js";
import { keptFolder } from "../support/temporary.js";

/** What we write, read by the official library: values are compared with those that were drawn. */

interface Wire {
  readonly base64: string;
}
interface WireColumn {
  readonly values?: Wire;
  readonly offsets?: Wire;
  readonly data?: Wire;
  readonly validity?: Wire | null;
}

const bytes = ({ base64 }: Wire) => new Uint8Array(Buffer.from(base64, "base64"));

/** Cells of a column as the official library gave it, in the form in which they were drawn. */
function cellsOf({ datatype }: Pick<AttributeInput, "datatype">, column: WireColumn): (CellValue | null)[] {
  const validity = column.validity ? bytes(column.validity) : null;
  const cells: CellValue[] = [];
  if (column.offsets !== undefined) {
    const offsets = viewAs(bytes(column.offsets), Uint32Array);
    const data = bytes(column.data!);
    for (let i = 0; i + 1 < offsets.length; i++) {
      cells.push(new TextDecoder().decode(data.subarray(offsets[i], offsets[i + 1])));
    }
  } else cells.push(...viewAs(bytes(column.values!), datatypeInfo(datatype).array));
  return cells.map((cell, i) => (validity?.[i] === 0 ? null : cell));
}

type Drawable = Omit<AttributeInput, "name" | "filters" | "nullable">;

const valuesOf: Readonly<Record<string, fc.Arbitrary<CellValue>>> = {
  int8: fc.integer({ min: -128, max: 127 }),
  uint16: fc.integer({ min: 0, max: 65_535 }),
  int32: fc.integer(),
  uint64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  float32: fc.float({ noNaN: true }),
  float64: fc.double({ noNaN: true }),
  bool: fc.constantFrom(0, 1),
  datetime_ns: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  string_ascii: fc.string({ maxLength: 8 }).filter((text) => /^[\0-\x7f]*$/.test(text)),
  string_utf8: fc.string({ unit: "grapheme", maxLength: 6 }),
};

const numeric: FilterInput[][] = [
  [],
  ["gzip"],
  ["zstd"],
  ["lz4"],
  ["byteshuffle", "zstd"],
  ["bitshuffle", "lz4"],
  ["rle"],
  ["bzip2"],
];
const texts: FilterInput[][] = [[], ["zstd"], ["gzip"], ["rle"], ["dictionary"], ["dictionary", "zstd"]];

const attribute = fc.constantFrom(...(Object.keys(valuesOf) as Drawable["datatype"][])).chain((datatype) =>
  fc.record({
    datatype: fc.constant(datatype),
    nullable: fc.boolean(),
    filters: fc.constantFrom(...(datatype.startsWith("string") ? texts : numeric)),
  }),
);

const attributes = fc
  .array(attribute, { minLength: 1, maxLength: 4 })
  .map((drawn) => drawn.map((one, i): AttributeInput => ({ ...one, name: `a${i}` })));

const orders = fc.constantFrom("row-major" as const, "col-major" as const);
const extent = fc.constantFrom(null, 3, 50);

function columns(fields: readonly AttributeInput[], count: number) {
  return fc.tuple(
    ...fields.map(({ datatype, nullable }) =>
      fc.array(nullable ? fc.option(valuesOf[datatype]!, { freq: 4 }) : valuesOf[datatype]!, {
        minLength: count,
        maxLength: count,
      }),
    ),
  );
}

const sparse = fc
  .record({
    attributes,
    cellOrder: orders,
    tileOrder: orders,
    extent,
    capacity: fc.integer({ min: 1, max: 30 }),
    text: fc.boolean(),
  })
  .chain(({ attributes, extent, text, ...rest }) => {
    const schema: SchemaInput = {
      ...rest,
      arrayType: "sparse",
      attributes,
      dimensions: [
        {
          name: "x",
          datatype: "uint32",
          domain: [0, 99],
          tileExtent: extent,
          filters: ["double_delta", "zstd"],
        },
        text
          ? { name: "y", datatype: "string_ascii" }
          : { name: "y", datatype: "int64", domain: [-50, 50], tileExtent: extent },
      ],
    };
    const y = text
      ? fc.string({ maxLength: 3, unit: fc.constantFrom("a", "B", "~") })
      : fc.bigInt({ min: -50n, max: 50n });
    return fc
      .uniqueArray(fc.tuple(fc.nat(99), y), { minLength: 1, maxLength: 60, selector: String })
      .chain((coordinates) =>
        columns(attributes, coordinates.length).map((cells) => ({ schema, coordinates, cells })),
      );
  });

const dense = fc
  .record({
    attributes,
    cellOrder: orders,
    tileOrder: orders,
    low: fc.tuple(fc.nat(9), fc.nat(9)),
    size: fc.tuple(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 8 })),
  })
  .chain(({ attributes, low, size, ...rest }) => {
    const schema: SchemaInput = {
      ...rest,
      arrayType: "dense",
      attributes,
      dimensions: [
        { name: "x", datatype: "int16", domain: [0, 19], tileExtent: 4 },
        { name: "y", datatype: "int16", domain: [0, 19], tileExtent: 7 },
      ],
    };
    const box = low.map((from, d) => [from, from + size[d]! - 1] as const);
    return columns(attributes, size[0] * size[1]).map((cells) => ({ schema, box, cells }));
  });

describe.skipIf(!hasPython)("the official library reads what we write", () => {
  let folder: Awaited<ReturnType<typeof keptFolder>>;
  let arrays = 0;
  beforeAll(async () => {
    folder = await keptFolder();
  });
  afterAll(() => folder.remove());

  const newPlace = () => {
    const path = `a${arrays++}`;
    return { place: { store: new NodeFsStore(folder.path), path }, uri: join(folder.path, path) };
  };

  async function officialCells(uri: string, schema: SchemaInput, names: readonly string[]) {
    const peer = await pythonPeer();
    const found = (await peer.call("read_array", { uri })) as { columns: Record<string, WireColumn> };
    const fields = [...schema.dimensions, ...schema.attributes];
    return names.map((name) => cellsOf(fields.find((field) => field.name === name)!, found.columns[name]!));
  }

  test("sparse cells, before and after consolidation by either", async () => {
    await fc.assert(
      fc.asyncProperty(sparse, fc.nat(), async ({ schema, coordinates, cells }, cut) => {
        const { place, uri } = newPlace();
        await createArray(place, schema);
        const names = schema.attributes.map(({ name }) => name);
        const at = cut % coordinates.length;
        for (const [from, to, timestamp] of [
          [0, at, 1],
          [at, coordinates.length, 2],
        ] as const) {
          const part: Record<string, (CellValue | null)[]> = {
            x: coordinates.slice(from, to).map(([x]) => x),
            y: coordinates.slice(from, to).map(([, y]) => y),
          };
          names.forEach((name, i) => {
            part[name] = cells[i]!.slice(from, to);
          });
          await writeSparse(place, part, { timestamp });
        }
        const order = coordinates.map((_, i) => i).sort((a, b) => compare(coordinates[a]!, coordinates[b]!));
        const expected = [
          order.map((i) => coordinates[i]![0]),
          order.map((i) => coordinates[i]![1]),
          ...cells.map((column) => order.map((i) => column[i]!)),
        ];
        expect(await officialCells(uri, schema, ["x", "y", ...names])).toEqual(expected);
        const peer = await pythonPeer();
        if (cut % 2 === 0) {
          await consolidate(place);
          await vacuum(place);
        } else {
          await peer.call("consolidate", { uri });
          await peer.call("vacuum", { uri });
        }
        expect(await officialCells(uri, schema, ["x", "y", ...names])).toEqual(expected);
      }),
      { numRuns: 12 },
    );
  }, 120_000);

  test("dense cells, before and after consolidation by either", async () => {
    await fc.assert(
      fc.asyncProperty(dense, fc.boolean(), async ({ schema, box, cells }, byUs) => {
        const { place, uri } = newPlace();
        await createArray(place, schema);
        const names = schema.attributes.map(({ name }) => name);
        const written = Object.fromEntries(names.map((name, i) => [name, cells[i]!]));
        await writeDense(place, box, written, { timestamp: 1 });
        expect(await officialCells(uri, schema, names)).toEqual(cells);
        await writeDense(place, box, written, { timestamp: 2 });
        const peer = await pythonPeer();
        if (byUs) {
          await consolidate(place);
          await vacuum(place);
        } else {
          await peer.call("consolidate", { uri });
          await peer.call("vacuum", { uri });
        }
        expect(await officialCells(uri, schema, names)).toEqual(cells);
      }),
      { numRuns: 12 },
    );
  }, 120_000);

  test("array metadata and groups", async () => {
    const { place, uri } = newPlace();
    const peer = await pythonPeer();
    await createGroup(place);
    const inner = { ...place, path: `${place.path}/cells` };
    const dimensions = [{ name: "x", datatype: "int32", domain: [0, 9] } as const];
    await createArray(inner, { arrayType: "sparse", dimensions, attributes: [] });
    await createArray(
      { ...place, path: `${place.path}/other` },
      { arrayType: "sparse", dimensions, attributes: [] },
    );
    await addGroupMember(place, { uri: "cells", name: "Cells" });
    await addGroupMember(place, { uri: "other" });
    await removeGroupMember(place, "other");
    expect(await peer.call("object_type", { uri })).toBe("group");
    expect(await peer.call("group_members", { uri })).toMatchObject([{ name: "Cells", type: "array" }]);
    await putMetadata(inner, { text: "é", n: 3, x: 1.5, gone: 1 });
    await putMetadata(inner, { gone: null });
    await consolidate(inner, { mode: "metadata" });
    await vacuum(inner, { mode: "metadata" });
    expect(await peer.call("python_metadata", { uri: join(uri, "cells") })).toEqual({
      text: "é",
      n: 3,
      x: 1.5,
    });
  });
});

type Coordinates = readonly [number, string | bigint];

function compare(a: Coordinates, b: Coordinates): number {
  return a[0] - b[0] || (a[1] < b[1] ? -1 : a[1] > b[1] ? 1 : 0);
}
