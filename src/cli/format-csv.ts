import { stringify } from "csv-stringify/sync";
import type { SparseMatrix } from "../h5ad/matrix.js";
import { columnValues, type Frame, type FrameValue } from "../util/frame.js";
import type { TextSink } from "./output.js";
import type { SliceView } from "./slice-view.js";

/** Slices and their metadata as comma-separated text with a header line. */

/** A line per cell: its index in the store, then a column per gene; 0 where nothing is stored. */
export async function writeMatrixCsv(slice: SliceView, matrix: SparseMatrix, sink: TextSink): Promise<void> {
  const { indptr, indices, data } = matrix;
  await sink.write(csvLines([["cell", ...slice.genes]]));
  const row: string[] = new Array(slice.genes.length).fill("0");
  for (let cell = 0; cell < slice.cells.length; cell++) {
    for (let i = indptr[cell]!; i < indptr[cell + 1]!; i++) row[indices[i]!] = `${data[i]}`;
    const full = sink.write(
      row.length === 0 ? `${slice.cells[cell]}\n` : `${slice.cells[cell]},${row.join(",")}\n`,
    );
    for (let i = indptr[cell]!; i < indptr[cell + 1]!; i++) row[indices[i]!] = "0";
    if (full !== undefined) await full;
  }
}

/** A line per row of the frame, after a column that names the rows. */
export async function writeFrameCsv(
  frame: Frame,
  rowHeader: string,
  rowName: (row: number) => string,
  sink: TextSink,
): Promise<void> {
  await sink.write(csvLines([[rowHeader, ...frame.columnNames]]));
  const columns = [...frame.columns.values()].map(columnValues);
  for (let start = 0; start < frame.rowCount; start += 1000) {
    const end = Math.min(start + 1000, frame.rowCount);
    const lines: string[][] = [];
    for (let row = start; row < end; row++) {
      lines.push([rowName(row), ...columns.map((values) => csvValue(values[row]!))]);
    }
    await sink.write(csvLines(lines));
  }
}

function csvValue(value: FrameValue): string {
  return value === null ? "" : `${value}`;
}

function csvLines(rows: readonly (readonly string[])[]): string {
  return stringify(rows as string[][]);
}
