import type { MatrixDtype } from "../../h5ad/matrix.js";

/** What a build would do: plain values, JSON as they are. */

export interface BuildProblem {
  /** "error": the build would fail. "warning": it would not, but look at it. */
  readonly severity: "error" | "warning";
  /** The file, or what of the options it is about. */
  readonly where: string;
  readonly message: string;
}

export interface FileMatrixReport {
  /** Its name in the file. */
  readonly matrix: string;
  readonly storage: "csr" | "csc" | "dense";
  /** Type of the values in the file. */
  readonly dtype: MatrixDtype;
  /** Values that would be stored; null where they were not read and the file does not say. */
  readonly values: number | null;
  /** Whether all fit the store's type; null where they were not read. */
  readonly fits: boolean | null;
}

export interface FileReport {
  readonly file: string;
  /** Null where the file cannot be read. */
  readonly cells: number | null;
  readonly genes: number | null;
  /** Genes that the store would have. */
  readonly genesInStore: number | null;
  /** Names that come more than once; their values are combined. */
  readonly repeatedGenes: number | null;
  readonly matrices: readonly FileMatrixReport[];
}

export interface StoreMatrixReport {
  readonly matrix: string;
  readonly dtype: MatrixDtype;
  readonly values: number;
  /** Rough: what counts of single cells take, see docs/performance.md. */
  readonly estimatedBytes: number;
  /** Of its gene-major copy; 0 without one. */
  readonly estimatedGeneMajorBytes: number;
}

export interface BuildReport {
  /** False where there is an error among the problems. */
  readonly ok: boolean;
  readonly samples: number;
  readonly cells: number;
  readonly genes: {
    /** Of the store. */
    readonly total: number;
    readonly inAllFiles: number;
    readonly inOneFileOnly: number;
    /** Of the store, in no file. */
    readonly inNoFile: number;
    /** In the files, not in the store. */
    readonly leftOut: number;
  };
  readonly matrices: readonly StoreMatrixReport[];
  readonly files: readonly FileReport[];
  readonly estimatedBytes: number;
  readonly problems: readonly BuildProblem[];
}
