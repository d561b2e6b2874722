import { describe, expect, test } from "vitest";
import { ByteReader } from "../../src/format/byte-reader.js";
import { fieldCount, fieldIndex, isVarField } from "../../src/format/fragment/fragment-fields.js";
import {
  type FragmentFooter,
  readFooter,
  readFragmentFooter,
  writeFooter,
} from "../../src/format/fragment/fragment-footer.js";
import { type FieldMetadata, writeFragmentMetadata } from "../../src/format/fragment/fragment-metadata.js";
import {
  readFragmentMinMaxSumNull,
  readProcessedConditions,
  readTileMinMax,
  readTileNumbers,
  readTileSums,
} from "../../src/format/fragment/fragment-sections.js";
import { emptyFieldMetadata } from "../../src/format/fragment/fragment-statistics.js";
import { readRTree } from "../../src/format/fragment/rtree.js";
import { readGenericTile } from "../../src/format/generic-tile.js";
import { type GoldenFragment, goldenFiles, goldenFragment, readGolden } from "./golden-files.js";

/** What a writer would have handed over for an official file. */
function inputOf(fragment: GoldenFragment) {
  const { schema, footer, sections } = fragment;
  const payload = new Map(sections.map((section) => [section.name, section.payload]));
  const statistics = readFragmentMinMaxSumNull(payload.get("fragment statistics")!);
  const fields = Array.from({ length: fieldCount(schema, footer) }, (_, i): FieldMetadata => {
    const numbers = (name: string) => readTileNumbers(payload.get(`${name} ${i}`)!, name);
    const extremes = (name: string) => readTileMinMax(payload.get(`${name} ${i}`)!, isVarField(schema, i));
    return {
      fileSize: footer.fileSizes[i]!,
      fileVarSize: footer.fileVarSizes[i]!,
      fileValiditySize: footer.fileValiditySizes[i]!,
      tileOffsets: numbers("tile offsets"),
      tileVarOffsets: numbers("var tile offsets"),
      tileVarSizes: numbers("var tile sizes"),
      tileValidityOffsets: numbers("validity tile offsets"),
      mins: extremes("mins"),
      maxes: extremes("maxes"),
      sums: readTileSums(payload.get(`sums ${i}`)!),
      nullCounts: numbers("null counts"),
      statistics: statistics[i]!,
    };
  });
  return {
    schema,
    schemaName: footer.schemaName,
    dense: footer.dense,
    nonEmptyDomain: footer.nonEmptyDomain,
    rtree: footer.dense ? null : readRTree(payload.get("R-tree")!, schema.dimensions),
    lastTileCellCount: footer.lastTileCellCount,
    hasTimestamps: footer.hasTimestamps,
    hasDeleteMetadata: footer.hasDeleteMetadata,
    fields,
    processedConditions: readProcessedConditions(payload.get("processed conditions")!),
  };
}

describe("writing the whole file", () => {
  for (const file of goldenFiles("fragment", ".metadata").filter(({ name }) => name.startsWith("v22/"))) {
    test(file.name, async () => {
      const official = await goldenFragment(file);
      const bytes = await writeFragmentMetadata(inputOf(official));
      const ours = await goldenFragment({ name: file.name, bytes });
      const contents = ({ sections }: GoldenFragment) =>
        sections.map(({ name, payload }) => ({ name, payload }));
      expect(contents(ours)).toEqual(contents(official));
      // Compressed bytes may differ, so offsets may too; the headers around them may not.
      const withoutOffsets = (footer: FragmentFooter) => ({ ...footer, sections: null });
      expect(withoutOffsets(ours.footer)).toEqual(withoutOffsets(official.footer));
      const header = (from: Uint8Array) =>
        Array.from(from.subarray(0, 4)).concat(Array.from(from.subarray(20, 52)));
      expect(header(bytes)).toEqual(header(file.bytes));
    });
  }

  test("refuses a wrong number of fields", async () => {
    const name = "v22/fragment/hilbert/0.metadata";
    const input = inputOf(await goldenFragment({ name, bytes: readGolden(name) }));
    await expect(writeFragmentMetadata({ ...input, fields: input.fields.slice(1) })).rejects.toMatchObject({
      code: "ARGUMENT",
      message: "fragment metadata of 3 fields, expected 4",
    });
  });

  test("reads back from the offsets of the footer", async () => {
    const name = "v22/fragment/nullable/0.metadata";
    const official = await goldenFragment({ name, bytes: readGolden(name) });
    const bytes = await writeFragmentMetadata(inputOf(official));
    const footer = readFragmentFooter(bytes, () => official.schema);
    const index = fieldIndex(official.schema, "u");
    const { data } = await readGenericTile(bytes, footer.sections.tileNullCounts[index]!, "null counts");
    expect(Array.from(readTileNumbers(data, "null counts"))).toEqual([1, 3, 0, 1]);
    expect(emptyFieldMetadata(2).tileOffsets).toEqual(new Float64Array(2));
  });
});

describe("footer", () => {
  test("of version 23 keeps optional sections, known or not", async () => {
    const name = "v22/fragment/hilbert/0.metadata";
    const { footer, schema } = await goldenFragment({ name, bytes: readGolden(name) });
    const optionalSections = [
      { identifier: 0n, data: new Uint8Array(32).fill(7) },
      { identifier: 2n ** 63n, data: new Uint8Array(0) },
    ];
    const newer: FragmentFooter = { ...footer, version: 23, optionalSections };
    const bytes = writeFooter(newer, schema);
    const reader = new ByteReader(bytes, "fragment footer");
    expect(readFooter(reader, () => schema)).toEqual(newer);
    expect(reader.remaining).toBe(0);
    expect(bytes.byteLength).toBe(writeFooter(footer, schema).byteLength + 4 + 12 + 32 + 12);
  });

  test("of a newer version is refused with both numbers", () => {
    const bytes = readGolden("v22/fragment/hilbert/0.metadata").slice();
    const view = new DataView(bytes.buffer);
    const start = bytes.byteLength - 8 - view.getUint32(bytes.byteLength - 8, true);
    view.setUint32(start, 24, true);
    expect(() => readFragmentFooter(bytes, () => Object.create(null), "f")).toThrow(
      "format version 24 is newer than what this package reads, 1 to 23 (f)",
    );
  });

  test("of no or a foreign file", () => {
    expect(() => readFragmentFooter(new Uint8Array(0), () => Object.create(null), "f")).toThrow(
      "fragment footer: expected 4 bytes for footer length at offset 0, 0 left (f)",
    );
    expect(() => readFragmentFooter(new Uint8Array(50).fill(255), () => Object.create(null))).toThrow(
      "beyond 2^53 - 1",
    );
  });
});
