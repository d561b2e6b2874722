import type { StoreLocation } from "../../storage/types.js";
import type { CellArrDataset } from "../dataset.js";
import type { CellArrDatasetSlice } from "../slice.js";
import type { ExportOptions } from "./options.js";

/**
 * Writes cells x genes of a dataset, or a slice, to a file or folder of another kind. Of a dataset, cells are read block
 * by block, so that memory does not grow with what is exported, but for the largest column of cell metadata (in "h5ad"
 * and "summarized-experiment"; in others a block of it), the barcodes of "10x" and some 12 bytes a cell.
 *
 * The file or folder appears when it is complete; whatever fails leaves what was there before.
 *
 * Throws ExistsError, NotFoundError (genes, columns), OutOfDomainError (cells), ArgumentError (options, names of matrices
 * that the format cannot hold), ValueError (values that it cannot hold), UnsupportedError (HDF5 files outside Node),
 * StorageError, AbortedError.
 */
export async function exportDataset(
  from: CellArrDataset | CellArrDatasetSlice,
  target: string | StoreLocation,
  options: ExportOptions,
): Promise<void> {
  const late = await import("./export-dataset.js");
  return late.exportDataset(from, target, options);
}
