import type { Column } from "../array/columns.js";
import type { TileDBArray } from "../array/open.js";
import type { Attribute, Coordinate, Dimension, NDRange } from "../format/array-schema.js";
import { datatypeInfo, VAR_NUM } from "../format/datatype.js";
import type { FilterPipeline, FilterSpec } from "../format/filter-pipeline.js";
import type { MetadataValue } from "../format/metadata.js";
import { viewAs } from "../util/typed-arrays.js";
import { enumerationTexts } from "./enumerated.js";
import { base64, jsonFormatter } from "./json-cells.js";

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
    dimensions: schema.dimensions.map((dimension) => describeDimension(dimension, schema.coordsFilters)),
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
    metadata: describeMetadata(await array.metadata()),
  };
}

/** A dimension without filters of its own uses those of the coordinates. */
function describeDimension(dimension: Dimension, coordsFilters: FilterPipeline): JsonValue {
  const own = dimension.filters.filters.length > 0 ? dimension.filters : coordsFilters;
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

/** The fill value as a cell prints: null where it stands for no value. */
function describeFill(attribute: Attribute): JsonValue {
  if (attribute.nullable && !attribute.fillValid) return null;
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
  if (filter.type === "webp") return { type: filter.type, options: base64(filter.options) };
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

function describeMetadata(metadata: ReadonlyMap<string, MetadataValue>): JsonValue {
  return Object.fromEntries([...metadata].map(([key, value]) => [key, describeMetadataValue(value)]));
}

function describeMetadataValue(value: MetadataValue): JsonValue {
  if (value === null || typeof value === "boolean") return value;
  if (value instanceof Uint8Array) return base64(value);
  if (typeof value === "object") return Array.from<number | bigint, JsonValue>(value, describeCoordinate);
  return describeCoordinate(value);
}

async function describeEnumerations(array: TileDBArray): Promise<JsonValue> {
  const described: Record<string, JsonValue> = {};
  for (const { name } of array.schema.enumerations) {
    const enumeration = await array.enumeration(name);
    described[name] = {
      type: enumeration.datatype,
      ordered: enumeration.ordered,
      values: enumerationTexts(enumeration).map((text) => JSON.parse(text) as JsonValue),
    };
  }
  return described;
}
