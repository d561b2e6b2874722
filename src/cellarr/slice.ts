import { NotFoundError } from "../errors.js";
import { AnnData } from "../h5ad/anndata.js";
import type { SparseMatrix } from "../h5ad/matrix.js";
import type { Frame } from "../util/frame.js";

/**
 * Part of a store in memory: some cells and genes with their metadata and the values of each matrix. Rows of every
 * matrix are the rows of `cellMetadata`, its columns the rows of `geneAnnotation`, always: a cell or gene without
 * values is an empty row or column (Python 0.3.2 leaves those out and shifts the others).
 */
export class CellArrDatasetSlice {
  /** Rows in the order asked for, named by their numbers in the store. */
  readonly cellMetadata: Frame;
  /** Rows in the store's order, named by gene. */
  readonly geneAnnotation: Frame;
  /** CSR matrices by name. */
  readonly matrices: ReadonlyMap<string, SparseMatrix>;
  /** Number in the store of each row. */
  readonly cellIndices: Uint32Array;
  /** Number in the store of each column. */
  readonly geneIndices: Uint32Array;

  constructor(parts: {
    readonly cellMetadata: Frame;
    readonly geneAnnotation: Frame;
    readonly matrices: ReadonlyMap<string, SparseMatrix>;
    readonly cellIndices: Uint32Array;
    readonly geneIndices: Uint32Array;
  }) {
    this.cellMetadata = parts.cellMetadata;
    this.geneAnnotation = parts.geneAnnotation;
    this.matrices = parts.matrices;
    this.cellIndices = parts.cellIndices;
    this.geneIndices = parts.geneIndices;
  }

  /** Cells, genes. */
  get shape(): readonly [number, number] {
    return [this.cellIndices.length, this.geneIndices.length];
  }

  get matrixNames(): string[] {
    return [...this.matrices.keys()];
  }

  /** A matrix by name, cells x genes. NotFoundError names those present. */
  matrix(name: string): SparseMatrix {
    const matrix = this.matrices.get(name);
    if (matrix !== undefined) return matrix;
    const present = this.matrixNames.map((one) => `'${one}'`).join(", ");
    throw new NotFoundError(`no matrix '${name}' in the slice; there are: ${present || "none"}`);
  }

  /** As annotated data: metadata as obs and var, matrices as layers. Shares memory with the slice. */
  toAnnData(): AnnData {
    return new AnnData({ obs: this.cellMetadata, var: this.geneAnnotation, layers: this.matrices });
  }

  toString(): string {
    const [cells, genes] = this.shape;
    return `CellArrDatasetSlice(${cells} cells x ${genes} genes; matrices: ${this.matrixNames.join(", ")})`;
  }
}
