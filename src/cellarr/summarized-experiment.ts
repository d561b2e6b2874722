import { ArgumentError } from "../errors.js";
import { checkMatrix, type SparseMatrix } from "../h5ad/matrix.js";
import type { Frame } from "../util/frame.js";

/** Bioconductor's container of experiments: assays of features (genes) x samples (cells), with a frame for each axis. */
export class SummarizedExperiment {
  /** Genes x cells, by name. */
  readonly assays: ReadonlyMap<string, SparseMatrix>;
  /** A row per gene. */
  readonly rowData: Frame;
  /** A row per cell. */
  readonly columnData: Frame;

  /** Throws ArgumentError if an assay's shape does not fit the frames. */
  constructor(parts: {
    readonly assays: ReadonlyMap<string, SparseMatrix>;
    readonly rowData: Frame;
    readonly columnData: Frame;
  }) {
    this.assays = parts.assays;
    this.rowData = parts.rowData;
    this.columnData = parts.columnData;
    const [genes, cells] = this.shape;
    for (const [name, assay] of this.assays) {
      checkMatrix(assay, name);
      if (assay.shape[0] === genes && assay.shape[1] === cells) continue;
      throw new ArgumentError(
        `assay '${name}' is ${assay.shape[0]} x ${assay.shape[1]}, expected ${genes} x ${cells}`,
      );
    }
  }

  /** Genes, cells. */
  get shape(): readonly [number, number] {
    return [this.rowData.rowCount, this.columnData.rowCount];
  }
}
