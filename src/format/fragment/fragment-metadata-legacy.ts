import type { ArraySchema } from "../array-schema.js";
import { ByteReader } from "../byte-reader.js";
import { datatypeInfo } from "../datatype.js";
import { type NDRange, readNDRange } from "../nd-range.js";
import { readUint64s } from "../scalar.js";
import { checkVersion, LEGACY_SCHEMA_FILE } from "../version.js";
import { fieldCount } from "./fragment-fields.js";
import type { FragmentFooter } from "./fragment-footer.js";
import { type RTree, readRectangles } from "./rtree.js";

/**
 * Legacy fragment metadata (format_spec/fragment.md, Legacy Fragment metadata file): before version 3 the whole of
 * `__fragment_metadata.tdb` is one generic tile, with this payload.
 *
 * | Field | Type |
 * | :--- | :--- |
 * | Format version | uint32 |
 * | Non-empty domain | uint64 bytes, low and high of each dimension |
 * | Rectangles of the tiles | uint64 count, low and high of each dimension, each |
 * | Bounding coordinates | uint64 count, first and last coordinates each; not needed |
 * | Tile offsets | per attribute, then the coordinates: uint64 count, uint64 each |
 * | Var tile offsets, var tile sizes | per attribute: uint64 count, uint64 each |
 * | Last tile's cell count | uint64 |
 * | File sizes | uint64 per attribute, then the coordinates |
 * | Var file sizes | uint64 per attribute |
 */
export interface LegacyFragmentMetadata {
  /** In the form of later versions, without offsets of sections. */
  readonly footer: FragmentFooter;
  readonly sections: LegacySections;
}

/** What later versions keep in sections of their own. Lists are by field index. */
export interface LegacySections {
  readonly rtree: RTree;
  readonly tileOffsets: readonly Float64Array[];
  readonly tileVarOffsets: readonly Float64Array[];
  readonly tileVarSizes: readonly Float64Array[];
}

/** @param dense that the fragment has no `__coords.tdb`, which is how the official library tells */
export function readLegacyFragmentMetadata(
  payload: Uint8Array,
  schema: ArraySchema,
  dense: boolean,
  where?: string,
): LegacyFragmentMetadata {
  const reader = new ByteReader(payload, "fragment metadata", where);
  const version = reader.u32("format version");
  checkVersion(version, reader.structure, where);
  if (version > 2) throw reader.error(`format version is ${version}, expected 1 or 2`);
  const { dimensions, attributes } = schema;
  const nonEmptyDomain = readNonEmptyDomain(reader, schema);
  const rtree = readRectangles(reader, dimensions);
  const cornerBytes = 2 * dimensions.length * datatypeInfo(dimensions[0]!.datatype).bytes;
  const corners = reader.count("number of bounding coordinates", 8, cornerBytes);
  reader.skip(corners * cornerBytes, "bounding coordinates");
  const perField = (count: number, what: string) =>
    Array.from({ length: count }, () => readUint64s(reader, reader.count(`number of ${what}`, 8, 8), what));
  const sections: LegacySections = {
    rtree,
    tileOffsets: perField(attributes.length + 1, "tile offsets"),
    tileVarOffsets: perField(attributes.length, "var tile offsets"),
    tileVarSizes: perField(attributes.length, "var tile sizes"),
  };
  const fields = fieldCount(schema, { hasTimestamps: false, hasDeleteMetadata: false });
  const numbers = (count: number, what: string) => {
    const values = new Float64Array(fields);
    values.set(readUint64s(reader, count, what));
    return values;
  };
  const lastTileCellCount = reader.u64n("last tile's cell count");
  const none = new Float64Array(fields);
  const footer: FragmentFooter = {
    version,
    schemaName: LEGACY_SCHEMA_FILE,
    dense,
    nonEmptyDomain,
    sparseTileCount: dense ? 0 : rtree.tileCount,
    lastTileCellCount,
    hasTimestamps: false,
    hasDeleteMetadata: false,
    fileSizes: numbers(attributes.length + 1, "file size"),
    fileVarSizes: numbers(attributes.length, "var file size"),
    fileValiditySizes: none,
    sections: {
      rtree: 0,
      tileOffsets: none,
      tileVarOffsets: none,
      tileVarSizes: none,
      tileValidityOffsets: none,
      tileMins: none,
      tileMaxes: none,
      tileSums: none,
      tileNullCounts: none,
      fragmentStatistics: 0,
      processedConditions: 0,
    },
    optionalSections: [],
  };
  reader.end();
  return { footer, sections };
}

function readNonEmptyDomain(reader: ByteReader, { dimensions }: ArraySchema): NDRange | null {
  const size = reader.u64n("non-empty domain's size");
  if (size === 0) return null;
  const start = reader.offset;
  const range = readNDRange(reader, dimensions);
  if (reader.offset - start === size) return range;
  throw reader.error(`non-empty domain of ${size} bytes, expected ${reader.offset - start}`);
}
