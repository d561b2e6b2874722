import { openArray } from "../../array/open.js";
import { openFragmentWriter } from "../../array/write/fragment-writer.js";
import { ArgumentError, NotFoundError, throwIfAborted, UnsupportedError } from "../../errors.js";
import { resolveLocation } from "../../storage/resolve.js";
import type { StoreLocation } from "../../storage/types.js";
import { Frame, type FrameColumn } from "../../util/frame.js";
import type { TypedArray } from "../../util/typed-arrays.js";
import { coordinatesOf } from "../build/coordinates.js";
import { asNumbers } from "../build/fit-values.js";
import { BuildOutput } from "../build/output.js";
import { type Place, restoreInterrupted } from "../build/staging.js";
import { copyCells, shapeOf } from "../by-gene/copy-matrix.js";
import { geneMajorPlace, openGeneMajor } from "../by-gene/gene-major-state.js";
import { GeneMajorWriter } from "../by-gene/gene-major-writer.js";
import type { FormedColumn } from "../columns/column-form.js";
import { type DatasetParts, openParts } from "../dataset-parts.js";
import { FrameWriter } from "../frames/frame-writer.js";
import { pythonStrings } from "../frames/python-text.js";
import { addedColumns, storeNames } from "../layout.js";
import type { MatrixReader } from "../matrix-reader.js";
import { type GeneTotals, geneTotals } from "../summary/gene-totals.js";
import { geneSummary } from "../summary/matrix-summary.js";
import { hasGeneSummary } from "../summary/stored-summaries.js";
import type { ChangeOptions } from "./change-options.js";
import { copySchema } from "./placed-fragments.js";
import { changeStore } from "./store-lock.js";
import { frameNames, groupOf, matrixPlace } from "./store-places.js";
import { copyRows, frameCells, storedAttributes } from "./stored-frame.js";

/**
 * Taking samples out of a store. Cells behind them get lower numbers, so the matrices, the cell and the sample metadata
 * are made anew without them and take their places together (output.ts); genes stay, those that only the samples had too.
 * There must be room for both; nothing is lost by a failure or a kill.
 */

export interface DropResult {
  readonly samples: readonly string[];
  readonly cells: number;
}

interface DropPlan {
  readonly options: ChangeOptions;
  readonly location: Place;
  readonly parts: DatasetParts;
  /** Rows of the sample metadata that stay. */
  readonly kept: readonly number[];
  /** First and last cell, both inclusive, of every sample. */
  readonly ranges: readonly (readonly [number, number])[];
  /** New number of every cell, -1 of those that go; by runs: starts of runs, what is taken off from there on. */
  readonly runs: readonly CellRun[];
  readonly cellCount: number;
}

/** Cells [start, end) that stay, and how much lower their numbers become. */
interface CellRun {
  readonly start: number;
  readonly end: number;
  readonly shift: number;
}

/**
 * Removes samples by name with their cells. Throws NotFoundError for one that is not there, ArgumentError where none
 * would be left, ExistsError while another change is under way, AbortedError.
 */
export async function dropSample(
  path: string | StoreLocation,
  names: string | readonly string[],
  options: ChangeOptions = {},
): Promise<DropResult> {
  const location = resolveLocation(path, options.storage);
  if (groupOf(options) !== storeNames.assays) {
    throw new UnsupportedError(`samples are dropped from stores with the group '${storeNames.assays}'`);
  }
  const dropped = typeof names === "string" ? [names] : [...new Set(names)];
  return changeStore(location, options.breakLock ?? false, async () => {
    await restoreInterrupted(location);
    const parts = await openParts(location, { ...options, assayUri: undefined });
    return drop(await planDrop(parts, location, dropped, options), dropped);
  });
}

async function planDrop(
  parts: DatasetParts,
  location: Place,
  dropped: readonly string[],
  options: ChangeOptions,
): Promise<DropPlan> {
  const { sample, sampleStart, sampleEnd } = addedColumns;
  const text = async (name: string) => pythonStrings(await parts.samples.column(name, options.signal));
  const [names, starts, ends] = [await text(sample), await text(sampleStart), await text(sampleEnd)];
  const unknown = dropped.filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    throw new NotFoundError(`no sample '${unknown.join("', '")}'`, { where: parts.uri });
  }
  const kept = [...names.keys()].filter((row) => !dropped.includes(names[row]!));
  if (kept.length === 0) throw new ArgumentError("no sample would be left", { where: parts.uri });
  const ranges = names.map((_, row) => [Number(starts[row]), Number(ends[row])] as const);
  const gone = [...names.keys()].filter((row) => dropped.includes(names[row]!)).map((row) => ranges[row]!);
  const runs = keptRuns(gone, parts.cells.rowCount);
  const cellCount = runs.reduce((sum, { start, end }) => sum + end - start, 0);
  return { options, location, parts, kept, ranges, runs, cellCount };
}

/** @param gone first and last cell, both inclusive; of a sample without cells the last is before the first */
function keptRuns(gone: readonly (readonly [number, number])[], cells: number): CellRun[] {
  const runs: CellRun[] = [];
  let start = 0;
  let shift = 0;
  for (const [first, last] of gone.toSorted((a, b) => a[0] - b[0])) {
    if (last < first) continue;
    if (first > start) runs.push({ start, end: first, shift });
    shift += last + 1 - first;
    start = last + 1;
  }
  if (start < cells) runs.push({ start, end: cells, shift });
  return runs;
}

async function drop(plan: DropPlan, samples: readonly string[]): Promise<DropResult> {
  const { location, parts, options } = plan;
  const names = frameNames(options);
  const matrices = [...parts.matrices.keys()];
  const summaries = matrices.filter((name) => hasGeneSummary(parts.genes, name));
  const output = await BuildOutput.prepare(location, {
    targets: [
      ...(summaries.length > 0 ? [names.genes] : []),
      names.cells,
      ...matrices.map((name) => `${storeNames.assays}/${name}`),
      names.samples,
    ],
    matrices,
    overwrite: true,
    keepsGroup: true,
  });
  try {
    await writeCells(plan, output.part(names.cells));
    const totals: FormedColumn[] = [];
    for (const [name, matrix] of parts.matrices) {
      const genes = await writeMatrix(plan, output, name, matrix);
      if (summaries.includes(name)) totals.push(...geneSummary(name, genes.columns(plan.cellCount)));
    }
    if (totals.length > 0) await writeGenes(plan, output.part(names.genes), totals);
    await writeSamples(plan, output.part(names.samples));
    throwIfAborted(options.signal);
    await output.publish();
  } catch (error) {
    await output.discard(error);
    throw error;
  }
  return { samples, cells: parts.cells.rowCount - plan.cellCount };
}

async function writeCells({ parts, runs, cellCount, options }: DropPlan, to: Place): Promise<void> {
  const { signal } = options;
  const attributes = await storedAttributes(parts.cells);
  const writer = await FrameWriter.create(to, attributes, cellCount, signal);
  let done = 0;
  const onRows = (rows: number) => {
    done += rows;
    options.onProgress?.({ step: "cell_metadata", item: storeNames.cellMetadata, done, total: cellCount });
  };
  for (const { start, end } of runs) {
    await copyRows(parts.cells, attributes, [start, end], writer, { signal, onRows });
  }
  await writer.finish();
}

/** The genes with other totals. */
async function writeGenes(
  { parts, options }: DropPlan,
  to: Place,
  totals: readonly FormedColumn[],
): Promise<void> {
  const { signal } = options;
  const attributes = await storedAttributes(parts.genes);
  const { rowCount } = parts.genes;
  const writer = await FrameWriter.create(to, attributes, rowCount, signal);
  const replaced = new Map(totals.map(({ attribute, cells }) => [attribute.name, cells]));
  await copyRows(parts.genes, attributes, [0, rowCount], writer, { signal, replaced });
  await writer.finish();
}

async function writeSamples({ parts, kept, ranges, runs, options }: DropPlan, to: Place): Promise<void> {
  const attributes = await storedAttributes(parts.samples);
  const rows = await parts.samples.rows(Uint32Array.from(kept), undefined, options.signal);
  const columns = new Map<string, FrameColumn>(rows.columns);
  const lower = (cell: number) => cell - (runs.findLast((run) => run.start <= cell)?.shift ?? 0);
  const starts = kept.map((row) => lower(ranges[row]![0]));
  const ends = kept.map((row, at) => starts[at]! + ranges[row]![1] - ranges[row]![0]);
  columns.set(addedColumns.sampleStart, integers(starts));
  columns.set(addedColumns.sampleEnd, integers(ends));
  const frame = new Frame(rows.index, columns);
  const writer = await FrameWriter.create(to, attributes, kept.length, options.signal);
  await writer.append(attributes.map((attribute) => frameCells(frame, attribute, "sample metadata")));
  await writer.finish();
}

function integers(values: readonly number[]): FrameColumn {
  return { kind: "numeric", values: BigInt64Array.from(values, BigInt) };
}

/** Gives the totals of the genes over the cells that stay. */
async function writeMatrix(
  plan: DropPlan,
  output: BuildOutput,
  name: string,
  { array }: MatrixReader,
): Promise<GeneTotals> {
  const { location, options, parts } = plan;
  const { signal } = options;
  const to = output.part(`${storeNames.assays}/${name}`);
  await copySchema(matrixPlace(location, storeNames.assays, name), to);
  const shape = shapeOf(array);
  const [cell, gene] = shape.dimensions;
  const { state } = await openGeneMajor(geneMajorPlace(location, storeNames.assays, name), array, signal);
  const copyPart = output.geneMajorPart(name);
  const geneCount = parts.genes.rowCount;
  const copy = state === "none" ? null : new GeneMajorWriter({ ...copyPart, shape, geneCount, signal });
  const totals = geneTotals(shape.attribute.datatype, geneCount);
  const fragment = await openFragmentWriter(to, { signal });
  const append = async (cells: Uint32Array, genes: Uint32Array, values: TypedArray): Promise<void> => {
    const left = keptCells(plan.runs, cells, genes, values);
    if (left.cells.length === 0) return;
    await fragment.append({
      [cell]: coordinatesOf(left.cells, shape.cellType),
      [gene]: coordinatesOf(left.genes, shape.geneType),
      [shape.attribute.name]: left.values,
    });
    totals.add(left.genes, asNumbers(left.values));
    await copy?.append(left.cells, left.genes, left.values);
  };
  try {
    const total = array.fragments.reduce((sum, { cellCount }) => sum + cellCount, 0);
    const onCells = (done: number) => options.onProgress?.({ step: "matrix", item: name, done, total });
    await copyCells(array, shape, { append }, { signal, onCells });
    await fragment.finish();
    await copy?.finish(await openArray(to, { signal }));
    return totals;
  } catch (error) {
    await fragment.abort();
    await copy?.abort();
    throw error;
  }
}

/** Those of ascending cells that stay, by their new numbers. */
function keptCells(
  runs: readonly CellRun[],
  cells: Uint32Array,
  genes: Uint32Array,
  values: TypedArray,
): { cells: Uint32Array; genes: Uint32Array; values: TypedArray } {
  const numbers = new Uint32Array(cells.length);
  const keptGenes = new Uint32Array(cells.length);
  const keptValues = values.slice();
  let count = 0;
  for (const { start, end, shift } of runs) {
    const [from, to] = [lowerBound(cells, start), lowerBound(cells, end)];
    for (let at = from; at < to; at++) numbers[count + at - from] = cells[at]! - shift;
    keptGenes.set(genes.subarray(from, to), count);
    (keptValues as Float64Array).set(values.subarray(from, to) as Float64Array, count);
    count += to - from;
  }
  return {
    cells: numbers.subarray(0, count),
    genes: keptGenes.subarray(0, count),
    values: keptValues.subarray(0, count),
  };
}

/** Position of the first that is not below `value`. */
function lowerBound(sorted: Uint32Array, value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
