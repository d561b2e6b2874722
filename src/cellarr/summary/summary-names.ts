/**
 * Columns that a build adds for each matrix, named after it: what its values add up to, so that filters of cells and the
 * choice of variable genes need no scan. Missing values of a sparse matrix count as the zeros they are.
 */

export interface SummaryNames {
  /** Of cell metadata. */
  readonly cells: {
    /** float64: sum of the cell's values; of integers exact up to 2^53. */
    readonly total: string;
    /** uint32: genes whose value is not zero. */
    readonly detected: string;
  };
  /** Of the gene annotation, over all cells of the store. */
  readonly genes: {
    /** float64: sum of the gene's values. */
    readonly total: string;
    /** float64: mean of the gene's values. */
    readonly mean: string;
    /** float64: their variance with n - 1 in the denominator, as Seurat and scanpy take it; NaN of a single cell. */
    readonly variance: string;
    /** uint32: cells whose value is not zero. */
    readonly detected: string;
  };
}

/**
 * Names of the summary columns of the matrix in the store `assays/<matrix>`: those of "counts" are `cellarr_counts_total`
 * and so on. Characters that names in conditions cannot have become "_": `cellarr_log_norm_total` of "log-norm".
 */
export function summaryNames(matrix: string): SummaryNames {
  const word = summaryWord(matrix);
  const name = (what: string) => `cellarr_${word}_${what}`;
  return {
    cells: { total: name("total"), detected: name("detected") },
    genes: {
      total: name("total"),
      mean: name("mean"),
      variance: name("variance"),
      detected: name("detected"),
    },
  };
}

/** What of a matrix's name is in those of its summary columns. */
export function summaryWord(matrix: string): string {
  return matrix.replace(/[^\p{L}\p{N}_]/gu, "_");
}
