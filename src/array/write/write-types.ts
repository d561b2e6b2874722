import type { Datatype } from "../../format/datatype.js";
import type { FilterPipeline, FilterSpec } from "../../format/filter-pipeline.js";
import type { StorageOptions } from "../../storage/remote/settings.js";
import type { TypedArray } from "../../util/typed-arrays.js";
import type { Column } from "../columns.js";

/** What callers hand to the write side: schemas, cells, options. */

/** A filter, its level or window optional. Levels default to -1, the codec's own; windows to 256 bytes. */
export type FilterInput =
  | FilterSpec["type"]
  | FilterSpec
  | { readonly type: "gzip" | "zstd" | "lz4" | "rle" | "bzip2" | "dictionary" }
  | { readonly type: "double_delta" | "delta"; readonly reinterpret?: Datatype }
  | { readonly type: "bit_width_reduction" | "positive_delta" };

/** Filters in the order in which they run on writing, or a whole pipeline with its chunk size. */
export type FiltersInput = readonly FilterInput[] | FilterPipeline;

export interface DimensionInput {
  readonly name: string;
  /** An integer, datetime or time type; in sparse arrays also a float or "string_ascii". */
  readonly datatype: Datatype;
  /** Both ends inclusive; absent for "string_ascii" only. */
  readonly domain?: readonly [number | bigint, number | bigint];
  /** Cells of a space tile along this dimension; by default the whole domain, as the official library does. */
  readonly tileExtent?: number | bigint | null;
  /** By default none: coordinates of sparse arrays then go through the schema's `coordsFilters`. */
  readonly filters?: FiltersInput;
}

export interface AttributeInput {
  readonly name: string;
  readonly datatype: Datatype;
  /** Values per cell; "var" for variable-length. By default "var" of string types and "any", otherwise 1. */
  readonly cellValNum?: number | "var";
  readonly nullable?: boolean;
  /** One value or, of multi-value and text cells, one cell; by default the official library's of the datatype. */
  readonly fill?: number | bigint | boolean | string | Uint8Array;
  readonly filters?: FiltersInput;
  /** Name of the enumeration whose positions the cells are; the attribute is then of an integer type. */
  readonly enumeration?: string;
}

export interface EnumerationInput {
  readonly name: string;
  /** Whether the values compare by position. */
  readonly ordered?: boolean;
  readonly values: readonly string[] | TypedArray;
}

export interface SchemaInput {
  readonly arrayType: "sparse" | "dense";
  readonly dimensions: readonly DimensionInput[];
  /** At least one in dense arrays. */
  readonly attributes: readonly AttributeInput[];
  /** Default "row-major". */
  readonly cellOrder?: "row-major" | "col-major" | "hilbert";
  /** Default "row-major". */
  readonly tileOrder?: "row-major" | "col-major";
  /** Cells of a tile of a sparse fragment; default 10,000. */
  readonly capacity?: number;
  /** Whether several cells may have the same coordinates; sparse arrays only, default false. */
  readonly allowsDuplicates?: boolean;
  /** Default zstd. */
  readonly coordsFilters?: FiltersInput;
  /** Default zstd. */
  readonly offsetsFilters?: FiltersInput;
  /** Default RLE. */
  readonly validityFilters?: FiltersInput;
  readonly enumerations?: readonly EnumerationInput[];
}

/** One value of a cell as a list may hold it: bigint of 64-bit integers and datetimes (numbers are taken too). */
export type CellValue = number | bigint | boolean | string | Uint8Array;

/**
 * The cells of one field: a column, a typed array of the field's own type (cells x values per cell), or a list of
 * values, null where missing; text of string fields becomes UTF-8.
 */
export type ColumnInput = Column | TypedArray | readonly (CellValue | null)[];

/** Cells by field: every dimension (of sparse arrays) and every attribute, all of the same number of cells. */
export type CellsInput = Readonly<Record<string, ColumnInput>>;

export interface WriteOptions {
  /** Time of the write in milliseconds since 1970; default now. */
  readonly timestamp?: number | undefined;
  /** Settings of places that are given as URIs. */
  readonly storage?: StorageOptions | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A metadata value. Without a datatype: text is string_utf8, bytes blob, booleans and bigint int64, a number int64
 * where it is a safe integer and float64 otherwise, a typed array that of its elements. Null removes the key.
 */
export type MetadataInput =
  | string
  | number
  | bigint
  | boolean
  | TypedArray
  | { readonly datatype: Datatype; readonly value: string | number | bigint | boolean | TypedArray };
