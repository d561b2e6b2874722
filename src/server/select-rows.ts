import { parseCondition } from "../array/condition/query-condition-parser.js";
import type { CellArrDataset } from "../cellarr/dataset.js";
import type { RowSelection } from "../cellarr/selection.js";
import { ArgumentError, isCellarrError, NotFoundError, OutOfDomainError } from "../errors.js";
import { type TextColumn, textValues } from "../util/frame.js";
import type { Parameters, Run } from "./parameters.js";
import { RequestLimitError } from "./problem.js";

/**
 * Which rows a request means, as numbers in the store: those that are listed, in their order, or all; of these the
 * ones for which a condition holds.
 */

export interface Selecting {
  readonly dataset: CellArrDataset;
  readonly parameters: Parameters;
  /** Rows that a request may list. */
  readonly maxListed: number;
  readonly signal: AbortSignal;
}

/** By `cells`, `where` and `sample`. */
export async function selectCells(request: Selecting): Promise<Uint32Array> {
  const { dataset, parameters, signal } = request;
  const count = dataset.numberOfCells;
  const listed = expand("cell", parameters.runs("cells"), count, request.maxListed);
  const sample = parameters.text("sample");
  const run = sample === undefined ? null : await sampleRun(dataset, sample, signal);
  const matching = await matchingRows(parameters.text("where"), async (condition) => {
    return numbersOf((await dataset.getCellSubset(condition, [], { signal })).index);
  });
  const kept = run === null ? matching : within(matching, run);
  return keep(listed, kept, count);
}

/** By `genes` and a condition named `where`; in the store's order unless `order` is "asked". */
export async function selectGenes(request: Selecting, where: string): Promise<Uint32Array> {
  const { dataset, parameters, signal } = request;
  const names = parameters.list("genes");
  const order = parameters.choice("order", ["store", "asked"]);
  const rows = async (genes: RowSelection) =>
    (await dataset.getSliceRows([], genes, { order, signal })).geneIndices;
  const listed = names === undefined ? null : await rows(names);
  const matching = await matchingRows(parameters.text(where), rows);
  return keep(listed, matching, dataset.numberOfFeatures);
}

/** The same, and by `rows` and `prefix` of the names. */
export async function searchGenes(request: Selecting): Promise<Uint32Array> {
  const { dataset, parameters } = request;
  const count = dataset.numberOfFeatures;
  const found = await selectGenes(request, "where");
  const rows = expand("gene", parameters.runs("rows"), count, request.maxListed);
  const inRows = rows === null ? found : keep(found, rows, count);
  const prefix = parameters.text("prefix")?.toLowerCase();
  if (prefix === undefined) return inRows;
  const names = await dataset.getGeneAnnotationIndex();
  return inRows.filter((gene) => names[gene]!.toLowerCase().startsWith(prefix));
}

/** By `samples`, `rows` and `where`. */
export async function selectSamples(request: Selecting): Promise<Uint32Array> {
  const { dataset, parameters, signal } = request;
  const count = dataset.numberOfSamples;
  const rowsOf = async (samples: RowSelection) =>
    numbersOf((await dataset.getSampleSubset(samples, [], { signal })).index);
  const names = parameters.list("samples");
  const named = names === undefined ? null : await rowsOf(names);
  const listed = expand("sample", parameters.runs("rows"), count, request.maxListed);
  const both = named === null || listed === null ? (named ?? listed) : keep(named, listed, count);
  return keep(both, await matchingRows(parameters.text("where"), rowsOf), count);
}

/** Null where there is no condition. What a condition names and is not there is the condition's fault. */
async function matchingRows(
  text: string | undefined,
  rowsOf: (condition: RowSelection) => Promise<Uint32Array>,
): Promise<Uint32Array | null> {
  if (text === undefined) return null;
  const condition = parseCondition(text);
  try {
    return await rowsOf(condition);
  } catch (error) {
    const isOurs = isCellarrError(error, "NOT_FOUND") || isCellarrError(error, "UNSUPPORTED");
    if (!isOurs || !error.problem.startsWith("condition")) throw error;
    throw new ArgumentError(error.problem, { cause: error });
  }
}

async function sampleRun(
  dataset: CellArrDataset,
  name: string,
  signal: AbortSignal,
): Promise<{ first: number; end: number }> {
  const found = (await dataset.getSampleRanges({ signal })).find((sample) => sample.name === name);
  if (found === undefined) throw new NotFoundError(`no sample of that name: '${name}'`);
  return { first: found.start, end: Math.min(dataset.numberOfCells, Math.max(found.start, found.end + 1)) };
}

function within(rows: Uint32Array | null, { first, end }: { first: number; end: number }): Uint32Array {
  if (rows !== null) return rows.filter((row) => row >= first && row < end);
  return Uint32Array.from({ length: end - first }, (_, at) => first + at);
}

/** Those of `listed` (null: all rows) that are among `kept` (null: any). */
function keep(listed: Uint32Array | null, kept: Uint32Array | null, count: number): Uint32Array {
  if (listed === null) return kept ?? Uint32Array.from({ length: count }, (_, row) => row);
  if (kept === null) return listed;
  const mask = new Uint8Array(count);
  for (const row of kept) mask[row] = 1;
  return listed.filter((row) => mask[row] === 1);
}

/** Checked before memory is taken for what was asked. */
function expand(what: string, runs: Run[] | undefined, count: number, most: number): Uint32Array | null {
  if (runs === undefined) return null;
  let total = 0;
  for (const { first, last } of runs) {
    const highest = Math.max(first, last ?? 0);
    if (highest >= count) {
      const expected = count === 0 ? "there are none" : `expected 0 to ${count - 1}`;
      throw new OutOfDomainError(`${what} ${highest} does not exist, ${expected}`);
    }
    total += (last ?? count - 1) - first + 1;
  }
  if (total > most) {
    throw new RequestLimitError("values", most, `${total} ${what}s are listed, at most ${most}`);
  }
  const rows = new Uint32Array(total);
  let at = 0;
  for (const { first, last } of runs) {
    for (let row = first; row <= (last ?? count - 1); row++) rows[at++] = row;
  }
  return rows;
}

/** Frames name their rows by their numbers in the store. */
function numbersOf(index: TextColumn): Uint32Array {
  return Uint32Array.from(textValues(index), Number);
}
