import type { Datatype } from "../format/datatype.js";
import type { TypedArray } from "../util/typed-arrays.js";

/**
 * Cells as columns: what reads return and writes take. No object per cell.
 */

export interface FixedColumn {
  readonly kind: "fixed";
  readonly datatype: Datatype;
  /** Values per cell, at least 1. */
  readonly cellValNum: number;
  /** Cells x cellValNum, cell after cell, in the datatype's own array type. */
  readonly values: TypedArray;
  /** A byte per cell, 1 valid and 0 null; only of nullable attributes. */
  readonly validity?: Uint8Array;
}

export interface VarColumn {
  readonly kind: "var";
  readonly datatype: Datatype;
  /** Cells + 1 byte offsets into `data`; cell i is [offsets[i], offsets[i + 1]). Data is at most 4 GiB. */
  readonly offsets: Uint32Array;
  readonly data: Uint8Array;
  /** A byte per cell, 1 valid and 0 null; only of nullable attributes. */
  readonly validity?: Uint8Array;
}

export type Column = FixedColumn | VarColumn;
