import type { Column } from "../array/columns.js";
import type { StoredMetadata } from "../array/directory/array-metadata.js";
import type { TileDBArray } from "../array/open.js";
import type { ArraySchema, Attribute, Coordinate, Dimension, NDRange } from "../format/array-schema.js";
import { datatypeInfo, VAR_NUM } from "../format/datatype.js";
import type { FilterPipeline, FilterSpec } from "../format/filter-pipeline.js";
import { compareText } from "../format/text-bytes.js";
import { viewAs } from "../util/typed-arrays.js";
import { enumerationTexts } from "./enumerated.js";
import { base64, decodeText, isTextDatatype, jsonFormatter } from "./json-cells.js";

/** An array as a plain value that JSON can hold; values as `array read` prints cells. */

export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

export async function describeArray(array: TileDBArray): Promise<Record<string, JsonValue>> {
  const { schema } = array;
  return {
    uri: array.uri,
    arrayType: schema.arrayType,
    formatVersion: schema.version,
    cellOrder: schema.cellOrder,
    tileOrder: schema.tileOrder,
    capacity: schema.capacity,
    allowsDuplicates: schema.allowsDuplicates,
    dimensions: schema.dimensions.map((dimension) => describeDimension(dimension, schema)),
    attributes: schema.attributes.map(describeAttribute),
    enumerations: await describeEnumerations(array),
    coordsFilters: describeFilters(schema.coordsFilters),
    offsetsFilters: describeFilters(schema.offsetsFilters),
    validityFilters: describeFilters(schema.validityFilters),
    currentDomain: describeRange(schema.currentDomain),
    nonEmptyDomain: describeRange(array.nonEmptyDomain()),
    fragments: array.fragments.map((fragment) => ({
      uri: fragment.uri,
      formatVersion: fragment.formatVersion,
      timestampRange: [...fragment.timestampRange],
      nonEmptyDomain: describeRange(fragment.nonEmptyDomain),
      cellCount: fragment.cellCount,
      bytes: fragment.bytes,
    })),
    metadata: describeMetadata(await array.metadataEntries()),
  };
}

/** A dimension without filters of its own uses those of the coordinates; before version 5 there were only these. */
function describeDimension(dimension: Dimension, { version, coordsFilters }: ArraySchema): JsonValue {
  const own = version < 5 || dimension.filters.filters.length > 0 ? dimension.filters : coordsFilters;
  return {
    name: dimension.name,
    type: dimension.datatype,
    domain: dimension.domain === null ? null : dimension.domain.map(describeCoordinate),
    tileExtent: dimension.tileExtent === null ? null : describeCoordinate(dimension.tileExtent),
    filters: describeFilters(own),
  };
}

function describeAttribute(attribute: Attribute): JsonValue {
  return {
    name: attribute.name,
    type: attribute.datatype,
    cellValNum: attribute.cellValNum === VAR_NUM ? "var" : attribute.cellValNum,
    nullable: attribute.nullable,
    fill: describeFill(attribute),
    enumeration: attribute.enumeration,
    filters: describeFilters(attribute.filters),
  };
}

/** The fill value as a cell prints it; cells of a nullable attribute that nothing was written to are null all the same. */
function describeFill(attribute: Attribute): JsonValue {
  return JSON.parse(jsonFormatter(fillColumn(attribute))(0)) as JsonValue;
}

function fillColumn({ datatype, cellValNum, fill }: Attribute): Column {
  if (cellValNum === VAR_NUM) {
    return { kind: "var", datatype, offsets: Uint32Array.of(0, fill.byteLength), data: fill };
  }
  return { kind: "fixed", datatype, cellValNum, values: viewAs(fill, datatypeInfo(datatype).array) };
}

function describeFilters({ filters }: FilterPipeline): JsonValue {
  return filters.map(describeFilter);
}

function describeFilter(filter: FilterSpec): JsonValue {
  // Its extents are those of the dimensions.
  if (filter.type === "webp") {
    const { type, quality, format, lossless } = filter;
    return { type, quality, format, lossless };
  }
  // The core stores "any" where no type was given.
  if (filter.type === "delta" || filter.type === "double_delta") return { reinterpret: "any", ...filter };
  return { ...filter };
}

function describeRange(range: NDRange | null): JsonValue {
  return range === null ? null : range.map((ends) => ends.map(describeCoordinate));
}

/** 64-bit integers and what JSON has no number for are strings. */
function describeCoordinate(value: Coordinate): JsonValue {
  if (typeof value === "bigint") return `${value}`;
  return typeof value === "number" && !Number.isFinite(value) ? `${value}` : value;
}

function describeMetadata(entries: ReadonlyMap<string, StoredMetadata>): JsonValue {
  const sorted = [...entries].sort(([a], [b]) => compareText(a, b));
  return Object.fromEntries(sorted.map(([key, entry]) => [key, describeMetadataValue(entry)]));
}

/** As a cell with that many values prints; no values of a number type are null. */
function describeMetadataValue({ datatype, bytes, count }: StoredMetadata): JsonValue {
  const { kind, array } = datatypeInfo(datatype);
  if (kind === "blob") return base64(bytes);
  if (isTextDatatype(datatype)) return decodeText(bytes, datatype);
  if (count === 0) return null;
  const column = { kind: "fixed", datatype, cellValNum: count, values: viewAs(bytes, array) } as const;
  return JSON.parse(jsonFormatter(column)(0)) as JsonValue;
}

async function describeEnumerations(array: TileDBArray): Promise<JsonValue> {
  const described: JsonValue[] = [];
  for (const { name } of array.schema.enumerations) {
    const enumeration = await array.enumeration(name);
    const { datatype, ordered } = enumeration;
    const values = enumerationTexts(enumeration).map((text) => JSON.parse(text) as JsonValue);
    described.push({ name, type: datatype, ordered, values });
  }
  return described;
}
