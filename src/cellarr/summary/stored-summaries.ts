import type { Column } from "../../array/columns.js";
import type { Attribute } from "../../format/array-schema.js";
import type { FrameReader } from "../frames/frame-reader.js";
import type { GeneColumns } from "./gene-totals.js";
import { summaryNames } from "./summary-names.js";

/** Summaries that a store has already. */

/** The words of the matrices (see summaryWord) of which gene annotation and cell metadata have all columns. */
export function storedSummaries(parts: {
  readonly genes: FrameReader;
  readonly cells: FrameReader;
}): string[] {
  const words = parts.genes.columnNames.flatMap((name) => /^cellarr_(.+)_variance$/u.exec(name)?.[1] ?? []);
  return words.filter((word) => hasGeneSummary(parts.genes, word) && hasCellSummary(parts.cells, word));
}

/** Whether cell metadata have both columns of a matrix, given by name or word. */
export function hasCellSummary(cells: FrameReader, matrix: string): boolean {
  const { total, detected } = summaryNames(matrix).cells;
  return hasColumns(cells, [
    [total, "float64"],
    [detected, "uint32"],
  ]);
}

/** Whether the gene annotation has all columns of a matrix, given by name or word. */
export function hasGeneSummary(genes: FrameReader, matrix: string): boolean {
  const { total, mean, variance, detected } = summaryNames(matrix).genes;
  return hasColumns(genes, [
    [total, "float64"],
    [mean, "float64"],
    [variance, "float64"],
    [detected, "uint32"],
  ]);
}

function hasColumns(frame: FrameReader, columns: readonly (readonly [string, string])[]): boolean {
  const { attributes } = frame.array.schema;
  const isPlain = ({ nullable, cellValNum, enumeration }: Attribute) =>
    !nullable && cellValNum === 1 && enumeration === null;
  return columns.every(([name, datatype]) =>
    attributes.some((one) => one.name === name && one.datatype === datatype && isPlain(one)),
  );
}

export async function readGeneColumns(
  genes: FrameReader,
  word: string,
  signal: AbortSignal | undefined,
): Promise<GeneColumns> {
  const names = summaryNames(word).genes;
  const values = async (name: string) => {
    const column = await genes.column(name, signal);
    return column.kind === "numeric" ? column.values : new Float64Array(0);
  };
  return {
    total: Float64Array.from((await values(names.total)) as Float64Array),
    mean: Float64Array.from((await values(names.mean)) as Float64Array),
    variance: Float64Array.from((await values(names.variance)) as Float64Array),
    detected: Uint32Array.from((await values(names.detected)) as Uint32Array),
  };
}

/** Cells by the names of their columns. */
export type NamedCells = ReadonlyMap<string, Column>;
