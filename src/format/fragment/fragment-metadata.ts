import { ArgumentError } from "../../errors.js";
import { concatBytes } from "../../util/typed-arrays.js";
import type { ArraySchema } from "../array-schema.js";
import { ByteWriter } from "../byte-writer.js";
import { writeGenericTile } from "../generic-tile.js";
import type { NDRange } from "../nd-range.js";
import { WRITE_VERSION } from "../version.js";
import { type ExtraFields, fieldCount } from "./fragment-fields.js";
import { type FragmentFooter, type SectionOffsets, writeFooter } from "./fragment-footer.js";
import {
  type FragmentFieldStatistics,
  type TileExtremes,
  writeFragmentMinMaxSumNull,
  writeProcessedConditions,
  writeTileMinMax,
  writeTileNumbers,
  writeTileSums,
} from "./fragment-sections.js";
import { buildRTree, type RTree, writeRTree } from "./rtree.js";

/**
 * The whole of `__fragment_metadata.tdb` (format_spec/fragment.md): sections as generic tiles one after the other, in
 * the order of `FragmentMetadataInput`'s and `FieldMetadata`'s members, then the footer and its length as uint64.
 */
export interface FragmentMetadataInput extends ExtraFields {
  readonly schema: ArraySchema;
  /** Name of the schema's file in `__schema`. */
  readonly schemaName: string;
  readonly dense: boolean;
  readonly nonEmptyDomain: NDRange | null;
  /** Null of dense fragments, which have a tree without levels. */
  readonly rtree: RTree | null;
  /** Cells of the last tile of a sparse fragment; of a dense one the cells of a whole tile. */
  readonly lastTileCellCount: number;
  /** By field index, the legacy coordinates included: see `emptyFieldMetadata` for what they and others take. */
  readonly fields: readonly FieldMetadata[];
  /** Names of the delete commits that the cells have gone through; empty of newly written fragments. */
  readonly processedConditions: readonly string[];
}

/** What the metadata says of one field. Arrays are by tile. */
export interface FieldMetadata {
  /** Bytes of the field's files, 0 where there is none. */
  readonly fileSize: number;
  readonly fileVarSize: number;
  readonly fileValiditySize: number;
  /** Byte offset of each tile in the field's file (of var-length fields, of the offsets). */
  readonly tileOffsets: ArrayLike<number>;
  /** Byte offset of each tile in the file of var-length values; zeros of fixed fields. */
  readonly tileVarOffsets: ArrayLike<number>;
  /** Bytes of each tile's var-length values before filters; zeros of fixed fields. */
  readonly tileVarSizes: ArrayLike<number>;
  /** Byte offset of each tile in the validity file; zeros of fields that are not nullable. */
  readonly tileValidityOffsets: ArrayLike<number>;
  readonly mins: TileExtremes | null;
  readonly maxes: TileExtremes | null;
  readonly sums: BigUint64Array | BigInt64Array | Float64Array;
  /** Empty of fields that are not nullable. */
  readonly nullCounts: ArrayLike<number>;
  readonly statistics: FragmentFieldStatistics;
}

/** The file's bytes, in the format version that this package writes. */
export async function writeFragmentMetadata(input: FragmentMetadataInput): Promise<Uint8Array> {
  const { schema, fields } = input;
  const expected = fieldCount(schema, input);
  if (fields.length !== expected) {
    throw new ArgumentError(`fragment metadata of ${fields.length} fields, expected ${expected}`);
  }
  const parts: Uint8Array[] = [];
  const sections = await writeSections(input, parts);
  const footer = writeFooter(footerOf(input, sections), schema);
  const length = new ByteWriter(8);
  length.u64n(footer.byteLength);
  parts.push(footer, length.finish());
  return concatBytes(parts);
}

/** Writes all sections to `parts` and gives their offsets. */
async function writeSections(input: FragmentMetadataInput, parts: Uint8Array[]): Promise<SectionOffsets> {
  const { fields } = input;
  let at = 0;
  const put = async (payload: Uint8Array): Promise<number> => {
    const tile = await writeGenericTile(payload);
    const offset = at;
    parts.push(tile);
    at += tile.byteLength;
    return offset;
  };
  const putAll = async (payloadOf: (field: FieldMetadata) => Uint8Array): Promise<Float64Array> => {
    const offsets = new Float64Array(fields.length);
    for (const [index, field] of fields.entries()) offsets[index] = await put(payloadOf(field));
    return offsets;
  };
  return {
    rtree: await put(writeRTree(input.rtree ?? buildRTree([]))),
    tileOffsets: await putAll((field) => writeTileNumbers(field.tileOffsets)),
    tileVarOffsets: await putAll((field) => writeTileNumbers(field.tileVarOffsets)),
    tileVarSizes: await putAll((field) => writeTileNumbers(field.tileVarSizes)),
    tileValidityOffsets: await putAll((field) => writeTileNumbers(field.tileValidityOffsets)),
    tileMins: await putAll((field) => writeTileMinMax(field.mins)),
    tileMaxes: await putAll((field) => writeTileMinMax(field.maxes)),
    tileSums: await putAll((field) => writeTileSums(field.sums)),
    tileNullCounts: await putAll((field) => writeTileNumbers(field.nullCounts)),
    fragmentStatistics: await put(writeFragmentMinMaxSumNull(fields.map((field) => field.statistics))),
    processedConditions: await put(writeProcessedConditions(input.processedConditions)),
  };
}

function footerOf(input: FragmentMetadataInput, sections: SectionOffsets): FragmentFooter {
  const sizes = (sizeOf: (field: FieldMetadata) => number) => Float64Array.from(input.fields, sizeOf);
  return {
    version: WRITE_VERSION,
    schemaName: input.schemaName,
    dense: input.dense,
    nonEmptyDomain: input.nonEmptyDomain,
    sparseTileCount: input.rtree?.tileCount ?? 0,
    lastTileCellCount: input.lastTileCellCount,
    hasTimestamps: input.hasTimestamps,
    hasDeleteMetadata: input.hasDeleteMetadata,
    fileSizes: sizes((field) => field.fileSize),
    fileVarSizes: sizes((field) => field.fileVarSize),
    fileValiditySizes: sizes((field) => field.fileValiditySize),
    sections,
    optionalSections: [],
  };
}
