import { ArgumentError } from "../../errors.js";

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
  const word = matrix.replace(/[^\p{L}\p{N}_]/gu, "_");
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

/** Throws ArgumentError if two of the matrices would have columns of the same names. */
export function checkSummaryNames(matrices: readonly string[]): void {
  const totals = matrices.map((matrix) => summaryNames(matrix).cells.total);
  const second = totals.findIndex((name, at) => totals.indexOf(name) !== at);
  if (second < 0) return;
  const first = totals.indexOf(totals[second]!);
  throw new ArgumentError(
    `summaries of the matrices '${matrices[first]}' and '${matrices[second]}' would both be called ` +
      `'${totals[second]}'; give one another tiledbStoreName, or leave them out (summaries: false)`,
  );
}
