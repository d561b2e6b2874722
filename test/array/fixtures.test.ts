import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { StoredMetadata } from "../../src/array/directory/array-metadata.js";
import {
  type Datatype,
  type DimensionSelection,
  datatypeInfo,
  type OpenOptions,
  openArray,
  type ReadOrder,
  readGroup,
  type TileDBArray,
  walkObjects,
} from "../../src/tiledb-node.js";
import { type JsonCell, jsonCells, jsonEnumerations, jsonRows } from "../support/cells-json.js";

/** Arrays and groups that the official library wrote (spec-fixtures/generate.py), against what it says of them. */

const root = fileURLToPath(new URL("../../spec-fixtures", import.meta.url));
const folders = readdirSync(root)
  .filter((name) => /^v\d+$/.test(name))
  .flatMap((version) => readdirSync(join(root, version)).map((name) => `${version}/${name}`));
const arrays = folders.filter((name) => existsSync(join(root, name, "cells.json")));
const groups = folders.filter((name) => existsSync(join(root, name, "group.json")));

type Row = Record<string, JsonCell>;

interface Schema {
  readonly arrayType: string;
  readonly formatVersion: number;
  readonly cellOrder: string;
  readonly tileOrder: string;
  readonly capacity: number;
  readonly allowsDuplicates: boolean;
  readonly dimensions: readonly { name: string; type: Datatype; domain: unknown; tileExtent: unknown }[];
  readonly attributes: readonly { name: string; type: Datatype; cellValNum: unknown; nullable: boolean }[];
  readonly enumerations: readonly { name: string; ordered: boolean; values: unknown }[];
  readonly nonEmptyDomain: unknown;
  readonly currentDomain: unknown;
  readonly fragments: readonly Record<string, unknown>[];
  readonly metadata: Record<string, unknown>;
}

interface Query {
  readonly ranges?: Record<string, [string | number, string | number][]>;
  readonly timestamp?: number | [number, number];
  readonly order?: "row-major" | "col-major";
}

/** Of the encrypted ones, see fixture_kit.py. */
const encryptionKey = "0123456789abcdef0123456789abcdef";

const open = (name: string, options: OpenOptions = {}) =>
  openArray(
    join(root, name, "array"),
    name.includes("/encrypted.") ? { ...options, encryptionKey } : options,
  );

/** Integers beyond 2^53, in ranges, as text. */
function load<T>(...path: string[]): T {
  const text = readFileSync(join(root, ...path), "utf8");
  const exact = path.at(-1) === "reads.json" ? text.replace(/(?<=[[ ])-?\d{16,}(?=[,\]])/g, '"$&"') : text;
  return JSON.parse(exact) as T;
}

/** What JSON shows of a value: bigint and non-finite numbers as text, bytes as base64, typed arrays as lists. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (Array.isArray(value)) return value.map(plain);
  return value;
}

/** Coordinates of JSON as the API takes them. */
function selection(array: TileDBArray, query: Query): Record<string, DimensionSelection> {
  const ranges: Record<string, DimensionSelection> = {};
  for (const { name, datatype } of array.schema.dimensions) {
    const given = query.ranges?.[name];
    if (given === undefined) continue;
    const { bytes, kind } = datatypeInfo(datatype);
    const big = bytes === 8 && kind !== "float";
    const end = (one: string | number) => (big ? BigInt(one) : one);
    ranges[name] = given.map(([low, high]) => [end(low), end(high)] as const);
  }
  return ranges;
}

async function rowsOf(name: string, query: Query = {}): Promise<Row[]> {
  const { timestamp } = query;
  const array = await open(name, timestamp === undefined ? {} : { timestamp });
  const dimensions = array.schema.dimensions.map((dimension) => dimension.name);
  const order: ReadOrder = query.order ?? "row-major";
  const result = await array.read({ ranges: selection(array, query), dimensions, order });
  return jsonRows(result, await jsonEnumerations(array));
}

/** The same cells, and coordinates in the same order; cells that share coordinates may come in any order. */
function expectRows(found: readonly Row[], expected: readonly Row[], schema: Schema): void {
  const place = (row: Row) => JSON.stringify(schema.dimensions.map(({ name }) => row[name]));
  expect(found.map(place)).toEqual(expected.map(place));
  const whole = (row: Row) => JSON.stringify(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1)));
  const inPlace = (rows: readonly Row[]) =>
    schema.allowsDuplicates ? rows.map((row) => whole(row)).sort() : rows.map((row) => whole(row));
  expect(inPlace(found)).toEqual(inPlace(expected));
}

describe("arrays of the official library", () => {
  it("are there, of each version that its releases write", () => {
    const versions = new Set(arrays.map((name) => Number(name.split("/")[0]!.slice(1))));
    expect([...versions].sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i + 3));
    expect(arrays.length).toBeGreaterThan(200);
  });

  it.each(arrays)("%s: cells", async (name) => {
    expectRows(await rowsOf(name), load<Row[]>(name, "cells.json"), load(name, "schema.json"));
  });

  it.each(arrays)("%s: schema, fragments and metadata", async (name) => {
    const expected = load<Schema>(name, "schema.json");
    const array = await open(name);
    const { schema } = array;
    expect({
      arrayType: schema.arrayType,
      formatVersion: schema.version,
      cellOrder: schema.cellOrder,
      tileOrder: schema.tileOrder,
      capacity: schema.capacity,
      allowsDuplicates: schema.allowsDuplicates,
      currentDomain: plain(schema.currentDomain),
      nonEmptyDomain: plain(array.nonEmptyDomain()),
    }).toEqual({
      arrayType: expected.arrayType,
      formatVersion: expected.formatVersion,
      cellOrder: expected.cellOrder,
      tileOrder: expected.tileOrder,
      capacity: expected.capacity,
      allowsDuplicates: expected.allowsDuplicates,
      currentDomain: expected.currentDomain,
      nonEmptyDomain: expected.nonEmptyDomain,
    });
    expect(
      schema.dimensions.map((dimension) => ({
        name: dimension.name,
        type: dimension.datatype,
        domain: plain(dimension.domain),
        tileExtent: plain(dimension.tileExtent),
      })),
    ).toEqual(
      expected.dimensions.map(({ name, type, domain, tileExtent }) => ({ name, type, domain, tileExtent })),
    );
    const attributes = new Map(schema.attributes.map((attribute) => [attribute.name, attribute]));
    expect([...attributes.keys()].sort()).toEqual(expected.attributes.map((one) => one.name).sort());
    for (const { name, type, cellValNum, nullable } of expected.attributes) {
      const attribute = attributes.get(name)!;
      const number = attribute.cellValNum === 0xffffffff ? "var" : attribute.cellValNum;
      expect([name, attribute.datatype, number, attribute.nullable]).toEqual([
        name,
        type,
        cellValNum,
        nullable,
      ]);
    }
    for (const { name, ordered } of expected.enumerations) {
      expect((await array.enumeration(name)).ordered).toBe(ordered);
    }
    const fragments = array.fragments.map((fragment) => ({
      name: fragment.name,
      formatVersion: fragment.formatVersion,
      timestampRange: fragment.timestampRange,
      nonEmptyDomain: plain(fragment.nonEmptyDomain),
      cellCount: fragment.cellCount,
      bytes: fragment.bytes,
    }));
    const byName = (a: { name?: unknown }, b: { name?: unknown }) =>
      String(a.name) < String(b.name) ? -1 : 1;
    expect(fragments.sort(byName)).toEqual([...expected.fragments].sort(byName));
    const metadata = [...(await array.metadataEntries())].map(([key, entry]) => [key, metadataJson(entry)]);
    expect(Object.fromEntries(metadata)).toEqual(expected.metadata);
  });

  const asked = arrays.filter((name) => existsSync(join(root, name, "reads.json")));
  it.each(asked)("%s: ranges, times and orders", async (name) => {
    for (const { query, cells } of load<{ query: Query; cells: Row[] }[]>(name, "reads.json")) {
      expectRows(await rowsOf(name, query), cells, load(name, "schema.json"));
    }
  });
});

/** A value as stored: text, base64 of blobs, one number as such, several as a list. */
function metadataJson({ datatype, bytes }: StoredMetadata): JsonCell {
  const offsets = Uint32Array.of(0, bytes.byteLength);
  const cell = jsonCells({ kind: "var", datatype, offsets, data: bytes }, 1)[0]!;
  return Array.isArray(cell) && cell.length === 1 ? cell[0]! : cell;
}

describe("groups of the official library", () => {
  it.each(groups)("%s", async (name) => {
    const uri = join(root, name, "group");
    const group = await readGroup(uri);
    const expected = load<{ members: Row[]; metadata: Row }>(name, "group.json");
    const members = group.members.map((member) => ({
      path: member.uri.replace(/\/$/, ""),
      type: member.type,
      name: member.name,
    }));
    expect(members.sort((a, b) => (a.path < b.path ? -1 : 1))).toEqual(expected.members);
    const metadata = [...group.metadata].map(([key, value]) => [
      key,
      typeof value === "bigint" ? Number(value) : value,
    ]);
    expect(Object.fromEntries(metadata)).toEqual(expected.metadata);
  });

  it("groups in groups, down to an array", async () => {
    const found: string[] = [];
    for await (const { uri, type } of walkObjects(join(root, "v22/group.nested/group"))) {
      found.push(`${type} ${relative(root, uri)}`);
    }
    const base = "v22/group.nested/group";
    expect(found).toEqual([
      `group ${base}/inner`,
      `group ${base}/inner/deep`,
      `array ${base}/inner/deep/array`,
    ]);
    const { members, metadata } = await readGroup(join(root, base, "inner/deep"));
    expect(members.map(({ uri, name }) => [uri, name])).toEqual([["array", "cells"]]);
    expect(metadata.get("place")).toBe("cells");
  });
});
