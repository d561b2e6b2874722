import { LimitError } from "../../errors.js";
import type { ArraySchema } from "../array-schema.js";
import { ByteReader } from "../byte-reader.js";
import { ByteWriter } from "../byte-writer.js";
import { datatypeInfo, VAR_NUM } from "../datatype.js";
import { type NDRange, readNDRange, writeNDRange } from "../nd-range.js";
import { readUint64s, writeUint64s } from "../scalar.js";
import { checkVersion, LEGACY_SCHEMA_FILE } from "../version.js";
import { type ExtraFields, fieldCount, hasZippedCoordinates } from "./fragment-fields.js";

/**
 * Footer of `__fragment_metadata.tdb` (format_spec/fragment.md): plain bytes, no generic tile, since version 3. Its
 * length follows as uint64; before version 10 only where a dimension is of variable length, see `impliedFooterSize`.
 *
 * | Field | Type | Since |
 * | :--- | :--- | :--- |
 * | Format version | uint32 | |
 * | Schema name | uint64 length, uint8[] | 10 |
 * | Dense | uint8 | |
 * | Null non-empty domain | uint8 | |
 * | Non-empty domain | a range per dimension, unless null | |
 * | Sparse tile count | uint64, 0 of dense fragments | |
 * | Last tile's cell count | uint64 | |
 * | Includes timestamps | uint8 | 14 |
 * | Includes delete metadata | uint8 | 15 |
 * | File sizes, var file sizes | uint64 per field, twice | |
 * | Validity file sizes | uint64 per field | 7 |
 * | Section offsets | see below | |
 * | Optional sections | uint32 count, (uint64 id, uint32 size, uint8[]) | 23 |
 *
 * Fields are those of fragment-fields.ts, the legacy coordinates among them; before version 5 without dimensions, and
 * without the coordinates in what is said of var-length fields.
 */
export interface FragmentFooter extends ExtraFields {
  readonly version: number;
  /** Name of the file in `__schema` that the fragment was written with; before version 10 there was one schema. */
  readonly schemaName: string;
  readonly dense: boolean;
  /** Both ends inclusive; of dense fragments not rounded to tiles. */
  readonly nonEmptyDomain: NDRange | null;
  /** Tiles of a sparse fragment; 0 of a dense one, whose tiles follow from domain and extents. */
  readonly sparseTileCount: number;
  /** Cells of the last tile of a sparse fragment; of a dense one the cells of a tile. */
  readonly lastTileCellCount: number;
  /** Bytes of each field's file (of var-length fields, of the offsets), by field index. */
  readonly fileSizes: Float64Array;
  readonly fileVarSizes: Float64Array;
  readonly fileValiditySizes: Float64Array;
  readonly sections: SectionOffsets;
  /** Sections since version 23; identifiers that are not known are kept as they are. */
  readonly optionalSections: readonly OptionalSection[];
}

/** Byte offsets in the file of the generic tiles that hold the sections; arrays are by field index. */
export interface SectionOffsets {
  readonly rtree: number;
  readonly tileOffsets: Float64Array;
  readonly tileVarOffsets: Float64Array;
  readonly tileVarSizes: Float64Array;
  /** Since version 7. */
  readonly tileValidityOffsets: Float64Array;
  /** Since version 11, as are maxes, sums and null counts. */
  readonly tileMins: Float64Array;
  readonly tileMaxes: Float64Array;
  readonly tileSums: Float64Array;
  readonly tileNullCounts: Float64Array;
  /** Since version 12. */
  readonly fragmentStatistics: number;
  /** Since version 16. */
  readonly processedConditions: number;
}

export interface OptionalSection {
  readonly identifier: bigint;
  readonly data: Uint8Array;
}

/** Bytes of the footer's length at the end of the file. */
const LENGTH_BYTES = 8;

/**
 * Bytes of the footer in files that do not say them. "Prior to version 10, the Footer length field was present only when
 * the array had at least one variable-sized dimension": null where it is present.
 *
 * @param version of the fragment, by its name (3 and 4 have footers of the same size)
 */
export function impliedFooterSize(version: number, schema: ArraySchema): number | null {
  if (version >= 10 || schema.dimensions.some(({ cellValNum }) => cellValNum === VAR_NUM)) return null;
  let domain = 0;
  for (const { datatype } of schema.dimensions) domain += 2 * datatypeInfo(datatype).bytes;
  const { all, varLength } = storedFields(version, schema, NO_EXTRAS);
  // Sizes of files, then offsets of sections: of all fields tile offsets, of var-length ones offsets and sizes.
  const fieldNumbers = 2 * all + 3 * varLength + (version >= 7 ? 2 * all : 0);
  return 4 + 1 + 1 + domain + 8 + 8 + 8 + 8 * fieldNumbers;
}

/** Bytes at the end of the file that hold the footer and its length, told from the last 8 bytes of the file. */
export function footerTailSize(tail: Uint8Array, where?: string): number {
  const reader = new ByteReader(tail, "fragment footer", where, Math.max(0, tail.byteLength - LENGTH_BYTES));
  return reader.u64n("footer length") + LENGTH_BYTES;
}

/** Name of the schema that the footer at the end of `tail` refers to; see `readFragmentFooter` for `tail`. */
export function footerSchemaName(tail: Uint8Array, where?: string): string {
  return readStart(footerReader(tail, where)).schemaName;
}

/**
 * Reads the footer from the last bytes of `__fragment_metadata.tdb`. `tail` may be any end of the file that is at least
 * `footerTailSize` long; a shorter one is a LimitError that says how many bytes are needed.
 *
 * @param size bytes of a footer whose length does not stand in the file, see `impliedFooterSize`
 */
export function readFragmentFooter(
  tail: Uint8Array,
  schemaOf: (name: string) => ArraySchema,
  where?: string,
  size: number | null = null,
): FragmentFooter {
  const reader =
    size === null
      ? footerReader(tail, where)
      : new ByteReader(tail.subarray(Math.max(0, tail.byteLength - size)), "fragment footer", where);
  const footer = readFooter(reader, schemaOf);
  reader.end();
  return footer;
}

/** Reads a footer at the reader's offset, as they stand in consolidated fragment metadata, without a length. */
export function readFooter(reader: ByteReader, schemaOf: (name: string) => ArraySchema): FragmentFooter {
  const { version, schemaName } = readStart(reader);
  const schema = schemaOf(schemaName);
  const dense = reader.flag("dense");
  const isNull = reader.flag("null non-empty domain");
  const nonEmptyDomain = isNull ? null : readNDRange(reader, schema.dimensions);
  const sparseTileCount = reader.u64n("sparse tile count");
  const lastTileCellCount = reader.u64n("last tile's cell count");
  const hasTimestamps = version >= 14 && reader.flag("includes timestamps");
  const hasDeleteMetadata = version >= 15 && reader.flag("includes delete metadata");
  const extra = { hasTimestamps, hasDeleteMetadata };
  const fields = fieldCount(schema, extra);
  const stored = storedFields(version, schema, extra);
  return {
    version,
    schemaName,
    dense,
    nonEmptyDomain,
    sparseTileCount,
    lastTileCellCount,
    hasTimestamps,
    hasDeleteMetadata,
    fileSizes: readPerField(reader, stored.all, fields, "file size"),
    fileVarSizes: readPerField(reader, stored.varLength, fields, "var file size"),
    fileValiditySizes:
      version >= 7 ? readUint64s(reader, fields, "validity file size") : new Float64Array(fields),
    sections: readSectionOffsets(reader, version, stored, fields),
    optionalSections: version >= 23 ? readOptionalSections(reader) : [],
  };
}

/** The footer's bytes, without the length that follows them at the end of a fragment's own file. */
export function writeFooter(footer: FragmentFooter, schema: ArraySchema): Uint8Array {
  const { version } = footer;
  const writer = new ByteWriter(1024);
  writer.u32(version);
  if (version >= 10) writer.sizedText(8, footer.schemaName);
  writer.flag(footer.dense);
  writer.flag(footer.nonEmptyDomain === null);
  if (footer.nonEmptyDomain !== null) writeNDRange(writer, schema.dimensions, footer.nonEmptyDomain);
  writer.u64n(footer.sparseTileCount);
  writer.u64n(footer.lastTileCellCount);
  if (version >= 14) writer.flag(footer.hasTimestamps);
  if (version >= 15) writer.flag(footer.hasDeleteMetadata);
  writeUint64s(writer, footer.fileSizes);
  writeUint64s(writer, footer.fileVarSizes);
  if (version >= 7) writeUint64s(writer, footer.fileValiditySizes);
  writeSectionOffsets(writer, footer.sections, version);
  if (version >= 23) writeOptionalSections(writer, footer.optionalSections);
  return writer.finish();
}

/** Version and schema name. The name has been part of the footer since version 10. */
function readStart(reader: ByteReader): { version: number; schemaName: string } {
  const version = reader.u32("format version");
  checkVersion(version, reader.structure, reader.where);
  const schemaName = version >= 10 ? reader.sizedText(8, "schema name") : LEGACY_SCHEMA_FILE;
  if (schemaName === "") throw reader.error("the schema name is empty");
  return { version, schemaName };
}

/** A reader over exactly the footer. */
function footerReader(tail: Uint8Array, where: string | undefined): ByteReader {
  const needed = footerTailSize(tail, where);
  if (needed > tail.byteLength) {
    throw new LimitError(
      `fragment footer: ${needed} bytes at the end of the file are needed, ${tail.byteLength} given`,
      where === undefined ? {} : { where },
    );
  }
  const start = tail.byteLength - needed;
  return new ByteReader(tail.subarray(start, tail.byteLength - LENGTH_BYTES), "fragment footer", where);
}

const NO_EXTRAS: ExtraFields = { hasTimestamps: false, hasDeleteMetadata: false };

/** How many fields a footer lists. Before version 5 the dimensions are none, and the coordinates never var-length. */
interface StoredFields {
  readonly all: number;
  readonly varLength: number;
}

function storedFields(version: number, schema: ArraySchema, extra: ExtraFields): StoredFields {
  if (hasZippedCoordinates(version)) {
    const attributes = schema.attributes.length;
    return { all: attributes + 1, varLength: attributes };
  }
  const all = fieldCount(schema, extra);
  return { all, varLength: all };
}

/** The first `stored` of `fields` numbers; the others are 0. */
function readPerField(reader: ByteReader, stored: number, fields: number, what: string): Float64Array {
  const values = readUint64s(reader, stored, what);
  if (stored === fields) return values;
  const padded = new Float64Array(fields);
  padded.set(values);
  return padded;
}

function readSectionOffsets(
  reader: ByteReader,
  version: number,
  stored: StoredFields,
  fields: number,
): SectionOffsets {
  const perField = (since: number, field: string) =>
    version >= since ? readUint64s(reader, fields, `offset of ${field}`) : new Float64Array(fields);
  return {
    rtree: reader.u64n("offset of R-tree"),
    tileOffsets: readPerField(reader, stored.all, fields, "offset of tile offsets"),
    tileVarOffsets: readPerField(reader, stored.varLength, fields, "offset of var tile offsets"),
    tileVarSizes: readPerField(reader, stored.varLength, fields, "offset of var tile sizes"),
    tileValidityOffsets: perField(7, "validity tile offsets"),
    tileMins: perField(11, "mins"),
    tileMaxes: perField(11, "maxes"),
    tileSums: perField(11, "sums"),
    tileNullCounts: perField(11, "null counts"),
    fragmentStatistics: version >= 12 ? reader.u64n("offset of fragment statistics") : 0,
    processedConditions: version >= 16 ? reader.u64n("offset of processed conditions") : 0,
  };
}

function writeSectionOffsets(writer: ByteWriter, sections: SectionOffsets, version: number): void {
  writer.u64n(sections.rtree);
  writeUint64s(writer, sections.tileOffsets);
  writeUint64s(writer, sections.tileVarOffsets);
  writeUint64s(writer, sections.tileVarSizes);
  if (version >= 7) writeUint64s(writer, sections.tileValidityOffsets);
  if (version >= 11) {
    writeUint64s(writer, sections.tileMins);
    writeUint64s(writer, sections.tileMaxes);
    writeUint64s(writer, sections.tileSums);
    writeUint64s(writer, sections.tileNullCounts);
  }
  if (version >= 12) writer.u64n(sections.fragmentStatistics);
  if (version >= 16) writer.u64n(sections.processedConditions);
}

function readOptionalSections(reader: ByteReader): OptionalSection[] {
  const count = reader.count("number of optional sections", 4, 12);
  return Array.from({ length: count }, () => {
    const identifier = reader.u64("optional section identifier");
    const size = reader.u32("optional section size");
    return { identifier, data: reader.take(size, "optional section").slice() };
  });
}

function writeOptionalSections(writer: ByteWriter, sections: readonly OptionalSection[]): void {
  writer.u32(sections.length);
  for (const { identifier, data } of sections) {
    writer.u64(identifier);
    writer.u32(data.byteLength);
    writer.raw(data);
  }
}
