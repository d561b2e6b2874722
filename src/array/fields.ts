import type { ArraySchema } from "../format/array-schema.js";
import { type Datatype, datatypeInfo, VAR_NUM } from "../format/datatype.js";
import type { FilterPipeline } from "../format/filter-pipeline.js";
import { DELETE_TIMESTAMPS, TIMESTAMPS } from "../format/fragment/fragment-fields.js";

export { DELETE_TIMESTAMPS, TIMESTAMPS };

/** One thing that a fragment stores per cell: an attribute, a dimension's coordinates, or a time. */
export interface Field {
  readonly name: string;
  readonly kind: "attribute" | "dimension" | "timestamps";
  readonly datatype: Datatype;
  /** VAR_NUM of variable-length cells. */
  readonly cellValNum: number;
  readonly isVar: boolean;
  /** Bytes of a fixed cell, 0 of variable-length ones. */
  readonly cellBytes: number;
  readonly nullable: boolean;
  readonly filters: FilterPipeline;
  /** Name of its files without the extension: a0, d1, t. */
  readonly fileName: string;
}

function field(
  kind: Field["kind"],
  of: Pick<Field, "name" | "datatype" | "cellValNum" | "nullable" | "filters">,
  fileName: string,
): Field {
  const { name, datatype, cellValNum, nullable, filters } = of;
  const isVar = cellValNum === VAR_NUM;
  const cellBytes = isVar ? 0 : datatypeInfo(datatype).bytes * cellValNum;
  return { name, kind, datatype, cellValNum, isVar, cellBytes, nullable, filters, fileName };
}

export function attributeFields(schema: ArraySchema): Field[] {
  return schema.attributes.map((attribute, i) => field("attribute", attribute, `a${i}`));
}

/** Dimensions as fields of a sparse fragment, with the filters that apply to their coordinates. */
export function dimensionFields(schema: ArraySchema): Field[] {
  return schema.dimensions.map((dimension, i) => {
    const own = dimension.filters.filters.length > 0;
    const filters = own ? dimension.filters : schema.coordsFilters;
    return field("dimension", { ...dimension, filters, nullable: false }, `d${i}`);
  });
}

/** The time of each cell; its file goes through the coordinates' filters. */
export function timestampsField(schema: ArraySchema): Field {
  return timeField(schema, TIMESTAMPS, "t");
}

/** The time at which each cell was deleted, 2^64 - 1 where it was not. */
export function deleteTimestampsField(schema: ArraySchema): Field {
  return timeField(schema, DELETE_TIMESTAMPS, "dt");
}

function timeField(schema: ArraySchema, name: string, fileName: string): Field {
  const of = { name, datatype: "uint64" as const, cellValNum: 1, nullable: false };
  return field("timestamps", { ...of, filters: schema.coordsFilters }, fileName);
}
