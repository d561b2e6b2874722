import { readdirSync, readFileSync } from "node:fs";
import { inflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { type Datatype, datatypeInfo, VAR_NUM } from "../../src/format/datatype.js";
import type { FilterSpec } from "../../src/format/filter-pipeline.js";
import { decodeTile, decodeVarTile, encodeTile, encodeVarTile, loadPipeline } from "../../src/format/tile.js";

/** Tiles that official libraries wrote (spec-fixtures/filters): a new file there is a new test here. */

interface FixedCase {
  readonly filters: FilterSpec[];
  readonly tile: string;
}

interface TextCase extends FixedCase {
  readonly offsetsFilters: FilterSpec[];
  readonly offsetsTile: string;
}

interface Golden {
  readonly version: number;
  readonly datatype: Datatype;
  readonly cellValNum?: number;
  readonly offsets?: number[];
  readonly values: string;
  /** Whether the values fill the range of their type. */
  readonly random: boolean;
  readonly cases: (FixedCase | TextCase)[];
}

const folder = new URL("../../spec-fixtures/filters/", import.meta.url);
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "base64"));
const names = (specs: readonly FilterSpec[]): string =>
  specs.map((spec) => spec.type).join(" ") || "no filter";

/** Filters whose output is not for the compressor's version to decide: ours must be the official library's, byte for byte. */
const determined = new Set([
  "none",
  "rle",
  "dictionary",
  "delta",
  "double_delta",
  "bit_width_reduction",
  "positive_delta",
  "bitshuffle",
  "byteshuffle",
  "checksum_md5",
  "checksum_sha256",
  "xor",
  "scale_float",
]);

/**
 * Older cores chose other bit widths; and where values take the full width, the official library writes whatever lies
 * in memory as their smallest.
 */
function isDetermined(golden: Golden, specs: readonly FilterSpec[]): boolean {
  if (golden.version < 22 || !specs.every((spec) => determined.has(spec.type))) return false;
  return !golden.random || !specs.some((spec) => spec.type === "bit_width_reduction");
}

const load = (filters: FilterSpec[], datatype: Datatype, cellValNum: number, version: number) =>
  loadPipeline({ maxChunkSize: 65536, filters }, { datatype, cellValNum, version }, { encode: true });

for (const version of readdirSync(folder).filter((name) => /^v\d+$/.test(name))) {
  for (const file of readdirSync(new URL(`${version}/`, folder))) {
    const content = JSON.parse(readFileSync(new URL(`${version}/${file}`, folder), "utf8"));
    const golden: Golden = { ...content, random: file.includes("random") };
    describe(`${version}/${file}`, () => {
      const values = new Uint8Array(inflateSync(bytes(golden.values)));
      if (golden.offsets === undefined) fixedTests(golden, values);
      else textTests(golden, values, Uint32Array.from(golden.offsets));
    });
  }
}

function fixedTests(golden: Golden, values: Uint8Array): void {
  const cellValNum = golden.cellValNum ?? 1;
  const cellBytes = datatypeInfo(golden.datatype).bytes * cellValNum;
  it.each(golden.cases.map((each) => [names(each.filters), each] as const))("%s", async (_, each) => {
    const pipeline = await load(each.filters, golden.datatype, cellValNum, golden.version);
    const tile = bytes(each.tile);
    const decoded = decodeTile(tile, pipeline, values.byteLength, file(golden));
    if (each.filters.some((spec) => spec.type === "scale_float")) {
      expectClose(decoded, values, each.filters, golden.datatype);
    } else {
      expect(Buffer.compare(decoded, values)).toBe(0);
    }
    const encoded = encodeTile(values, pipeline, cellBytes);
    if (isDetermined(golden, each.filters))
      expect(Buffer.from(encoded).toString("hex")).toBe(Buffer.from(tile).toString("hex"));
    expect(chunkLengths(encoded)).toEqual(chunkLengths(tile));
    expect(Buffer.compare(decodeTile(encoded, pipeline, values.byteLength), decoded)).toBe(0);
  });
}

function textTests(golden: Golden, values: Uint8Array, offsets: Uint32Array): void {
  const cells = offsets.length - 1;
  const cases = golden.cases as TextCase[];
  it.each(cases.map((each) => [names(each.filters), names(each.offsetsFilters), each] as const))(
    "%s, offsets: %s",
    async (_, __, each) => {
      const data = await load(each.filters, golden.datatype, VAR_NUM, golden.version);
      const lengths = await load(each.offsetsFilters, "uint64", 1, golden.version);
      const tile = bytes(each.tile);
      const offsetsTile = bytes(each.offsetsTile);
      const decoded = decodeVarTile(offsetsTile, tile, lengths, data, cells, values.byteLength, file(golden));
      expect(decoded.offsets).toEqual(offsets);
      expect(Buffer.compare(decoded.data, values)).toBe(0);
      const encoded = encodeVarTile(offsets, values, lengths, data);
      // Shuffled tiles without bytes differ on purpose: the official library's it cannot always read itself.
      const unlike = values.byteLength === 0 && each.filters.some(({ type }) => type.endsWith("shuffle"));
      if (!unlike && isDetermined(golden, each.filters)) {
        expect(Buffer.compare(encoded.data, tile)).toBe(0);
      }
      if (isDetermined(golden, each.offsetsFilters))
        expect(Buffer.compare(encoded.offsets, offsetsTile)).toBe(0);
      expect(chunkLengths(encoded.data)).toEqual(chunkLengths(tile));
      const back = decodeVarTile(encoded.offsets, encoded.data, lengths, data, cells, values.byteLength);
      expect(back.offsets).toEqual(offsets);
      expect(Buffer.compare(back.data, values)).toBe(0);
    },
  );
}

/** Unfiltered lengths of a tile's chunks. The official library may end variable-length data with an empty one. */
function chunkLengths(tile: Uint8Array): number[] {
  const view = new DataView(tile.buffer, tile.byteOffset);
  const lengths: number[] = [];
  for (let i = 0, at = 8; i < view.getUint32(0, true); i++) {
    lengths.push(view.getUint32(at, true));
    at += 12 + view.getUint32(at + 4, true) + view.getUint32(at + 8, true);
  }
  return lengths.filter((length, i) => length > 0 || i === 0);
}

function file(golden: Golden): string {
  return `${golden.datatype}.tdb`;
}

/** scale_float keeps what its factor resolves. */
function expectClose(
  decoded: Uint8Array,
  values: Uint8Array,
  filters: readonly FilterSpec[],
  datatype: Datatype,
): void {
  const spec = filters.find((each) => each.type === "scale_float");
  const floats = (from: Uint8Array) =>
    datatype === "float32" ? new Float32Array(from.slice().buffer) : new Float64Array(from.slice().buffer);
  const expected = floats(values);
  const found = floats(decoded);
  for (let i = 0; i < expected.length; i++) {
    expect(Math.abs(found[i]! - expected[i]!)).toBeLessThanOrEqual(spec!.factor * 0.5001 + 1e-6);
  }
}
