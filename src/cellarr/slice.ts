import { NotFoundError } from "../errors.js";
import { AnnData } from "../h5ad/anndata.js";
import type { DenseMatrix, SparseMatrix } from "../h5ad/matrix.js";
import type { Frame } from "../util/frame.js";
import { type CooMatrix, toCoo, toCsc, toDense, transposed } from "./matrix-views.js";
import { SummarizedExperiment } from "./summarized-experiment.js";

/**
 * Part of a store in memory: some cells and genes with their metadata and the values of each matrix. Rows of every
 * matrix are the rows of `cellMetadata`, its columns the rows of `geneAnnotation`, always: a cell or gene without
 * values is an empty row or column (Python 0.3.2 leaves those out and shifts the others).
 */
export class CellArrDatasetSlice {
  /** Rows in the order asked for, named by their numbers in the store. */
  readonly cellMetadata: Frame;
  /** Rows in the store's order, or in the order asked with `order: "asked"`; named by gene. */
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

  /** Cells. */
  get length(): number {
    return this.cellIndices.length;
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

  /** A matrix compressed by genes. */
  csc(name: string): SparseMatrix {
    return toCsc(this.matrix(name));
  }

  /** A matrix as stored values with their rows and columns. */
  coo(name: string): CooMatrix {
    return toCoo(this.matrix(name));
  }

  /** A matrix with all its zeros, cell after cell. LimitError beyond 2^32 values. */
  dense(name: string): DenseMatrix {
    return toDense(this.matrix(name));
  }

  /** As annotated data: metadata as obs and var, matrices as layers. Shares memory with the slice. */
  toAnnData(): AnnData {
    return new AnnData({ obs: this.cellMetadata, var: this.geneAnnotation, layers: this.matrices });
  }

  /** Genes x cells: gene annotation as row data, cell metadata as column data. Shares memory with the slice. */
  toSummarizedExperiment(): SummarizedExperiment {
    const assays = [...this.matrices].map(([name, matrix]) => [name, transposed(matrix)] as const);
    return new SummarizedExperiment({
      assays: new Map(assays),
      rowData: this.geneAnnotation,
      columnData: this.cellMetadata,
    });
  }

  /** What Node's console shows. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  toString(): string {
    const [cells, genes] = this.shape;
    return `CellArrDatasetSlice(${cells} cells x ${genes} genes; matrices: ${this.matrixNames.join(", ")})`;
  }
}
