import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import {
  enumerationValues,
  type MetadataValue,
  openArray,
  readDataFrame,
  readGroup,
  type TileDBArray,
} from "../../src/tiledb-node.js";
import { jsonCells } from "../support/cells-json.js";
import { hasPython, type Peer, pythonPeer } from "../support/python.js";
import { temporaryFolder } from "../support/temporary.js";
import { fromWire, fromWireColumn, type WireColumn } from "../support/wire.js";

/**
 * What stands beside cells: enumerations, metadata, groups, current domains, fill values, made as TileDB-Py's tests make
 * them and read as it reads them.
 *
 * | test of TileDB-Py | here |
 * | :--- | :--- |
 * | test_enumeration: enumeration_basic, enum_dtypes, array_schema_enumeration, array_schema_enumeration_nullable | "enumerations" |
 * | test_enumeration: from_pandas_dtype_mismatch | dataframe.test.ts: categories |
 * | test_enumeration: attribute_enumeration, enumeration_repr | objects of Python |
 * | test_schema_evolution: extend_enmr, with_enmr | "enumerations": those named later |
 * | test_schema_evolution: schema_evolution, timestamp, drop_fixed_attribute_and_add_back_as_var_sized | evolved.test.ts; ../array/fixtures.test.ts |
 * | test_schema_evolution: extend_check_bad_type | writing |
 * | test_metadata: basic, numpy, ascii_metadata, bytes_metadata | "metadata" |
 * | test_metadata: consecutive | ../array/fixtures.test.ts: metadata-consolidated |
 * | test_metadata: errors | writing |
 * | test_group: members, named_members, relative, add_with_type_parameter, pass_context | "groups": members |
 * | test_group: group_metadata, group_metadata_new_types | "groups": metadata |
 * | test_group: is_group, walk_group, remove_group, move_group | objects.test.ts |
 * | test_group: set_config | ../array/group.test.ts: timestamps |
 * | test_current_domain: NDRectangleTest, current_domain_with_ndrectangle_*, evolve | "current domains" |
 * | test_current_domain: take_current_domain_into_account_* | a current domain set on an open array, which only Python can |
 * | test_attribute: attribute_fill, fill_value_setter | "fill values" |
 * | test_aggregates | aggregates.property.test.ts; ../array/aggregate.test.ts |
 */

/** As the peer's `_plain` has it: numbers as texts, floats as numbers; and bytes as texts of their own. */
type Plain = string | number | null | Plain[];

const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");

const isFloats = (values: unknown) => values instanceof Float32Array || values instanceof Float64Array;

function plainMetadata(value: MetadataValue, isFloat: boolean): Plain {
  if (value === null) return [];
  if (typeof value === "string") return value;
  if (value instanceof Uint8Array) return textOf(value);
  if (typeof value === "object") {
    const items = Array.from(value as Iterable<number | bigint>, (one) =>
      isFloats(value) ? Number(one) : `${one}`,
    );
    return items.length === 1 ? items[0]! : items;
  }
  if (typeof value === "number" && isFloat) return value;
  return `${Number.isInteger(value) ? value : value.toString()}`;
}

const FLAT = "__np_flat_";
const SHAPE = "__np_shape_";

/**
 * Arrays of numpy stand under a name of their own, with their shape beside them; text in its units of 32 bits, whatever the
 * datatype says.
 */
function plainOf(
  found: ReadonlyMap<string, MetadataValue>,
  floats: readonly string[],
): Record<string, Plain> {
  const entries = [...found].filter(([key]) => !key.startsWith(SHAPE));
  return Object.fromEntries(
    entries.map(([stored, value]) => {
      if (!stored.startsWith(FLAT)) return [stored, plainMetadata(value, floats.includes(stored))];
      const key = stored.slice(FLAT.length);
      if (typeof value === "string") return [key, value.replaceAll("\0", "")];
      // Several values of bool, as those of uint8, are an array of bytes.
      if (key === "bools") return [key, Array.from(value as Uint8Array, String)];
      return [key, plainMetadata(value, floats.includes(key))];
    }),
  );
}

/** Numbers that JSON lacks come as texts. */
function numbersIn(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(numbersIn);
  if (value instanceof Uint8Array) return textOf(value);
  return value === "Infinity" ? Number.POSITIVE_INFINITY : value;
}

function theirMetadata(answer: unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(answer as object).map(([key, value]) => [key, numbersIn(value)]));
}

const FLOATS = ["double", "infinity"];

/** Label by label: enumerated cells and the values of enumerations. */
function plainLabel(value: unknown): Plain {
  if (typeof value === "boolean") return value ? "1" : "0";
  if (typeof value === "bigint") return `${value}`;
  if (value instanceof Uint8Array) return textOf(value);
  return value as Plain;
}

describe.skipIf(!hasPython)("what TileDB-Py writes beside cells", () => {
  let peer: Peer;
  beforeAll(async () => {
    peer = await pythonPeer();
  }, 60_000);

  const ask = async (name: string, args: Record<string, unknown>) => fromWire(await peer.call(name, args));

  it.each([
    [true, true],
    [true, false],
    [false, true],
    [false, false],
  ])("enumerations of all types: ordered %s, sparse %s", { timeout: 60_000 }, async (ordered, sparse) => {
    const uri = join(await temporaryFolder(), "array");
    await ask("make_enumerated", { uri, ordered, sparse });
    const theirs = (await ask("enumerations_of", { uri })) as {
      enumerations: Record<string, { ordered: boolean; values: unknown[] }>;
      cells: Record<string, unknown[]>;
    };
    const array = await openArray(uri);
    const table = await readDataFrame(uri, { order: "row-major" });
    const { columns, cellCount } = await array.read();
    const names = array.schema.enumerations.map(({ name }) => name).sort();
    expect(names).toEqual(Object.keys(theirs.enumerations).sort());
    for (const { name, enumeration: label } of array.schema.attributes) {
      const enumeration = await array.enumeration(label!);
      const isFloat = enumeration.datatype.startsWith("float");
      const values = enumerationValues(enumeration).map(plainLabel);
      const asNumbers = isFloat ? values : values.map((one) => (typeof one === "number" ? `${one}` : one));
      const expected = theirs.enumerations[label!]!;
      expect({ label, ordered: enumeration.ordered, values: asNumbers }).toEqual({
        label,
        ordered: expected.ordered,
        values: numbersIn(expected.values),
      });
      const cells = numbersIn(theirs.cells[name]);
      const codes = jsonCells(columns[name]!, cellCount);
      expect(
        codes.map((code) => (code === null ? null : asNumbers[Number(code)])),
        name,
      ).toEqual(cells);
      const column = Array.from(table.getChild(name)!.toArray(), plainLabel);
      const shown = column.map((one) => (typeof one === "number" && !isFloat ? `${one}` : one));
      expect(shown, `${name} of the frame`).toEqual(cells);
    }
  });

  it("metadata of all types", async () => {
    const uri = join(await temporaryFolder(), "array");
    await ask("make_array_metadata", { uri });
    const array: TileDBArray = await openArray(uri);
    const theirs = theirMetadata(await ask("metadata_of", { uri }));
    expect(Object.keys(theirs)).toHaveLength(24);
    expect(plainOf(await array.metadata(), FLOATS)).toEqual(theirs);
    const { metadata: stored } = (await ask("array_info", { uri })) as {
      metadata: Record<string, { datatype: string; count: number; data: Uint8Array }>;
    };
    const entries = await array.metadataEntries();
    expect([...entries.keys()].sort()).toEqual(Object.keys(stored).sort());
    for (const [key, { datatype, bytes }] of entries) {
      const expected = stored[key]!;
      expect([key, datatype, textOf(bytes)]).toEqual([key, expected.datatype, textOf(expected.data)]);
    }
  });

  it("groups: members and metadata", async () => {
    const uri = join(await temporaryFolder(), "group");
    await ask("make_group", { uri });
    const inFolder = (member: string) => member.replace("file://", "").replace(`${uri}/`, "");
    for (const path of [uri, join(uri, "inner")]) {
      const theirs = (await ask("group_of", { uri: path })) as {
        members: { uri: string; type: string; name: string | null; relative: boolean | null }[];
        metadata: object;
      };
      const ours = await readGroup(path);
      const byUri = (a: { uri: string }, b: { uri: string }) => (a.uri < b.uri ? -1 : 1);
      const found = ours.members.map(({ uri: own, name, type, relative }) => ({
        uri: inFolder(relative ? join(path, own) : own),
        type,
        name,
        relative: name === null ? null : relative,
      }));
      const expected = theirs.members.map((member) => ({ ...member, uri: inFolder(member.uri) }));
      expect(found.sort(byUri)).toEqual(expected.sort(byUri));
      expect(found.length).toBe(path === uri ? 4 : 2);
      expect(plainOf(ours.metadata, FLOATS)).toEqual(theirMetadata(theirs.metadata));
    }
  });

  const types = "int8 uint8 int16 uint16 int32 uint32 int64 uint64 float32 float64 ascii".split(" ");

  it.each(types)("current domains: %s", async (dtype) => {
    const uri = join(await temporaryFolder(), "array");
    await ask("make_current_domain", { uri, dtype });
    const theirs = (await ask("current_domain_of", { uri })) as { range: unknown[]; cells: unknown[] };
    const array = await openArray(uri);
    const shown = (end: unknown) => (typeof end === "string" || dtype.startsWith("float") ? end : `${end}`);
    expect(array.schema.currentDomain?.map((ends) => ends.map(shown))).toEqual([theirs.range]);
    const { columns, cellCount } = await array.read();
    expect(jsonCells(columns.a!, cellCount)).toEqual(theirs.cells);
  });

  it("fill values of all types", async () => {
    const uri = join(await temporaryFolder(), "array");
    await ask("make_fills", { uri });
    const array = await openArray(uri);
    const { columns, cellCount } = await array.read({ ranges: { d: [[0n, 1n]] } });
    const theirs = (await ask("read_array", { uri, ranges: { d: [[0, 1]] } })) as {
      cellCount: number;
      columns: Record<string, WireColumn>;
    };
    expect(cellCount).toBe(2);
    expect(Object.keys(theirs.columns)).toHaveLength(24);
    for (const [name, wire] of Object.entries(theirs.columns)) {
      const { datatype, cellValNum } = array.schema.attributes.find((one) => one.name === name)!;
      expect([name, columns[name]]).toEqual([name, fromWireColumn(wire, datatype, cellValNum)]);
    }
  });
});
