import type { Datatype } from "../../format/datatype.js";
import type { MatrixSource } from "../matrix-reader.js";

/** What queries of a dataset take and tell. */

export type SliceOrder = "store" | "asked";

/** Numbers of cells and genes in the store. */
export interface SliceRows {
  readonly cellIndices: Uint32Array;
  readonly geneIndices: Uint32Array;
}

export interface QueryOptions {
  /** Matrices to read; default all. */
  readonly matrices?: readonly string[] | undefined;
  /**
   * Default "auto": from the matrix or from its gene-major copy, whichever answers cheaper; the answer is the same.
   * "gene-major" throws NotFoundError where there is no copy that is up to date.
   */
  readonly source?: MatrixSource | undefined;
  /**
   * Order of genes. Default "store": the store's order, each gene once, as in Python cellarr. "asked": the order asked,
   * repeats included, as cells always come.
   */
  readonly order?: SliceOrder | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a matrix is, without reading it. */
export interface MatrixInfo {
  readonly name: string;
  /** Where its array is. */
  readonly where: string;
  readonly arrayType: "sparse" | "dense";
  readonly dtype: Datatype;
  /** Values in its fragments; of a dense array, places. Those that were written again count again. */
  readonly storedValues: number;
  readonly fragments: number;
  /** Of its fragments. */
  readonly bytes: number;
}

/**
 * - "current": queries use it where that is cheaper; `bytes` of its cells.
 * - "stale": the matrix was written to since; "unusable": damaged, or no copy of this matrix.
 */
export type GeneMajorInfo =
  | { readonly state: "none" }
  | { readonly state: "current"; readonly where: string; readonly bytes: number }
  | { readonly state: "stale" | "unusable"; readonly where: string; readonly reason: string };
