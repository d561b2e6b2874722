import { ArgumentError } from "../../errors.js";
import type { SparseMatrix } from "../../h5ad/matrix.js";
import { childLocation } from "../../storage/resolve.js";
import { columnValues, type Frame, type FrameValue, textValues } from "../../util/frame.js";
import { checkFileNames, tableNames } from "./file-names.js";
import type { ExportOptions } from "./options.js";
import { type Place, withFolder } from "./place.js";
import { blockRanges, type ExportSource, matrixBlocks } from "./source.js";
import { type TextSink, writeTextFile } from "./text-file.js";

/**
 * A folder of comma-separated values (RFC 4180, UTF-8), each file with a header line:
 *
 *     cell_metadata.csv      cell (its number in the store), then its columns; empty where missing
 *     gene_annotation.csv    gene (its name), then its columns
 *     <matrix>.csv           dense: cell, then a column per gene; long: cell, gene, value of each stored value
 */

export async function exportCsv(source: ExportSource, target: Place, options: ExportOptions): Promise<void> {
  const { layout = "dense", overwrite = false, signal } = options;
  if (layout !== "dense" && layout !== "long") {
    throw new ArgumentError(`layout '${layout as string}', expected dense or long`);
  }
  const files = [...source.matrixNames, tableNames.cells, tableNames.genes];
  checkFileNames(files);
  const rules = { overwrite, isOurs: (key: string) => /^[^/]+\.csv$/.test(key) };
  await withFolder(target, rules, async (folder) => {
    const file = (name: string, produce: (sink: TextSink) => Promise<void>) =>
      writeTextFile(childLocation(folder, `${name}.csv`), { signal }, produce);
    await file(tableNames.genes, (sink) => writeGenesCsv(source, sink));
    await file(tableNames.cells, (sink) => writeCellsCsv(source, options, sink));
    const writeMatrix = layout === "long" ? writeLongCsv : writeDenseCsv;
    for (const name of source.matrixNames) {
      await file(name, (sink) => writeMatrix(source, name, options, sink));
    }
  });
}

export async function writeGenesCsv({ genes }: ExportSource, sink: TextSink): Promise<void> {
  await sink.write(csvLine(["gene", ...genes.columnNames]));
  await writeFrameRows(genes, textValues(genes.index), sink);
}

export async function writeCellsCsv(
  source: ExportSource,
  options: ExportOptions,
  sink: TextSink,
): Promise<void> {
  await sink.write(csvLine(["cell", ...source.cellColumns]));
  for (const [first, end] of blockRanges(source, options)) {
    const names = Array.from(source.cells.subarray(first, end), String);
    await writeFrameRows(await source.cellRows(first, end), names, sink);
  }
}

/** A line per row of the frame, after the row's name. */
export async function writeFrameRows(
  frame: Frame,
  names: readonly (string | null)[],
  sink: TextSink,
): Promise<void> {
  const columns = [...frame.columns.values()].map(columnValues);
  for (let row = 0; row < frame.rowCount; row++) {
    const full = sink.write(csvLine([names[row]!, ...columns.map((values) => values[row]!)]));
    if (full !== undefined) await full;
  }
}

/** A line per cell with a column per gene; 0 where nothing is stored. */
export async function writeDenseCsv(
  source: ExportSource,
  name: string,
  options: ExportOptions,
  sink: TextSink,
): Promise<void> {
  await sink.write(csvLine(["cell", ...textValues(source.genes.index)]));
  const row: string[] = new Array(source.geneCount).fill("0");
  for await (const { first, matrix } of matrixBlocks(source, name, options)) {
    const { indptr, indices, data } = matrix;
    for (let cell = 0; cell < matrix.shape[0]; cell++) {
      for (let at = indptr[cell]!; at < indptr[cell + 1]!; at++) row[indices[at]!] = `${data[at]}`;
      const values = row.length === 0 ? "" : `,${row.join(",")}`;
      const full = sink.write(`${source.cells[first + cell]}${values}\n`);
      for (let at = indptr[cell]!; at < indptr[cell + 1]!; at++) row[indices[at]!] = "0";
      if (full !== undefined) await full;
    }
  }
}

/** A line per stored value: number of the cell in the store, name of the gene, value. */
export async function writeLongCsv(
  source: ExportSource,
  name: string,
  options: ExportOptions,
  sink: TextSink,
): Promise<void> {
  await sink.write("cell,gene,value\n");
  const genes = textValues(source.genes.index).map(csvField);
  for await (const { first, matrix } of matrixBlocks(source, name, options)) {
    for (let cell = 0; cell < matrix.shape[0]; cell++) {
      const full = sink.write(longLines(matrix, cell, `${source.cells[first + cell]}`, genes));
      if (full !== undefined) await full;
    }
  }
}

function longLines({ indptr, indices, data }: SparseMatrix, row: number, cell: string, genes: string[]) {
  let lines = "";
  for (let at = indptr[row]!; at < indptr[row + 1]!; at++) {
    lines += `${cell},${genes[indices[at]!]},${data[at]}\n`;
  }
  return lines;
}

export function csvLine(values: readonly FrameValue[]): string {
  return `${values.map(csvField).join(",")}\n`;
}

/** Empty where missing; an empty text is quoted, so that the two can be told apart. */
function csvField(value: FrameValue): string {
  if (value === null) return "";
  const text = `${value}`;
  return text === "" || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
