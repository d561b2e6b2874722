import { describe, expect, test } from "vitest";
import { type ArraySchema, readArraySchema } from "../../src/format/array-schema.js";
import { VAR_NUM } from "../../src/format/datatype.js";
import { enumerationSize, enumerationValues, readEnumeration } from "../../src/format/enumeration.js";
import type { FilterPipeline } from "../../src/format/filter-pipeline.js";
import { fieldFileName, fieldNames } from "../../src/format/fragment/fragment-fields.js";
import {
  footerSchemaName,
  footerTailSize,
  readFragmentFooter,
} from "../../src/format/fragment/fragment-footer.js";
import { readProcessedConditions } from "../../src/format/fragment/fragment-sections.js";
import { readRTree } from "../../src/format/fragment/rtree.js";
import { mergeGroupDetails, readGroupDetails } from "../../src/format/group.js";
import { decodeMetadataValue, mergeMetadata, readMetadata } from "../../src/format/metadata.js";
import { parseTimestampedName } from "../../src/format/timestamped-name.js";
import {
  type ExpectedPipeline,
  type ExpectedSchema,
  goldenExpected,
  goldenFiles,
  goldenFragment,
  goldenVersions,
  payloadOf,
  readGolden,
} from "./golden-files.js";

/** Official files mean what the official library says of them. */

const golden = async (name: string) => payloadOf({ name, bytes: readGolden(name) });
const schemaOf = async (name: string) => readArraySchema(await golden(name), name);

/** TileDB-Py's names of filters. */
const filterClasses: Readonly<Record<string, string>> = {
  none: "NoOpFilter",
  gzip: "GzipFilter",
  zstd: "ZstdFilter",
  lz4: "LZ4Filter",
  rle: "RleFilter",
  bzip2: "Bzip2Filter",
  double_delta: "DoubleDeltaFilter",
  delta: "DeltaFilter",
  bit_width_reduction: "BitWidthReductionFilter",
  positive_delta: "PositiveDeltaFilter",
  bitshuffle: "BitShuffleFilter",
  byteshuffle: "ByteShuffleFilter",
  xor: "XORFilter",
  checksum_md5: "ChecksumMD5Filter",
  checksum_sha256: "ChecksumSHA256Filter",
  scale_float: "FloatScaleFilter",
  dictionary: "DictionaryFilter",
};

const pipelineOf = ({ maxChunkSize, filters }: FilterPipeline): ExpectedPipeline => ({
  chunk: maxChunkSize,
  filters: filters.map(({ type }) => filterClasses[type] ?? type),
});

/** NumPy's name of a datatype, as far as the fixtures go. */
function numpyName(datatype: string, cellValNum: number): string {
  const units: Record<string, string> = { day: "D", ns: "ns", sec: "s", hr: "h" };
  const [kind, unit = ""] = datatype.split("_");
  if (kind === "datetime") return `datetime64[${units[unit]}]`;
  if (kind === "time") return `timedelta64[${units[unit]}]`;
  if (datatype === "string_ascii" || datatype === "blob") return "|S0";
  if (datatype === "string_utf8") return "<U0";
  if (datatype === "char") return cellValNum === VAR_NUM ? "|S0" : `|S${cellValNum}`;
  if (cellValNum === 2 && datatype === "float32") return "complex64";
  if (cellValNum === 3) return "[('f0', '<i4'), ('f1', '<i4'), ('f2', '<i4')]";
  return datatype;
}

function described(schema: ArraySchema): ExpectedSchema {
  return {
    version: schema.version,
    sparse: schema.arrayType === "sparse",
    duplicates: schema.allowsDuplicates,
    cellOrder: schema.cellOrder,
    tileOrder: schema.cellOrder === "hilbert" ? null : schema.tileOrder, // TileDB-Py shows none
    capacity: schema.capacity,
    offsets: pipelineOf(schema.offsetsFilters),
    coords: pipelineOf(schema.coordsFilters),
    validity: pipelineOf(schema.validityFilters),
    dimensions: schema.dimensions.map(({ name, datatype, domain, tileExtent, cellValNum }) => ({
      name,
      dtype: numpyName(datatype, cellValNum),
      domain: domain?.map((end) => textOf(end, datatype)) ?? null,
      tile: tileExtent === null ? null : textOf(tileExtent, datatype),
    })),
    attributes: schema.attributes.map(({ name, datatype, cellValNum, nullable, filters, enumeration }) => ({
      name,
      dtype: numpyName(datatype, cellValNum),
      var: cellValNum === VAR_NUM,
      nullable,
      filters: pipelineOf(filters),
      enumeration,
    })),
  };
}

/** Numbers as the fixtures have them: integers and datetimes in digits, floats as Python prints them. */
function textOf(value: number | bigint, datatype: string): string {
  const isFloat = datatype.startsWith("float") && Number.isInteger(value);
  return isFloat ? `${value}.0` : String(value);
}

/** The schema's current version is the last of its files. */
const schemaFileOf = (version: number, name: string): string => {
  const file = goldenFiles("schema").findLast((candidate) =>
    new RegExp(`^v${version}/schema/${name}(\\.\\d+)?$`).test(candidate.name),
  );
  return file!.name;
};

for (const version of goldenVersions) {
  const { arrays } = goldenExpected(version);
  describe(`schemas of version ${version}`, () => {
    for (const [name, array] of Object.entries(arrays)) {
      test(name, async () => {
        const found = described(await schemaOf(schemaFileOf(version, name)));
        expect(found).toEqual(array.schema);
      });
    }
  });

  describe(`fragments of version ${version}`, () => {
    for (const [name, array] of Object.entries(arrays)) {
      for (const [fragmentName, expected] of Object.entries(array.fragments)) {
        test(`${name} ${expected.file}`, async () => {
          const file = `v${version}/fragment/${name}/${expected.file}`;
          const fragment = await goldenFragment({ name: file, bytes: readGolden(file) });
          const { footer, schema } = fragment;
          expect(footer.version).toBe(version);
          expect(fragmentName.endsWith(`_${version}`)).toBe(true);
          checkSizes(fragment, expected.sizes);
          if (expected.cells === undefined) return;
          expect(footer.schemaName).toBe(expected.schema);
          expect(footer.dense).toBe(!expected.sparse);
          const domain = footer.nonEmptyDomain!.map((ends, d) =>
            ends.map((end) => (typeof end === "string" ? end : textOf(end, schema.dimensions[d]!.datatype))),
          );
          expect(domain).toEqual(expected.nonEmptyDomain);
          if (!expected.sparse) return;
          expect((footer.sparseTileCount - 1) * schema.capacity + footer.lastTileCellCount).toBe(
            expected.cells,
          );
          const tree = readRTree(fragment.sections[0]!.payload, schema.dimensions);
          expect(tree.tileCount).toBe(footer.sparseTileCount);
          const rectangles = Array.from({ length: tree.tileCount }, (_, tile) =>
            tree.bounds.map(({ lo, hi }, d) =>
              [lo[tile]!, hi[tile]!].map((end) =>
                typeof end === "string" ? end : textOf(end, schema.dimensions[d]!.datatype),
              ),
            ),
          );
          expect(rectangles).toEqual(expected.mbrs);
        });
      }
    }
  });
}

/** File sizes of the footer are those of the files, whose names follow from the schema. */
function checkSizes(
  { footer, schema }: Awaited<ReturnType<typeof goldenFragment>>,
  sizes: Readonly<Record<string, number>>,
): void {
  const found: Record<string, number> = {};
  fieldNames(schema, footer).forEach((field, index) => {
    const stem = fieldFileName(schema, field);
    if (footer.fileSizes[index]! > 0) found[`${stem}.tdb`] = footer.fileSizes[index]!;
    if (footer.fileVarSizes[index]! > 0) found[`${stem}_var.tdb`] = footer.fileVarSizes[index]!;
    if (footer.fileValiditySizes[index]! > 0)
      found[`${stem}_validity.tdb`] = footer.fileValiditySizes[index]!;
  });
  const { "__fragment_metadata.tdb": _, ...data } = sizes;
  expect(found).toEqual(Object.fromEntries(Object.entries(data).filter(([, size]) => size > 0)));
}

describe("parts that the library does not show", () => {
  test("fill values", async () => {
    const { attributes } = await schemaOf("v22/schema/fills");
    const fills = Object.fromEntries(attributes.map(({ name, fill }) => [name, Buffer.from(fill)]));
    expect(fills.i!.readInt32LE()).toBe(-7);
    expect(fills.f!.readDoubleLE()).toBe(0.25);
    expect(fills.s!.toString()).toBe("none");
    expect(fills.t!.toString()).toBe("NA");
    expect(fills.d!.readBigInt64LE()).toBe(99n);
  });

  test("current domain", async () => {
    const { currentDomain } = await schemaOf("v22/schema/current-domain");
    expect(currentDomain).toEqual([
      [0n, 49n],
      ["aa", "zzz"],
    ]);
    expect((await schemaOf("v22/schema/labels")).currentDomain).toBeNull();
  });

  test("dimension labels", async () => {
    const { labels } = await schemaOf("v22/schema/labels");
    expect(labels.map(({ name, dimension, order, datatype }) => [name, dimension, order, datatype])).toEqual([
      ["l1", 0, "increasing", "int64"],
      ["l2", 0, "decreasing", "string_ascii"],
      ["l3", 1, "increasing", "float64"],
    ]);
    expect(
      labels.every(({ relative, external, uri }) => relative && !external && uri.startsWith("__labels/")),
    ).toBe(true);
  });

  test("enumerations", async () => {
    for (const version of [20, 21, 22]) {
      const schema = await schemaOf(`v${version}/schema/enumerations`);
      const files = goldenFiles(`enumeration`).filter(({ name }) => name.startsWith(`v${version}/`));
      const read = await Promise.all(files.map(async (file) => readEnumeration(await payloadOf(file))));
      const byName = Object.fromEntries(read.map((enumeration) => [enumeration.name, enumeration]));
      expect(schema.enumerations.length).toBe(3);
      for (const { name, file } of schema.enumerations) expect(byName[name]!.file).toBe(file);
      expect(enumerationValues(byName.tissue!)).toEqual(["lung", "", "liver"]);
      expect(enumerationValues(byName.grade!)).toEqual([10n, 20n, 40n]);
      expect(enumerationSize(byName.nothing!)).toBe(0);
      expect([byName.tissue!.ordered, byName.grade!.ordered]).toEqual([false, true]);
    }
  });

  test("extra fields and conditions of a consolidated fragment", async () => {
    for (const version of goldenVersions) {
      const files = goldenFiles("fragment/consolidated", ".metadata").filter(({ name }) =>
        name.startsWith(`v${version}/`),
      );
      const fragments = await Promise.all(files.map(goldenFragment));
      const consolidated = fragments.find(({ footer }) => footer.hasTimestamps)!;
      expect(consolidated.footer.hasDeleteMetadata).toBe(true);
      expect(fieldNames(consolidated.schema, consolidated.footer)).toEqual([
        "v",
        "__coords",
        "x",
        "__timestamps",
        "__delete_timestamps",
        "__delete_condition_index",
      ]);
      const conditions = readProcessedConditions(consolidated.sections.at(-1)!.payload);
      expect(conditions.map((name) => parseTimestampedName(name)?.start)).toEqual([24, 33]);
    }
  });

  test("metadata, one file after the other", async () => {
    for (const version of goldenVersions) {
      const files = await Promise.all([0, 1].map((i) => golden(`v${version}/metadata/${i}`)));
      const entries = files.map((payload) => readMetadata(payload));
      const first = Object.fromEntries(Array.from(mergeMetadata(entries.slice(0, 1)), ([k, v]) => [k, v]));
      expect(decodeMetadataValue(first.text!)).toBe("héllo");
      expect(decodeMetadataValue(first.int!)).toBe(-(2n ** 53n) - 1n);
      expect(decodeMetadataValue(first.float!)).toBe(0.1);
      expect(decodeMetadataValue(first.ints!)).toEqual(BigInt64Array.of(1n, 2n, 3n));
      expect(decodeMetadataValue(first.floats!)).toEqual(Float64Array.of(0.5, -1.5));
      expect(decodeMetadataValue(first.é!)).toBe("key");
      expect(Buffer.from(first.bytes!.bytes).toString("hex")).toBe("00ff");
      const merged = mergeMetadata(entries);
      expect(decodeMetadataValue(merged.get("text")!)).toBe("other");
      expect(merged.has("int")).toBe(false);
    }
  });

  test("group members", async () => {
    for (const version of goldenVersions) {
      const files = goldenFiles("group").filter(({ name }) => name.startsWith(`v${version}/`));
      const details = await Promise.all(files.map(async (file) => readGroupDetails(await payloadOf(file))));
      expect(mergeGroupDetails(details.slice(0, 1)).get("by name")).toEqual({
        uri: "inside",
        relative: true,
        name: "by name",
        type: "array",
        deleted: false,
      });
      const members = [...mergeGroupDetails(details).values()];
      const summary = members.map(({ name, type, relative }) => [name, type, relative]);
      expect(summary).toContainEqual([null, "group", true]);
      expect(summary).toContainEqual(["far", "array", false]);
      expect(summary).toHaveLength(2);
    }
  });

  test("names of schema and length of a footer, before the schema is known", () => {
    const bytes = readGolden("v22/fragment/evolved/0.metadata");
    const size = footerTailSize(bytes.subarray(-100));
    expect(size).toBeLessThan(bytes.byteLength);
    expect(footerSchemaName(bytes.subarray(-size))).toMatch(/^__\d+_\d+_[0-9a-f]{32}$/);
    expect(() => readFragmentFooter(bytes.subarray(1 - size), () => Object.create(null))).toThrow(
      `${size} bytes at the end of the file are needed, ${size - 1} given`,
    );
  });
});
