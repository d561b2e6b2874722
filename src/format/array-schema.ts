import type { Datatype } from "./datatype.js";
import type { FilterPipeline } from "./filter-pipeline.js";

/**
 * Array schema (format_spec/array_schema.md).
 */

export type ArrayType = "dense" | "sparse";

/** Order of cells or tiles. Codes: 0 row-major, 1 col-major, 2 global-order, 3 unordered, 4 hilbert. */
export type Layout = "row-major" | "col-major" | "global-order" | "unordered" | "hilbert";

/** One value as seen by callers: 64-bit integers and datetimes are bigint, text is string, other bytes Uint8Array. */
export type Scalar = number | bigint | string | boolean | Uint8Array;

/** A coordinate or the end of a range: number or bigint of integer and datetime dimensions, string of strings. */
export type Coordinate = number | bigint | string;

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

export interface Attribute {
  /** "" for an anonymous attribute. */
  readonly name: string;
  readonly datatype: Datatype;
  /** Values per cell; VAR_NUM for variable-length. */
  readonly cellValNum: number;
  readonly filters: FilterPipeline;
  /** The fill value's bytes, one whole cell. */
  readonly fill: Uint8Array;
  readonly nullable: boolean;
  /** Whether the fill cell counts as valid; only of nullable attributes. */
  readonly fillValid: boolean;
  /** Since version 17. */
  readonly order: "unordered" | "increasing" | "decreasing";
  /** Name of the enumeration whose indices the cells are; since version 20. */
  readonly enumeration: string | null;
}

export interface DimensionLabel {
  readonly dimension: number;
  readonly order: "unordered" | "increasing" | "decreasing";
  readonly name: string;
  readonly relative: boolean;
  readonly uri: string;
  readonly attribute: string;
  readonly datatype: Datatype;
  readonly cellValNum: number;
  readonly domain: Uint8Array;
  readonly domainStartSize: number;
  readonly external: boolean;
}

/** One [low, high] per dimension, both inclusive. */
export type NDRange = readonly (readonly [Coordinate, Coordinate])[];

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
