import { ArgumentError, ValueError } from "../../errors.js";
import { type Frame, type FrameColumn, textColumn } from "../../util/frame.js";
import { pythonStrings } from "../frames/python-text.js";
import { TextBuilder } from "../frames/text-builder.js";
import { addedColumns } from "../layout.js";
import { fileGenes, type ScannedFile } from "./scan.js";

/** Second step of a build: a row per file, with its cells' place in the store and its genes. */

export interface Samples {
  readonly names: readonly string[];
  readonly cellCounts: readonly number[];
  /** First cell of each sample; one more entry than samples, the last is the number of all cells. */
  readonly starts: readonly number[];
  readonly columns: ReadonlyMap<string, FrameColumn>;
}

/**
 * The caller's columns, then those that cellarr adds. Unlike Python, which tags cells with "sample_1", ... whatever the
 * caller's `cellarr_sample` says, the names given there are the samples' names; and `cellarr_cell_counts` given must be
 * true. Throws ArgumentError or ValueError.
 */
export function sampleTable(given: Frame | null, files: readonly ScannedFile[]): Samples {
  const columns = new Map<string, FrameColumn>(given?.columns);
  if (given !== null && given.rowCount !== files.length) {
    throw new ArgumentError(
      `sample metadata has ${given.rowCount} rows, expected one for each of ${files.length} files`,
    );
  }
  const names = sampleNames(columns, files.length);
  const cellCounts = files.map((file) => file.cellCount);
  const starts = [0];
  for (const count of cellCounts) starts.push(starts.at(-1)! + count);
  setDefault(columns, addedColumns.sample, () => textColumn(names));
  checkCounts(columns.get(addedColumns.cellCounts), cellCounts);
  setDefault(columns, addedColumns.cellCounts, () => integers(cellCounts));
  columns.set(addedColumns.sampleStart, integers(starts.slice(0, -1)));
  columns.set(addedColumns.sampleEnd, integers(starts.slice(1).map((next) => next - 1)));
  setDefault(columns, addedColumns.originalGeneSet, () => originalGenes(files));
  return { names, cellCounts, starts, columns };
}

function setDefault(columns: Map<string, FrameColumn>, name: string, make: () => FrameColumn): void {
  if (!columns.has(name)) columns.set(name, make());
}

function integers(values: readonly number[]): FrameColumn {
  // A value per sample, beyond int32 where there are more than 2^31 cells.
  return { kind: "numeric", values: BigInt64Array.from(values, BigInt) };
}

function sampleNames(columns: ReadonlyMap<string, FrameColumn>, count: number): string[] {
  const given = columns.get(addedColumns.sample);
  if (given === undefined) return Array.from({ length: count }, (_, at) => `sample_${at + 1}`);
  const names = pythonStrings(given);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice === undefined) return names;
  throw new ArgumentError(`sample metadata: ${addedColumns.sample} '${twice}' is given twice`);
}

function checkCounts(given: FrameColumn | undefined, counts: readonly number[]): void {
  if (given === undefined) return;
  for (const [row, text] of pythonStrings(given).entries()) {
    if (Number(text) === counts[row]) continue;
    throw new ValueError(
      `sample metadata: ${addedColumns.cellCounts} of row ${row} is ${text}, the file has ${counts[row]} cells`,
    );
  }
}

/** Each file's genes in its order, joined by commas: tells genes without expression from genes not measured. */
function originalGenes(files: readonly ScannedFile[]): FrameColumn {
  const builder = new TextBuilder();
  for (const file of files) builder.push(fileGenes(file).join(","));
  return builder.finish();
}

/** The added columns of cell metadata for the cells of all samples. */
export function cellColumns(samples: Samples): { sample: FrameColumn; indexInSample: FrameColumn } {
  const total = samples.starts.at(-1)!;
  const codes = new Int32Array(total);
  const values = new Int32Array(total);
  for (const [sample, count] of samples.cellCounts.entries()) {
    const start = samples.starts[sample]!;
    codes.fill(sample, start, start + count);
    for (let cell = 0; cell < count; cell++) values[start + cell] = cell;
  }
  return {
    sample: { kind: "categorical", codes, categories: textColumn(samples.names), ordered: false },
    indexInSample: { kind: "numeric", values },
  };
}
