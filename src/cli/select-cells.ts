import type { CellArrDataset, SliceOrder } from "../cellarr/dataset.js";
import { type RowSelection, slice } from "../cellarr/selection.js";
import { NotFoundError, OutOfDomainError } from "../errors.js";
import { type CellRun, parseCells, parseWhere } from "./parse.js";

/** Which cells a query means: --cells in the order given, of which --where and --sample keep some. */

/** What --order takes. */
export const sliceOrders = ["store", "asked"] as const satisfies readonly SliceOrder[];

export interface CellOptions {
  readonly cells?: string;
  readonly where?: string;
  readonly sample?: string;
}

export async function selectCells(
  dataset: CellArrDataset,
  options: CellOptions,
  signal: AbortSignal,
): Promise<RowSelection> {
  const runs = options.cells === undefined ? undefined : parseCells(options.cells);
  const kept = await keptCells(dataset, options, signal);
  if (kept === undefined) return runs === undefined ? slice() : runSelection(dataset, runs);
  if (runs === undefined) return kept;
  const wanted = new Set(kept);
  return expandRuns(dataset, runs).filter((cell) => wanted.has(cell));
}

/** Ascending; undefined where neither condition nor sample was given. */
async function keptCells(
  dataset: CellArrDataset,
  { where, sample }: CellOptions,
  signal: AbortSignal,
): Promise<Uint32Array | undefined> {
  const matching = where === undefined ? undefined : await matchingCells(dataset, where, signal);
  if (sample === undefined) return matching;
  const samples = await dataset.getSampleRanges();
  const found = samples.find(({ name }) => name === sample);
  if (found === undefined) {
    const names = samples.map(({ name }) => `'${name}'`).join(", ");
    throw new NotFoundError(`no sample '${sample}', expected one of: ${names}`, { where: dataset.uri });
  }
  const { start, end } = found;
  if (matching !== undefined) return matching.filter((cell) => cell >= start && cell <= end);
  return Uint32Array.from({ length: Math.max(0, end - start + 1) }, (_, i) => start + i);
}

async function matchingCells(
  dataset: CellArrDataset,
  where: string,
  signal: AbortSignal,
): Promise<Uint32Array> {
  parseWhere(where);
  const { cellIndices } = await dataset.getSliceRows(where, [], { signal });
  return cellIndices;
}

function runSelection(dataset: CellArrDataset, runs: readonly CellRun[]): RowSelection {
  const [run, ...others] = runs;
  return run !== undefined && others.length === 0 ? slice(run.start, run.end) : expandRuns(dataset, runs);
}

function expandRuns(dataset: CellArrDataset, runs: readonly CellRun[]): Uint32Array {
  const last = dataset.numberOfCells - 1;
  const cells: number[] = [];
  for (const { start, end } of runs) {
    // Checked before memory is taken for what was asked.
    if (Math.max(start, end ?? 0) > last) {
      throw new OutOfDomainError(`cell ${Math.max(start, end ?? 0)} does not exist, expected 0 to ${last}`, {
        where: dataset.uri,
      });
    }
    for (let cell = start; cell <= (end ?? last); cell++) cells.push(cell);
  }
  return Uint32Array.from(cells);
}
