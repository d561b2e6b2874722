import type { StorageOptions } from "../../storage/remote/settings.js";
import type { MatrixSource } from "../matrix-reader.js";
import type { RowSelection } from "../selection.js";

/**
 * - "h5ad": an AnnData file, matrices as layers (Node)
 * - "summarized-experiment": a folder in the form of Bioconductor's alabaster.se and Python's dolomite-se (Node)
 * - "10x": a folder with matrix.mtx.gz, barcodes.tsv.gz and features.tsv.gz, one matrix
 * - "arrow": a folder of Arrow IPC files
 * - "csv": a folder of CSV files
 */
export type ExportFormat = (typeof exportFormats)[number];

export const exportFormats = ["h5ad", "summarized-experiment", "10x", "arrow", "csv"] as const;

export interface ExportOptions {
  readonly format: ExportFormat;
  /** Default all cells. Only for datasets: a slice is exported whole. */
  readonly cells?: RowSelection | undefined;
  /** Default all genes; in the store's order unless `order` is "asked". Only for datasets. */
  readonly genes?: RowSelection | undefined;
  readonly order?: "store" | "asked" | undefined;
  /** Default all. */
  readonly matrices?: readonly string[] | undefined;
  /** As in queries. */
  readonly source?: MatrixSource | undefined;
  /** Replace what is there; by default that is an ExistsError. A folder is replaced only if it is such an export. */
  readonly overwrite?: boolean | undefined;
  /** Cells in memory at a time; default as many as could hold 16 million values, 65,536 at most. */
  readonly blockCells?: number | undefined;
  /** Of "csv": a line per cell with a column per gene (default), or a line per stored value. */
  readonly layout?: "dense" | "long" | undefined;
  /** Of "10x": the column of the cell metadata with the barcodes; default the cells' numbers in the store. */
  readonly barcodes?: string | undefined;
  /** Of "10x": the column of the gene annotation with the symbols; default the genes' names, as the ids. */
  readonly symbols?: string | undefined;
  readonly onProgress?: ((progress: ExportProgress) => void) | undefined;
  /** Settings of places that are given as URIs. */
  readonly storage?: StorageOptions | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ExportProgress {
  readonly matrix: string;
  /** Cells of the matrix that are written. */
  readonly cells: number;
  readonly totalCells: number;
}
