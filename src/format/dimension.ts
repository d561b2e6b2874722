import type { ByteReader } from "./byte-reader.js";
import type { ByteWriter } from "./byte-writer.js";
import { type Datatype, datatypeFromCode, datatypeInfo, VAR_NUM } from "./datatype.js";
import {
  emptyPipeline,
  type FilterPipeline,
  readFilterPipeline,
  writeFilterPipeline,
} from "./filter-pipeline.js";
import { readScalar, writeScalar } from "./scalar.js";

/**
 * Domain and dimension (format_spec/array_schema.md).
 *
 * | Domain field | Type | Since |
 * | :--- | :--- | :--- |
 * | Datatype of all dimensions | uint8 | removed in 5 |
 * | Number of dimensions | uint32 | |
 * | Dimensions | Dimension[] | |
 *
 * | Dimension field | Type | Since |
 * | :--- | :--- | :--- |
 * | Name | uint32 length, uint8[] | |
 * | Datatype | uint8 | 5 |
 * | Values per coordinate | uint32 | 5 |
 * | Filters | filter pipeline | 5 |
 * | Domain size | uint64, bytes; 0 for strings | 5 |
 * | Domain | low and high | |
 * | Null tile extent | uint8 | |
 * | Tile extent | one value, unless null | |
 */

export interface Dimension {
  readonly name: string;
  readonly datatype: Datatype;
  /** Values per coordinate: 1, or VAR_NUM for string dimensions. */
  readonly cellValNum: number;
  /** Empty: the schema's coordsFilters apply to sparse coordinates. */
  readonly filters: FilterPipeline;
  /** Both ends inclusive; null for string dimensions. bigint for 64-bit integers and datetimes, else number. */
  readonly domain: readonly [number | bigint, number | bigint] | null;
  readonly tileExtent: number | bigint | null;
}

/** Bytes of the shortest dimension: empty name, and what all versions have. */
const MIN_DIMENSION_BYTES = 5;

export function readDomain(reader: ByteReader, version: number): Dimension[] {
  const legacyType =
    version < 5 ? datatypeFromCode(reader.u8("domain datatype"), reader.structure, reader.where) : undefined;
  const count = reader.count("number of dimensions", 4, MIN_DIMENSION_BYTES);
  if (count === 0) throw reader.error("no dimensions, expected at least 1");
  return Array.from({ length: count }, () => readDimension(reader, version, legacyType));
}

export function writeDomain(writer: ByteWriter, dimensions: readonly Dimension[], version: number): void {
  if (version < 5) writer.u8(datatypeInfo(dimensions[0]!.datatype).code);
  writer.u32(dimensions.length);
  for (const dimension of dimensions) writeDimension(writer, dimension, version);
}

function readDimension(reader: ByteReader, version: number, legacyType: Datatype | undefined): Dimension {
  const name = reader.sizedText(4, "dimension name");
  const datatype =
    legacyType ?? datatypeFromCode(reader.u8("dimension datatype"), reader.structure, reader.where);
  const isText = datatypeInfo(datatype).kind === "string";
  // "Sparse arrays can have string dimensions" since version 5.
  if (isText && version < 5) throw reader.error(`dimension ${name} is of type ${datatype}`);
  const cellValNum = legacyType === undefined ? reader.u32(`values per coordinate of ${name}`) : 1;
  if (cellValNum !== (isText ? VAR_NUM : 1)) {
    throw reader.error(`dimension ${name} of type ${datatype} has ${cellValNum} values per coordinate`);
  }
  const filters = version >= 5 ? readFilterPipeline(reader, version) : emptyPipeline;
  const domain = readDimensionDomain(reader, name, datatype, version);
  const tileExtent = reader.flag(`null tile extent of ${name}`)
    ? null
    : unsigned(readScalar(reader, datatype, `tile extent of ${name}`), domain);
  if (tileExtent !== null && !(tileExtent > 0)) {
    throw reader.error(`dimension ${name} has tile extent ${tileExtent}, expected more than 0`);
  }
  return { name, datatype, cellValNum, filters, domain, tileExtent };
}

/**
 * The official library computes with extents as unsigned numbers: one of int64 that covers a domain of more than 2^63
 * values, as it sets where none is given, looks negative. Types below 64 bits have no such extents.
 */
function unsigned(extent: number | bigint, domain: Dimension["domain"]): number | bigint {
  if (typeof extent !== "bigint" || domain === null) return extent;
  const range = BigInt(domain[1]) - BigInt(domain[0]) + 1n;
  const asUnsigned = BigInt.asUintN(64, extent);
  return asUnsigned <= range ? asUnsigned : extent;
}

function readDimensionDomain(
  reader: ByteReader,
  name: string,
  datatype: Datatype,
  version: number,
): Dimension["domain"] {
  const { kind, bytes } = datatypeInfo(datatype);
  const expected = kind === "string" ? 0 : 2 * bytes;
  const size = version >= 5 ? reader.u64n(`domain size of ${name}`) : expected;
  if (size !== expected) {
    throw reader.error(
      `dimension ${name} of type ${datatype} has a domain of ${size} bytes, expected ${expected}`,
    );
  }
  if (size === 0) return null;
  const low = readScalar(reader, datatype, `low end of the domain of ${name}`);
  const high = readScalar(reader, datatype, `high end of the domain of ${name}`);
  if (!(low <= high)) throw reader.error(`dimension ${name} has the empty domain [${low}, ${high}]`);
  return [low, high];
}

function writeDimension(writer: ByteWriter, dimension: Dimension, version: number): void {
  writer.sizedText(4, dimension.name);
  if (version >= 5) {
    writer.u8(datatypeInfo(dimension.datatype).code);
    writer.u32(dimension.cellValNum);
    writeFilterPipeline(writer, dimension.filters, version);
    writer.u64n(dimension.domain === null ? 0 : 2 * datatypeInfo(dimension.datatype).bytes);
  }
  for (const end of dimension.domain ?? []) writeScalar(writer, dimension.datatype, end);
  writer.flag(dimension.tileExtent === null);
  if (dimension.tileExtent !== null) writeScalar(writer, dimension.datatype, dimension.tileExtent);
}
