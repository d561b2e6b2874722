import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { datatypes } from "../../src/format/datatype.js";
import { filterSupport } from "../../src/format/filters/registry.js";

/** That spec-fixtures has what the code's tables say can be read: every version, datatype, order and filter. */

interface Field {
  readonly type: string;
  readonly filters: readonly { readonly type: string }[];
}

interface Described {
  readonly name: string;
  readonly arrayType: "sparse" | "dense";
  readonly formatVersion: number;
  readonly cellOrder: string;
  readonly tileOrder: string;
  readonly allowsDuplicates: boolean;
  readonly currentDomain: unknown;
  readonly dimensions: readonly (Field & { readonly domain: unknown; readonly tileExtent: unknown })[];
  readonly attributes: readonly (Field & {
    readonly cellValNum: number | "var";
    readonly nullable: boolean;
    readonly fill: unknown;
    readonly enumeration: string | null;
  })[];
  readonly enumerations: readonly { readonly ordered: boolean }[];
  readonly coordsFilters: Field["filters"];
  readonly offsetsFilters: Field["filters"];
  readonly validityFilters: Field["filters"];
  readonly fragments: readonly { readonly formatVersion: number }[];
}

const root = fileURLToPath(new URL("../../spec-fixtures", import.meta.url));
const all: Described[] = readdirSync(root)
  .filter((folder) => /^v\d+$/.test(folder))
  .flatMap((folder) => readdirSync(join(root, folder)).map((name) => `${folder}/${name}`))
  .filter((name) => existsSync(join(root, name, "schema.json")))
  .map((name) => ({ name, ...JSON.parse(readFileSync(join(root, name, "schema.json"), "utf8")) }));

const names = datatypes.map(({ name }) => name).sort();
const sorted = (list: Iterable<string>) => [...new Set(list)].sort();
const ofType = (type: Described["arrayType"]) => all.filter(({ arrayType }) => arrayType === type);

const dimensionTypes = datatypes
  .filter(({ kind }) => ["int", "uint", "datetime", "time"].includes(kind))
  .map(({ name }) => name);

describe("spec-fixtures", () => {
  it("has fragments of every version that a released library writes", () => {
    const versions = new Set(
      all.flatMap(({ fragments }) => fragments.map(({ formatVersion }) => formatVersion)),
    );
    const expected = Array.from({ length: 20 }, (_, i) => i + 3);
    expect(expected.filter((version) => !versions.has(version))).toEqual([]);
  });

  it.each([
    ["sparse", 1],
    ["sparse", 3],
    ["sparse", "var"],
    ["dense", 1],
    ["dense", "var"],
  ] as const)("has %s attributes of every datatype with %s values a cell", (type, number) => {
    const found = ofType(type).flatMap(({ attributes }) =>
      attributes.filter(({ cellValNum }) => cellValNum === number).map((attribute) => attribute.type),
    );
    // Cells of "any" are variable-length.
    const isOptional = (name: string) => name === "any" && (type === "dense" || number !== "var");
    expect(names.filter((name) => !isOptional(name) && !found.includes(name))).toEqual([]);
  });

  it("has nullable attributes of every datatype", () => {
    const nullable = all.flatMap(({ attributes }) => attributes.filter((one) => one.nullable));
    expect(names.filter((name) => name !== "any" && !nullable.some(({ type }) => type === name))).toEqual([]);
  });

  it("has dimensions of every datatype that they can have", () => {
    const found = (type: Described["arrayType"]) =>
      sorted(ofType(type).flatMap(({ dimensions }) => dimensions.map((one) => one.type)));
    expect(found("dense")).toEqual([...dimensionTypes].sort());
    expect(found("sparse")).toEqual([...dimensionTypes, "float32", "float64", "string_ascii"].sort());
  });

  it("has one to five dimensions", () => {
    for (const type of ["sparse", "dense"] as const) {
      expect(sorted(ofType(type).map(({ dimensions }) => `${dimensions.length}`))).toEqual([..."12345"]);
    }
  });

  it("has every order of cells and tiles", () => {
    const orders = (type: Described["arrayType"]) =>
      sorted(ofType(type).map(({ cellOrder, tileOrder }) => `${cellOrder} ${tileOrder}`));
    const both = ["col-major col-major", "col-major row-major", "row-major col-major", "row-major row-major"];
    expect(orders("dense")).toEqual(both);
    expect(orders("sparse")).toEqual(expect.arrayContaining([...both, "hilbert row-major"]));
  });

  it("has every filter", () => {
    const found = sorted(
      all.flatMap(({ dimensions, attributes, coordsFilters, offsetsFilters, validityFilters }) =>
        [...dimensions, ...attributes]
          .flatMap(({ filters }) => filters)
          .concat(coordsFilters, offsetsFilters, validityFilters)
          .map(({ type }) => type),
      ),
    );
    const readable = filterSupport().filter(({ read }) => read);
    expect(readable.map(({ type }) => type).filter((type) => !found.includes(type))).toEqual([]);
  });

  it("has every filter that takes any bytes on attributes, coordinates, offsets and validity", () => {
    const general = ["gzip", "zstd", "lz4", "rle", "bzip2", "byteshuffle", "bitshuffle"];
    const checksums = ["checksum_md5", "checksum_sha256"];
    const places = {
      attributes: (one: Described) => one.attributes.flatMap(({ filters }) => filters),
      coordinates: (one: Described) => one.dimensions.flatMap(({ filters }) => filters),
      offsets: (one: Described) => one.offsetsFilters,
      validity: (one: Described) => one.validityFilters,
    };
    for (const [place, filtersOf] of Object.entries(places)) {
      const found = all.flatMap(filtersOf).map(({ type }) => type);
      const missing = [...general, ...checksums, "none"].filter((type) => !found.includes(type));
      expect([place, missing]).toEqual([place, []]);
    }
    const offsets = all.flatMap((one) => one.offsetsFilters).map(({ type }) => type);
    const integers = ["double_delta", "bit_width_reduction", "positive_delta", "delta"];
    expect(integers.filter((type) => !offsets.includes(type))).toEqual([]);
  });

  it.each<[string, (one: Described) => boolean]>([
    ["duplicates", ({ allowsDuplicates }) => allowsDuplicates],
    ["no tile extent", ({ dimensions }) => dimensions.some(({ tileExtent }) => tileExtent === null)],
    [
      "the whole range of uint64",
      ({ dimensions }) =>
        dimensions.some(
          ({ domain }) => JSON.stringify(domain).replaceAll('"', "") === "[0,18446744073709551614]",
        ),
    ],
    ["a current domain", ({ currentDomain }) => currentDomain !== null],
    ["an ordered enumeration", ({ enumerations }) => enumerations.some(({ ordered }) => ordered)],
    [
      "a nullable enumerated attribute",
      ({ attributes }) => attributes.some(({ enumeration, nullable }) => enumeration !== null && nullable),
    ],
    ["no attribute", ({ attributes }) => attributes.length === 0],
    ["no fragment", ({ fragments }) => fragments.length === 0],
    [
      "fragments of several versions",
      ({ fragments }) => new Set(fragments.map((one) => one.formatVersion)).size > 1,
    ],
  ])("has an array with %s", (_what, holds) => {
    expect(all.some(holds)).toBe(true);
  });
});
