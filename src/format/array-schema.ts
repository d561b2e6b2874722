import { type Attribute, readAttribute, writeAttribute } from "./attribute.js";
import { ByteReader } from "./byte-reader.js";
import { ByteWriter } from "./byte-writer.js";
import { readCurrentDomain, writeCurrentDomain } from "./current-domain.js";
import { datatypeInfo } from "./datatype.js";
import { type Dimension, readDomain, writeDomain } from "./dimension.js";
import {
  type DimensionLabel,
  MIN_LABEL_BYTES,
  readDimensionLabel,
  writeDimensionLabel,
} from "./dimension-label.js";
import {
  emptyPipeline,
  type FilterPipeline,
  readFilterPipeline,
  writeFilterPipeline,
} from "./filter-pipeline.js";
import type { NDRange } from "./nd-range.js";
import { checkVersion } from "./version.js";

export type { Attribute, DataOrder } from "./attribute.js";
export type { Dimension } from "./dimension.js";
export type { DimensionLabel } from "./dimension-label.js";
export type { Coordinate, NDRange } from "./nd-range.js";

/**
 * Array schema (format_spec/array_schema.md): the payload of the generic tile in `__schema/<timestamped name>`.
 *
 * | Field | Type | Since |
 * | :--- | :--- | :--- |
 * | Format version | uint32 | |
 * | Allows duplicates | uint8 | 5 |
 * | Array type | uint8: 0 dense, 1 sparse | |
 * | Tile order, cell order | uint8, uint8 | |
 * | Capacity | uint64 | |
 * | Coords filters, offsets filters | filter pipelines | |
 * | Validity filters | filter pipeline | 7 |
 * | Domain | see dimension.ts | |
 * | Attributes | uint32 count, see attribute.ts | |
 * | Dimension labels | uint32 count, see dimension-label.ts | 18 |
 * | Enumerations | uint32 count, (name, file name) each with a uint32 length | 20 |
 * | Current domain | see current-domain.ts | 22 |
 */
export interface ArraySchema {
  readonly version: number;
  readonly arrayType: ArrayType;
  readonly allowsDuplicates: boolean;
  readonly tileOrder: Layout;
  readonly cellOrder: Layout;
  /** Cells of a tile of a sparse fragment. */
  readonly capacity: number;
  readonly coordsFilters: FilterPipeline;
  readonly offsetsFilters: FilterPipeline;
  readonly validityFilters: FilterPipeline;
  readonly dimensions: readonly Dimension[];
  readonly attributes: readonly Attribute[];
  readonly labels: readonly DimensionLabel[];
  /** Name of each enumeration and its file in `__schema/__enumerations`. */
  readonly enumerations: readonly { readonly name: string; readonly file: string }[];
  /** Since version 22; null where none is set. */
  readonly currentDomain: NDRange | null;
}

export type ArrayType = "dense" | "sparse";

/**
 * Order of cells or tiles. Codes: 0 row-major, 1 col-major, 2 global-order, 3 unordered, 4 hilbert. In schemas tiles
 * are row-major or col-major, and cells those or hilbert (a code that the specification does not name).
 */
export type Layout = "row-major" | "col-major" | "global-order" | "unordered" | "hilbert";

/** One value as seen by callers: 64-bit integers and datetimes are bigint, text is string, other bytes Uint8Array. */
export type Scalar = number | bigint | string | boolean | Uint8Array;

const layouts: readonly Layout[] = ["row-major", "col-major", "global-order", "unordered", "hilbert"];

/** Bytes of the shortest attribute and of the shortest enumeration entry. */
const MIN_ATTRIBUTE_BYTES = 17;
const MIN_ENUMERATION_BYTES = 8;

/** Reads the payload of a schema's generic tile. Throws FormatError or UnsupportedError. */
export function readArraySchema(bytes: Uint8Array, where?: string): ArraySchema {
  const reader = new ByteReader(bytes, "array schema", where);
  const version = reader.u32("format version");
  checkVersion(version, reader.structure, where);
  const allowsDuplicates = version >= 5 && reader.flag("allows duplicates");
  const arrayType: ArrayType = reader.flag("array type") ? "sparse" : "dense";
  const tileOrder = readLayout(reader, "tile order", ["row-major", "col-major"]);
  const cellOrder = readLayout(reader, "cell order", ["row-major", "col-major", "hilbert"]);
  const capacity = reader.u64n("capacity");
  if (capacity === 0) throw reader.error("capacity is 0, expected at least 1");
  const coordsFilters = readFilterPipeline(reader, version);
  const offsetsFilters = readFilterPipeline(reader, version);
  const validityFilters = version >= 7 ? readFilterPipeline(reader, version) : emptyPipeline;
  const dimensions = readDomain(reader, version);
  if (arrayType === "dense") checkDenseDimensions(reader, dimensions);
  const attributes = readList(reader, "attributes", MIN_ATTRIBUTE_BYTES, () =>
    readAttribute(reader, version),
  );
  const labels =
    version >= 18
      ? readList(reader, "dimension labels", MIN_LABEL_BYTES, () => readDimensionLabel(reader))
      : [];
  checkLabels(reader, labels, dimensions.length);
  const enumerations =
    version >= 20
      ? readList(reader, "enumerations", MIN_ENUMERATION_BYTES, () => readEnumerationEntry(reader))
      : [];
  const currentDomain = version >= 22 ? readCurrentDomain(reader, dimensions) : null;
  reader.end();
  return {
    version,
    arrayType,
    allowsDuplicates,
    tileOrder,
    cellOrder,
    capacity,
    coordsFilters,
    offsetsFilters,
    validityFilters,
    dimensions,
    attributes,
    labels,
    enumerations,
    currentDomain,
  };
}

/** The payload of the schema's generic tile, in the format of `schema.version`. */
export function writeArraySchema(schema: ArraySchema): Uint8Array {
  const { version } = schema;
  const writer = new ByteWriter(512);
  writer.u32(version);
  if (version >= 5) writer.flag(schema.allowsDuplicates);
  writer.flag(schema.arrayType === "sparse");
  writer.u8(layouts.indexOf(schema.tileOrder));
  writer.u8(layouts.indexOf(schema.cellOrder));
  writer.u64n(schema.capacity);
  writeFilterPipeline(writer, schema.coordsFilters, version);
  writeFilterPipeline(writer, schema.offsetsFilters, version);
  if (version >= 7) writeFilterPipeline(writer, schema.validityFilters, version);
  writeDomain(writer, schema.dimensions, version);
  writer.u32(schema.attributes.length);
  for (const attribute of schema.attributes) writeAttribute(writer, attribute, version);
  if (version >= 18) {
    writer.u32(schema.labels.length);
    for (const label of schema.labels) writeDimensionLabel(writer, label);
  }
  if (version >= 20) {
    writer.u32(schema.enumerations.length);
    for (const { name, file } of schema.enumerations) {
      writer.sizedText(4, name);
      writer.sizedText(4, file);
    }
  }
  if (version >= 22) writeCurrentDomain(writer, schema.dimensions, schema.currentDomain);
  return writer.finish();
}

/** Dense cells are found by arithmetic; the core turns a missing extent into the whole domain when it creates one. */
function checkDenseDimensions(reader: ByteReader, dimensions: readonly Dimension[]): void {
  for (const { name, datatype, tileExtent } of dimensions) {
    if (tileExtent === null) throw reader.error(`dimension ${name} of a dense array has no tile extent`);
    if (datatypeInfo(datatype).kind === "float") {
      throw reader.error(`dimension ${name} of a dense array is of type ${datatype}`);
    }
  }
}

function checkLabels(reader: ByteReader, labels: readonly DimensionLabel[], dimensions: number): void {
  for (const { name, dimension } of labels) {
    if (dimension < dimensions) continue;
    throw reader.error(`dimension label ${name} is of dimension ${dimension}, there are ${dimensions}`);
  }
}

function readLayout(reader: ByteReader, field: string, allowed: readonly Layout[]): Layout {
  const code = reader.u8(field);
  const layout = layouts[code];
  if (layout === undefined || !allowed.includes(layout)) {
    throw reader.error(`${field} is ${layout ?? code}, expected ${allowed.join(" or ")}`);
  }
  return layout;
}

function readEnumerationEntry(reader: ByteReader): { name: string; file: string } {
  return { name: reader.sizedText(4, "enumeration name"), file: reader.sizedText(4, "enumeration file") };
}

/** A uint32 count and that many items of at least `bytesEach` bytes. */
function readList<T>(reader: ByteReader, what: string, bytesEach: number, read: () => T): T[] {
  const count = reader.count(`number of ${what}`, 4, bytesEach);
  return Array.from({ length: count }, read);
}
