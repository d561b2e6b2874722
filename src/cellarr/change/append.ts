import { consolidate } from "../../array/consolidate/consolidate.js";
import { vacuum } from "../../array/consolidate/vacuum.js";
import { openArray } from "../../array/open.js";
import { StorageError, throwIfAborted } from "../../errors.js";
import { resolveLocation } from "../../storage/resolve.js";
import type { StoreLocation } from "../../storage/types.js";
import { BuildOutput } from "../build/output.js";
import { type Place, restoreInterrupted } from "../build/staging.js";
import { geneMajorPlace, openGeneMajor } from "../by-gene/gene-major-state.js";
import { indexDataset } from "../by-gene/index-dataset.js";
import { openParts } from "../dataset-parts.js";
import { withRemoteInputs } from "../inputs/remote-inputs.js";
import { columnsOfOurs, writeLonger, writeLongerCells } from "./append-frames.js";
import { type LongerCopy, placeLongerCopy, writeMatrixCells } from "./append-matrix.js";
import { type AppendPlan, planAppend } from "./append-plan.js";
import { AppendedSummaries } from "./append-summaries.js";
import type { AppendOptions, AppendResult } from "./change-options.js";
import { PlacedFragments } from "./placed-fragments.js";
import { changeStore } from "./store-lock.js";
import { frameNames, groupOf } from "./store-places.js";

/**
 * Files behind those that a store has. Frames are dense arrays with as many rows as their domain, so longer ones are made
 * beside them; matrices get a fragment. All is made in a staging folder and takes its place at the end, in this order:
 *
 * 1. the sample metadata leave their place, so that nothing opens, then the other frames,
 * 2. the fragments move to their matrices, and their commit files are written,
 * 3. the new frames take their places, the sample metadata last,
 * 4. gene-major copies get their fragments; until then they do not count as up to date and are not used.
 *
 * What fails is taken back. A process that is killed in 1 to 3 leaves a store that does not open; the next change takes it
 * back before it does anything else. Whoever has the store open opens it anew: frames that it had not read are gone.
 */

/**
 * Appends files to a store, whoever built it. Genes keep their numbers, new ones come behind them; so do cells and
 * samples. Memory as for a build.
 *
 * Throws NotFoundError, ArgumentError, ValueError, FormatError as a build does; ExistsError while another change of the
 * store is under way or a sample of that name is there; AbortedError. The store is then what it was.
 */
export async function appendToDataset(
  path: string | StoreLocation,
  options: AppendOptions,
): Promise<AppendResult> {
  const location = resolveLocation(path, options.storage);
  return withRemoteInputs(options.files, options, (files) =>
    changeStore(location, options.breakLock ?? false, () => append(location, { ...options, files })),
  );
}

async function append(location: Place, options: AppendOptions): Promise<AppendResult> {
  await restoreInterrupted(location);
  const plan = await planAppend(await openParts(location, options), location, options);
  const fragments: { placed?: PlacedFragments } = {};
  const names = frameNames(options);
  const output = await BuildOutput.prepare(location, {
    targets: [...(changesGenes(plan) ? [names.genes] : []), names.cells, names.samples],
    matrices: [],
    overwrite: true,
    keepsGroup: true,
    between: {
      run: async () => fragments.placed?.place(),
      undo: async () => fragments.placed?.undo(),
    },
  });
  let copies: LongerCopy[];
  try {
    fragments.placed = new PlacedFragments(output.workPart());
    copies = await writeParts(plan, output, location, fragments.placed);
    await fragments.placed.note();
    throwIfAborted(options.signal);
    await output.publish(() => placeCopies(plan, copies));
  } catch (error) {
    await output.discard(error);
    throw error;
  }
  await tidyMatrices(plan, location).catch((error: unknown) => {
    throw afterAppending(error);
  });
  const { names: samples, starts } = plan.samples;
  return { samples, newCells: starts.at(-1)!, newGenes: plan.newGenes.rowCount };
}

/** New genes get rows, and all genes other totals. */
function changesGenes({ newGenes, summaries }: AppendPlan): boolean {
  return newGenes.rowCount > 0 || summaries.length > 0;
}

async function writeParts(
  plan: AppendPlan,
  output: BuildOutput,
  location: Place,
  placed: PlacedFragments,
): Promise<LongerCopy[]> {
  const { options, parts } = plan;
  const { signal } = options;
  const names = frameNames(options);
  const summaries = await AppendedSummaries.start(plan, output);
  const copies: LongerCopy[] = [];
  try {
    for (const matrix of plan.matrices) {
      const summary = summaries.of(matrix.name);
      const { made, copy } = await writeMatrixCells(plan, output, matrix, location, summary);
      await placed.add(made, matrix.place);
      if (copy !== null) copies.push(copy);
    }
    await summaries.finish();
  } catch (error) {
    await summaries.abort();
    throw error;
  }
  if (changesGenes(plan)) {
    await writeLonger(output.part(names.genes), parts.genes, plan.newGenes, {
      types: options.geneAnnotationOptions?.columnTypes,
      added: columnsOfOurs,
      replaced: summaries.geneCells(),
      signal,
    });
  }
  await writeLongerCells(output.part(names.cells), plan, summaries.cells);
  await writeLonger(output.part(names.samples), parts.samples, plan.sampleRows, {
    types: options.sampleMetadataOptions?.columnTypes,
    added: columnsOfOurs,
    signal,
  });
  return copies;
}

/** A copy that could not be placed is not up to date, and is made anew afterwards. */
async function placeCopies({ matrices }: AppendPlan, copies: readonly LongerCopy[]): Promise<void> {
  for (const copy of copies) {
    const { place } = matrices.find(({ name }) => name === copy.matrix)!;
    await placeLongerCopy(copy, await openArray(place)).catch(() => {});
  }
}

/** The caller must not take it for an append that can be tried again. */
function afterAppending(error: unknown): StorageError {
  const reason = error instanceof Error ? error.message : String(error);
  return new StorageError(`the files were appended, but tidying up after that failed: ${reason}`, {
    cause: error,
  });
}

/** One fragment per matrix where that is asked for, and copies that are not up to date made anew. */
async function tidyMatrices(plan: AppendPlan, location: Place): Promise<void> {
  const { options } = plan;
  const { signal, onProgress } = options;
  const stale: string[] = [];
  for (const { name, place } of plan.matrices) {
    if (options.optimize) {
      onProgress?.({ step: "optimize", item: name, done: 0, total: 1 });
      await consolidate(place, { signal });
      await vacuum(place, { signal });
      onProgress?.({ step: "optimize", item: name, done: 1, total: 1 });
    }
    const copyPlace = geneMajorPlace(location, groupOf(options), name);
    const { state } = await openGeneMajor(copyPlace, await openArray(place, { signal }), signal);
    if (state === "stale" || state === "unusable") stale.push(name);
  }
  if (stale.length === 0) return;
  await indexDataset(location, {
    assayTiledbGroup: options.assayTiledbGroup,
    assayUri: stale,
    signal,
    onProgress: ({ matrix, done, total }) => onProgress?.({ step: "gene_major", item: matrix, done, total }),
  });
}
