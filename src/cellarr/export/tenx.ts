import { ArgumentError, NotFoundError, StorageError, ValueError } from "../../errors.js";
import { childLocation, locationUri } from "../../storage/resolve.js";
import type { StoreWriter } from "../../storage/types.js";
import { columnValues, type FrameColumn, textValues } from "../../util/frame.js";
import { takeRows } from "../frames/frame-parts.js";
import { isReal, matrixMarketHead, writeCoordinates } from "./matrix-market.js";
import type { ExportOptions } from "./options.js";
import { type Place, withFolder, withWriter } from "./place.js";
import { blockRanges, type ExportSource, matrixBlocks, rowRange } from "./source.js";
import { type TextSink, writeTextFile } from "./text-file.js";

/**
 * A folder as Cell Ranger 3 and later write it:
 *
 *     matrix.mtx.gz      Matrix Market coordinates, genes x cells, numbered from 1, sorted by cell
 *     barcodes.tsv.gz    a line per cell
 *     features.tsv.gz    a line per gene: id, symbol, "Gene Expression"
 */

const names = { matrix: "matrix.mtx.gz", cells: "barcodes.tsv.gz", genes: "features.tsv.gz" } as const;

export async function exportTenx(source: ExportSource, target: Place, options: ExportOptions): Promise<void> {
  const [matrix, ...others] = source.matrixNames;
  if (matrix === undefined || others.length > 0) {
    throw new ArgumentError(
      `a 10x folder holds one matrix, asked for are: ${source.matrixNames.join(", ") || "none"}`,
    );
  }
  const { overwrite = false, signal } = options;
  const barcodes = await barcodesOf(source, options);
  const features = featureLines(source, options);
  const ours: readonly string[] = Object.values(names);
  await withFolder(target, { overwrite, isOurs: (key) => ours.includes(key) }, async (folder) => {
    const zipped = { signal, gzip: true };
    await writeTextFile(childLocation(folder, names.genes), zipped, (sink) => writeLines(features, sink));
    await writeTextFile(childLocation(folder, names.cells), zipped, async (sink) => {
      for (const [first, end] of blockRanges(source, options)) await writeLines(barcodes(first, end), sink);
    });
    await writeMatrixFile(source, matrix, folder, options);
  });
}

/**
 * How many values there are is known at the end, but stands in the file's third line: the values are gzipped into a file
 * of their own, which is then put behind the gzipped first lines. Readers take the two parts as one, as gzip says.
 */
async function writeMatrixFile(
  source: ExportSource,
  matrix: string,
  folder: Place,
  options: ExportOptions,
): Promise<void> {
  const { signal } = options;
  const body = childLocation(folder, `${names.matrix}.body`);
  const head = childLocation(folder, `${names.matrix}.head`);
  let values = 0;
  let real = false;
  await writeTextFile(body, { signal, gzip: true }, async (sink) => {
    for await (const block of matrixBlocks(source, matrix, options)) {
      const { data } = block.matrix;
      values += data.length;
      real = isReal(data);
      await writeCoordinates(block.matrix, block.first, "genes", sink);
    }
  });
  const size = { cells: source.cellCount, genes: source.geneCount, values };
  await writeTextFile(head, { signal, gzip: true }, async (sink) => {
    await sink.write(matrixMarketHead({ rows: "genes", ...size, isReal: real }));
  });
  await withWriter(childLocation(folder, names.matrix), signal, async (writer) => {
    for (const part of [head, body]) await append(part, writer);
  });
  for (const { store, path } of [head, body]) await store.delete(path);
}

const PART_BYTES = 8 * 2 ** 20;

async function append(part: Place, writer: StoreWriter): Promise<void> {
  const { store, path } = part;
  const folder = path.slice(0, path.lastIndexOf("/"));
  const entries = await store.list(folder, { recursive: false });
  const size = entries.find(({ key }) => key === path)?.size ?? 0;
  for (let start = 0; start < size; start += PART_BYTES) {
    const bytes = await store.getRange(path, { start, end: Math.min(size, start + PART_BYTES) });
    if (bytes === undefined)
      throw new StorageError("a part of the export is gone", { where: locationUri(part) });
    await writer.write(bytes);
  }
}

/** What gives the barcodes of the cells from one to another, exclusive. */
async function barcodesOf(
  source: ExportSource,
  { barcodes }: ExportOptions,
): Promise<(first: number, end: number) => string[]> {
  const { cells, cellColumns } = source;
  if (barcodes === undefined) return (first, end) => Array.from(cells.subarray(first, end), String);
  if (!cellColumns.includes(barcodes)) throw noColumn("cell metadata", barcodes, cellColumns);
  const column = await source.cellColumn(barcodes);
  return (first, end) => lineTexts(takeRows(column, rowRange(first, end)), `barcodes '${barcodes}'`, first);
}

function featureLines({ genes }: ExportSource, { symbols }: ExportOptions): string[] {
  const ids = lineTexts(genes.index, "gene names");
  if (symbols === undefined) return ids.map((id) => `${id}\t${id}\tGene Expression`);
  const column = genes.columns.get(symbols);
  if (column === undefined) throw noColumn("gene annotation", symbols, genes.columnNames);
  const texts = lineTexts(column, `symbols '${symbols}'`);
  return ids.map((id, at) => `${id}\t${texts[at]}\tGene Expression`);
}

function noColumn(table: string, name: string, present: readonly string[]): NotFoundError {
  return new NotFoundError(`no column '${name}' in the ${table}; there are: ${present.join(", ")}`);
}

/** Texts without tabs and line breaks, which separate them; missing ones are empty. */
function lineTexts(column: FrameColumn, what: string, first = 0): string[] {
  const values = column.kind === "text" ? textValues(column) : columnValues(column);
  return values.map((value, row) => {
    const text = value === null ? "" : `${value}`;
    if (!/[\t\r\n]/.test(text)) return text;
    throw new ValueError(
      `${what}: row ${first + row} has a tab or line break in it, which a 10x folder cannot hold`,
    );
  });
}

async function writeLines(lines: readonly string[], sink: TextSink): Promise<void> {
  for (const line of lines) {
    const full = sink.write(`${line}\n`);
    if (full !== undefined) await full;
  }
}
