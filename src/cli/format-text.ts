import type { SliceView } from "../cellarr/export/slice-json.js";
import type { SparseMatrix } from "../h5ad/matrix.js";
import { columnValues, type Frame } from "../util/frame.js";
import { formatCount, formatTable, plural, shorten, styled } from "./table.js";

/** A slice for people: the corner of each matrix and of the cell metadata. */

const MOST_ROWS = 11;
const MOST_COLUMNS = 8;

export function sliceText(slice: SliceView): string {
  const title = `${plural(slice.cells.length, "cell")} x ${plural(slice.genes.length, "gene")}`;
  const parts = [styled(process.stdout, "bold", title)];
  for (const [name, matrix] of slice.matrices) parts.push(matrixText(slice, name, matrix));
  if (slice.cellMetadata.columnNames.length > 0) parts.push(`cell metadata\n${frameText(slice)}`);
  return `${parts.join("\n\n")}\n`;
}

function matrixText(slice: SliceView, name: string, matrix: SparseMatrix): string {
  const rows = Math.min(slice.cells.length, MOST_ROWS);
  const columns = Math.min(slice.genes.length, MOST_COLUMNS);
  const header = ["cell", ...slice.genes.slice(0, columns).map((gene) => shorten(gene, 14))];
  const body = Array.from({ length: rows }, (_, row) => [
    `${slice.cells[row]}`,
    ...rowTexts(matrix, row, columns),
  ]);
  const cut = columns < slice.genes.length;
  const table = formatTable(
    [header, ...body].map((row) => (cut ? [...row, "…"] : row)),
    {
      right: Array.from({ length: columns + 1 }, (_, i) => i),
    },
  );
  return `${name}: ${plural(matrix.data.length, "stored value")}\n${table}${moreRows(slice.cells.length, rows, "cell")}`;
}

/** "." stands for nothing stored. */
function rowTexts({ indptr, indices, data }: SparseMatrix, row: number, columns: number): string[] {
  const texts: string[] = new Array(columns).fill(".");
  for (let i = indptr[row]!; i < indptr[row + 1]!; i++) {
    const column = indices[i]!;
    if (column < columns) texts[column] = valueText(data[i]!);
  }
  return texts;
}

function valueText(value: number | bigint): string {
  return typeof value === "bigint" || Number.isInteger(value) ? `${value}` : value.toPrecision(4);
}

function frameText(slice: SliceView): string {
  const { cellMetadata } = slice;
  const rows = Math.min(slice.cells.length, MOST_ROWS);
  const names = cellMetadata.columnNames.slice(0, MOST_COLUMNS);
  const columns = names.map((name) => firstValues(cellMetadata, name, rows));
  const body = Array.from({ length: rows }, (_, row) => [
    `${slice.cells[row]}`,
    ...columns.map((values) => shorten(values[row]!, 24)),
  ]);
  const table = formatTable([["cell", ...names.map((name) => shorten(name, 24))], ...body], { right: [0] });
  return `${table}${moreRows(slice.cells.length, rows, "cell")}`;
}

function firstValues(frame: Frame, name: string, rows: number): string[] {
  return columnValues(frame.columns.get(name)!)
    .slice(0, rows)
    .map((value) => (value === null ? "-" : `${value}`));
}

function moreRows(all: number, shown: number, noun: string): string {
  return all > shown ? `\n… and ${formatCount(all - shown)} more ${noun}s` : "";
}
