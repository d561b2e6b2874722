import { consolidate } from "../../array/consolidate/consolidate.js";
import { vacuum } from "../../array/consolidate/vacuum.js";
import { objectType } from "../../array/open.js";
import { createGroup } from "../../array/write/group-io.js";
import { throwIfAborted } from "../../errors.js";
import type { StoreLocation, WritableStore } from "../../storage/types.js";
import { mapBounded } from "../../util/concurrency.js";
import { CellArrDataset } from "../dataset.js";
import { FrameWriter } from "../frames/frame-writer.js";
import { withRemoteInputs } from "../inputs/remote-inputs.js";
import { storeNames } from "../layout.js";
import { CellSummaries } from "../summary/cell-summaries.js";
import { MatrixSummary } from "../summary/matrix-summary.js";
import { writeAssay } from "./build-matrix.js";
import { type BuildPlan, planBuild } from "./build-plan.js";
import { fingerprintOf, resumeAssay } from "./build-resume.js";
import { writeCellMetadata } from "./cell-table.js";
import { type BuildOptions, resolveFrameNames, resolveMatrices } from "./options.js";
import { BuildOutput } from "./output.js";
import { extendTable, type TypedTable } from "./tables.js";

/**
 * Builds a store of many experiments:
 *
 * 1. scan all files for their genes and columns,
 * 2. each matrix of each file, renumbered to the store's genes, into cells x genes arrays of the group `assays`,
 *    and gene-major copies of these into `assays_by_gene`,
 * 3. `gene_annotation`: the set of all genes, with what the matrices add up to,
 * 4. `cell_metadata`: a row per cell, with what the matrices add up to,
 * 5. `sample_metadata`: a row per file.
 *
 * All options, names, genes and the presence of matrices are checked before anything is written. The arrays are made in
 * a folder of their own and take their places in the end (output.ts): a build that fails leaves what was there before.
 */

/**
 * Builds and opens the store. Memory does not grow with the number of cells, except for what the caller hands over in
 * memory and 8 bytes a cell for the columns that cellarr adds to given cell metadata.
 *
 * Throws ExistsError (the folder has such a store), NotFoundError (file, matrix, column), ArgumentError (options),
 * ValueError (a value does not fit, naming where it is), FormatError (a corrupt file), AbortedError.
 */
export async function buildCellArrDataset(options: BuildOptions): Promise<CellArrDataset> {
  await buildCellArrStores(options);
  const names = resolveFrameNames(options);
  return CellArrDataset.open(options.outputPath, {
    storage: options.storage,
    geneAnnotationUri: names.genes,
    sampleMetadataUri: names.samples,
    cellMetadataUri: names.cells,
    assayUri: resolveMatrices(options.matrixOptions).map(({ tiledbStoreName }) => tiledbStoreName),
  });
}

/** Builds without opening: for builds in parts, where a `skip` option leaves the store incomplete for now. */
export async function buildCellArrStores(options: BuildOptions): Promise<void> {
  await withRemoteInputs(options.files, options, (files) => buildStores({ ...options, files }));
}

async function buildStores(options: BuildOptions): Promise<void> {
  const plan = await planBuild(options);
  const targets = [
    ...(options.geneAnnotationOptions?.skip ? [] : [plan.names.genes]),
    ...(options.cellMetadataOptions?.skip ? [] : [plan.names.cells]),
    ...plan.matrices.map(({ tiledbStoreName }) => `${storeNames.assays}/${tiledbStoreName}`),
    ...(options.sampleMetadataOptions?.skip ? [] : [plan.names.samples]),
  ];
  const overwrite = options.overwrite ?? false;
  const matrices = plan.matrices.map(({ tiledbStoreName }) => tiledbStoreName);
  const output = await BuildOutput.prepare(plan.location, {
    targets,
    matrices,
    overwrite,
    ...(options.resume && { resume: await fingerprintOf(plan) }),
  });
  try {
    await writeStores(plan, output);
    throwIfAborted(options.signal);
    await output.publish();
  } catch (error) {
    await output.discard(error);
    throw error;
  }
}

async function writeStores(plan: BuildPlan, output: BuildOutput): Promise<void> {
  const { options, names, samples, genes } = plan;
  const group = output.part(storeNames.assays);
  if (!output.keepsGroup && (await objectType(group)) === null) await createGroup(group);
  const summaries = await writeMatrices(plan, output);
  const cellCount = samples.starts.at(-1)!;
  if (!options.geneAnnotationOptions?.skip) {
    const table = extendTable(
      plan.geneTable,
      summaries.flatMap((matrix) => matrix.geneColumns(cellCount)),
    );
    await writeTable(plan, output, "gene_annotation", names.genes, table, genes.set.size);
  }
  if (!options.cellMetadataOptions?.skip) {
    const folder = output.part(names.cells);
    const fragments = await writeCellMetadata(folder, plan, new CellSummaries(summaries), (done) =>
      plan.report({ step: "cell_metadata", item: names.cells, done, total: cellCount }),
    );
    await optimize(plan, folder, names.cells, fragments);
  }
  if (!options.sampleMetadataOptions?.skip) {
    await writeTable(plan, output, "sample_metadata", names.samples, plan.sampleTable, plan.files.length);
  }
}

/** Writes all matrices; gives what each of them adds up to, nothing where that is not wanted. */
async function writeMatrices(plan: BuildPlan, output: BuildOutput): Promise<MatrixSummary[]> {
  const { matrices, genes, options } = plan;
  const { geneAnnotationOptions, cellMetadataOptions } = options;
  const wanted = plan.summaries && !(geneAnnotationOptions?.skip && cellMetadataOptions?.skip);
  // Files of a fragment come one after another; then it is matrices that are in work at the same time.
  const matricesAtOnce = plan.optimize ? plan.threads : 1;
  const summaries = await mapBounded(
    matrices,
    matricesAtOnce,
    async (matrix) => {
      const { tiledbStoreName: name, dtype } = matrix;
      const place = output.workPart("totals", name);
      const summary = wanted ? new MatrixSummary({ name, dtype, geneCount: genes.set.size, place }) : null;
      await (options.resume ? resumeAssay : writeAssay)(plan, output, matrix, summary);
      return summary;
    },
    options.signal,
  );
  return summaries.filter((summary) => summary !== null);
}

async function writeTable(
  plan: BuildPlan,
  output: BuildOutput,
  step: "gene_annotation" | "sample_metadata",
  name: string,
  table: TypedTable,
  rows: number,
): Promise<void> {
  const writer = await FrameWriter.create(output.part(name), table.attributes, rows, plan.options.signal);
  await writer.append(table.columns);
  await writer.finish();
  plan.report({ step, item: name, done: rows, total: rows });
}

/** One fragment instead of several, as Python's `optimize_tiledb`. */
async function optimize(
  plan: BuildPlan,
  folder: StoreLocation<WritableStore>,
  item: string,
  fragments: number,
): Promise<void> {
  if (!plan.optimize || fragments < 2) return;
  plan.report({ step: "optimize", item, done: 0, total: 1 });
  await consolidate(folder, { signal: plan.options.signal });
  await vacuum(folder, { signal: plan.options.signal });
  plan.report({ step: "optimize", item, done: 1, total: 1 });
}
