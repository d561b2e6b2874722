import type { Coordinate, NDRange } from "../format/array-schema.js";
import type { DataOrder } from "../format/attribute.js";
import type { Datatype } from "../format/datatype.js";
import type { ByteRange } from "../storage/types.js";
import type { TypedArray } from "../util/typed-arrays.js";
import type { Column } from "./columns.js";
import type { QueryCondition } from "./condition/query-condition.js";

/**
 * What a read asks and what it answers.
 */

/**
 * Which coordinates of one dimension: single points and [low, high] ranges, both ends inclusive as in TileDB, or a
 * typed array of points. An end of null is open: the range goes to the end of the domain, of texts to the first or the
 * last there can be. Order and repetition don't matter: the selection is a set, unless `asListed`.
 */
export type DimensionSelection =
  | readonly (Coordinate | readonly [Coordinate | null, Coordinate | null])[]
  | TypedArray;

export type ReadOrder = "row-major" | "col-major" | "global" | "unordered";

export interface ReadProgress {
  /** Bytes fetched so far, and in all as far as is known. */
  readonly bytes: number;
  readonly totalBytes: number;
}

export interface ReadQuery {
  /**
   * Selection by dimension name; a dimension that is not named is not restricted (of a dense array: to the
   * non-empty domain). An empty selection selects nothing.
   */
  readonly ranges?: Readonly<Record<string, DimensionSelection>> | undefined;
  /**
   * Selection by dimension label, instead of one in `ranges` of the same dimension: the coordinates whose labels are
   * those given, or lie in the [low, high] ranges. Where no label does, nothing is selected (the core throws there).
   */
  readonly labelRanges?: Readonly<Record<string, DimensionSelection>> | undefined;
  /**
   * Of a dense array: takes `ranges` as lists and not as sets, like TileDB-Py's `multi_index`. Coordinates along each
   * dimension come in the order in which they are listed, and as often; `shape` counts them so. For `read` in row-major
   * and col-major order.
   */
  readonly asListed?: boolean | undefined;
  /** Attributes to return; all by default. */
  readonly attributes?: readonly string[] | undefined;
  /** Dimensions whose coordinates to return as columns; by default all of a sparse array, none of a dense one. */
  readonly dimensions?: readonly string[] | undefined;
  /** Order of the cells; row-major by default. "unordered" leaves them as they lie in the files. */
  readonly order?: ReadOrder | undefined;
  /**
   * Which cells to keep, as a text in Python syntax (`tissue == 'lung' and n_genes > 500`) or as a tree. Sparse: other
   * cells are left out. Dense: they hold the fill value, as in the core. Fields of several values a cell, but for texts,
   * have null tests only; of char cells of a fixed length all but `in` compares the first byte alone, as the core does.
   */
  readonly condition?: string | QueryCondition | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: ReadProgress) => void) | undefined;
}

export interface ReadResult {
  readonly cellCount: number;
  /** Dimensions asked for, then attributes; `cellCount` cells each. Enumerated attributes hold positions. */
  readonly columns: Readonly<Record<string, Column>>;
  /** Dense: selected coordinates per dimension, whose product is `cellCount`. Sparse: null. */
  readonly shape: readonly number[] | null;
}

/**
 * Over the valid cells of one attribute, or the coordinates of one dimension. Null where there are none, or where the type has no such thing: the official
 * library refuses those of bool, char and text other than ASCII, which are given here.
 */
export interface FieldAggregates {
  /** Valid cells: what the others are over. */
  readonly count: number;
  readonly nullCount: number;
  /**
   * Of floats without NaN (the core: it depends on where in a tile the NaN lies); of texts by their UTF-8 bytes. Null of
   * cells of several values, blobs and texts of 16- and 32-bit units.
   */
  readonly min: number | bigint | string | null;
  readonly max: number | bigint | string | null;
  /**
   * Exact bigint of integers, datetimes and bool (the core gives the type's maximum where 64 bits don't hold it); of
   * floats a number, NaN if one of them is. Null of texts.
   */
  readonly sum: bigint | number | null;
  /** The sum divided by `count`. */
  readonly mean: number | null;
}

export interface AggregateResult {
  /** Cells of the query; of a dense array all of the ranges, as in the core. */
  readonly cellCount: number;
  /**
   * By name. Of a dense array over the cells that were written, as in the core, and for which the condition holds:
   * fill values are left out.
   */
  readonly fields: Readonly<Record<string, FieldAggregates>>;
}

/** A piece of one file of a fragment that a read fetches in one request. */
export interface PlannedFetch {
  /** File name inside the fragment's folder. */
  readonly file: string;
  readonly range: ByteRange;
  /** Tiles of which it holds data. */
  readonly tiles: number;
}

export interface PlannedField {
  readonly name: string;
  /** Why it is read: to decide which cells count, or for the result (or both). */
  readonly role: "select" | "result" | "both";
  readonly fetches: readonly PlannedFetch[];
}

export interface PlannedFragment {
  readonly uri: string;
  /** Tiles of the fragment in all. */
  readonly tileCount: number;
  /** Numbers of the tiles that are wholly inside the ranges: all their cells are returned. */
  readonly covered: readonly number[];
  /** Numbers of the tiles that may hold some cells of the ranges. */
  readonly partial: readonly number[];
  /** Upper bound: fetches for the result are left out for tiles in which no cell is found. */
  readonly fields: readonly PlannedField[];
}

/** What a read will do; a plain value that can be printed as JSON (bigint coordinates excepted). */
export interface ReadPlan {
  readonly uri: string;
  readonly order: ReadOrder;
  /** Normalised ranges per dimension: sorted, without overlap; null where the dimension is not restricted. */
  readonly ranges: readonly (readonly NDRange[number][] | null)[];
  readonly fragments: readonly PlannedFragment[];
  readonly totals: {
    readonly fragments: number;
    readonly tiles: number;
    readonly requests: number;
    readonly bytes: number;
    /** Cells of the tiles; of a dense array cells of the result. */
    readonly cellsAtMost: number;
  };
}

/** A dimension label: values that stand for the coordinates of a dimension. */
export interface LabelInfo {
  readonly name: string;
  /** Name of the dimension. */
  readonly dimension: string;
  /** How the labels go along the dimension. Ranges of unordered ones cannot be asked for. */
  readonly order: DataOrder;
  readonly datatype: Datatype;
}

/** One fragment of an open array. */
export interface FragmentInfo {
  readonly uri: string;
  /** Folder name. */
  readonly name: string;
  readonly formatVersion: number;
  /** Milliseconds since 1970, inclusive. */
  readonly timestampRange: readonly [number, number];
  readonly dense: boolean;
  readonly nonEmptyDomain: NDRange | null;
  readonly cellCount: number;
  /** Of all its files. */
  readonly bytes: number;
  /** File name of the schema that it was written with. */
  readonly schemaName: string;
}
