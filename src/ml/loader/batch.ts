/** What a loader gives. */

/** Values as compressed rows, columns ascending within each. */
export interface CsrBatch {
  /** Cells + 1 positions in `indices` and `values`. */
  readonly indptr: Uint32Array;
  readonly indices: Int32Array;
  readonly values: Float32Array;
}

/** Values of some cells, a row for each in the order asked. */
export interface CellValues {
  readonly cellCount: number;
  readonly geneCount: number;
  /** Cells x genes, row after row; compressed where `sparse` was asked for. The caller's own. */
  readonly values: Float32Array | CsrBatch;
  /** Numbers of the cells in the store. */
  readonly cellIndices: Uint32Array;
}

export interface Batch extends CellValues {
  /** For each cell its position in `labelNames`, `studyNames` and `sampleNames`. */
  readonly labels: Int32Array;
  readonly studies: Int32Array;
  readonly samples: Int32Array;
  readonly epoch: number;
  /** Number of the batch in its epoch, from 0 on. */
  readonly step: number;
}
