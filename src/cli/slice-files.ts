import { join } from "node:path";
import { writeCellsCsv, writeDenseCsv, writeGenesCsv } from "../cellarr/export/csv.js";
import { checkFileNames, tableNames } from "../cellarr/export/file-names.js";
import { isReal, matrixMarketHead, writeCoordinates } from "../cellarr/export/matrix-market.js";
import { sourceOf } from "../cellarr/export/source.js";
import type { CellArrDatasetSlice } from "../cellarr/slice.js";
import { makeOutputFolder, type TextSink, withTextSink } from "./output.js";

/** A slice as comma-separated values or Matrix Market, one matrix a file. */

export type SliceFileFormat = "csv" | "mtx";

/** One matrix of the slice, cells x genes. */
export async function writeMatrixText(
  part: CellArrDatasetSlice,
  name: string,
  format: SliceFileFormat,
  sink: TextSink,
): Promise<void> {
  if (format === "csv") {
    return writeDenseCsv(await sourceOf(part, { format }), name, { format }, sink);
  }
  const matrix = part.matrix(name);
  const [cells, genes] = part.shape;
  const size = { cells, genes, values: matrix.data.length };
  await sink.write(matrixMarketHead({ rows: "cells", ...size, isReal: isReal(matrix.data) }));
  return writeCoordinates(matrix, 0, "cells", sink);
}

/** A file per matrix, cell_metadata.csv and gene_annotation.csv; other files of the folder stay as they are. */
export async function writeSliceFolder(
  part: CellArrDatasetSlice,
  format: SliceFileFormat,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  checkFileNames([...part.matrixNames, ...Object.values(tableNames)]);
  await makeOutputFolder(folder);
  const file = (name: string, produce: (sink: TextSink) => Promise<void>) =>
    withTextSink(join(folder, name), signal, produce);
  for (const name of part.matrixNames) {
    await file(`${name}.${format}`, (sink) => writeMatrixText(part, name, format, sink));
  }
  const source = await sourceOf(part, { format: "csv" });
  await file(`${tableNames.cells}.csv`, (sink) => writeCellsCsv(source, { format: "csv", signal }, sink));
  await file(`${tableNames.genes}.csv`, (sink) => writeGenesCsv(source, sink));
}
