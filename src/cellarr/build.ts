import { consolidate } from "../array/consolidate/consolidate.js";
import { vacuum } from "../array/consolidate/vacuum.js";
import { createArray } from "../array/write/create.js";
import { createGroup } from "../array/write/group-io.js";
import { ArgumentError, throwIfAborted } from "../errors.js";
import { resolveLocation } from "../storage/resolve.js";
import type { StoreLocation, WritableStore } from "../storage/types.js";
import { mapBounded } from "../util/concurrency.js";
import { writeCellMetadata } from "./cell-table.js";
import { CellArrDataset } from "./dataset.js";
import { withSource } from "./file-sources.js";
import { FrameWriter } from "./frame-writer.js";
import { type Genes, genePositions, geneTable } from "./gene-table.js";
import { checkIndexType, matrixSchema, storeNames } from "./layout.js";
import { LazyFragment, writeMatrix } from "./matrix-writer.js";
import {
  type BuildOptions,
  type BuildProgress,
  type ResolvedMatrix,
  resolveFrameNames,
  resolveMatrices,
} from "./options.js";
import { BuildOutput } from "./output.js";
import { type Samples, sampleTable } from "./sample-table.js";
import { matrixGenes, type ScannedFile, scanFile } from "./scan.js";
import { readTable, type TypedTable, typedTable } from "./tables.js";

/**
 * Builds a store of many experiments:
 *
 * 1. scan all files for their genes; the set of them is `gene_annotation`,
 * 2. `sample_metadata`: a row per file,
 * 3. `cell_metadata`: a row per cell,
 * 4. each matrix of each file, renumbered to the store's genes, into cells x genes arrays of the group `assays`.
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
    geneAnnotationUri: names.genes,
    sampleMetadataUri: names.samples,
    cellMetadataUri: names.cells,
    assayUri: resolveMatrices(options.matrixOptions).map(({ tiledbStoreName }) => tiledbStoreName),
  });
}

/** Builds without opening: for builds in parts, where a `skip` option leaves the store incomplete for now. */
export async function buildCellArrStores(options: BuildOptions): Promise<void> {
  const plan = await planBuild(options);
  const targets = [
    ...(options.geneAnnotationOptions?.skip ? [] : [plan.names.genes]),
    ...(options.cellMetadataOptions?.skip ? [] : [plan.names.cells]),
    ...plan.matrices.map(({ tiledbStoreName }) => `${storeNames.assays}/${tiledbStoreName}`),
    ...(options.sampleMetadataOptions?.skip ? [] : [plan.names.samples]),
  ];
  const output = await BuildOutput.prepare(plan.location, { targets, overwrite: options.overwrite ?? false });
  try {
    await writeStores(plan, output);
    throwIfAborted(options.signal);
    await output.publish();
  } catch (error) {
    await output.discard(error);
    throw error;
  }
}

interface BuildPlan {
  readonly options: BuildOptions;
  readonly location: StoreLocation<WritableStore>;
  readonly names: ReturnType<typeof resolveFrameNames>;
  readonly matrices: readonly ResolvedMatrix[];
  readonly files: readonly ScannedFile[];
  readonly genes: Genes;
  readonly samples: Samples;
  readonly geneTable: TypedTable;
  readonly sampleTable: TypedTable;
  readonly cellType: NonNullable<NonNullable<BuildOptions["cellMetadataOptions"]>["dtype"]>;
  readonly geneType: NonNullable<NonNullable<BuildOptions["geneAnnotationOptions"]>["dtype"]>;
  readonly threads: number;
  readonly report: (progress: BuildProgress) => void;
}

async function planBuild(options: BuildOptions): Promise<BuildPlan> {
  const location = resolveLocation(options.outputPath);
  const names = resolveFrameNames(options);
  const matrices = resolveMatrices(options.matrixOptions).filter(({ skip }) => !skip);
  const threads = checkThreads(options.numThreads ?? 1);
  if (options.files.length === 0) throw new ArgumentError("files: at least one is needed");
  const report = (progress: BuildProgress) => options.onProgress?.(progress);
  const files = await scanFiles(options, matrices, threads, report);
  const genes = await geneTable(options.geneAnnotation, files);
  const given = options.sampleMetadata;
  const samples = sampleTable(
    given === undefined ? null : await readTable(given, "sample metadata", false),
    files,
  );
  const cellType = options.cellMetadataOptions?.dtype ?? "uint32";
  const geneType = options.geneAnnotationOptions?.dtype ?? "uint32";
  checkIndexType(cellType, samples.starts.at(-1)!, "cells");
  checkIndexType(geneType, genes.set.size, "genes");
  checkIndexType(options.sampleMetadataOptions?.dtype ?? "uint32", options.files.length, "samples");
  return {
    options,
    location,
    names,
    matrices,
    files,
    genes,
    samples,
    geneTable: typedTable(genes.columns, options.geneAnnotationOptions?.columnTypes, "gene annotation"),
    sampleTable: typedTable(samples.columns, options.sampleMetadataOptions?.columnTypes, "sample metadata"),
    cellType,
    geneType,
    threads,
    report,
  };
}

function checkThreads(threads: number): number {
  if (Number.isSafeInteger(threads) && threads > 0) return threads;
  throw new ArgumentError(`numThreads is ${threads}, expected a whole number from 1 on`);
}

async function scanFiles(
  options: BuildOptions,
  matrices: readonly ResolvedMatrix[],
  threads: number,
  report: (progress: BuildProgress) => void,
): Promise<ScannedFile[]> {
  const request = {
    matrixNames: matrices.map(({ matrixName }) => matrixName),
    featureColumn: options.geneAnnotationOptions?.featureColumn ?? "index",
  };
  const total = options.files.length;
  let done = 0;
  return mapBounded(
    options.files,
    threads,
    async (input, position) => {
      const file = await scanFile(input, position, request);
      report({ step: "scan", item: file.name, done: ++done, total });
      return file;
    },
    options.signal,
  );
}

async function writeStores(plan: BuildPlan, output: BuildOutput): Promise<void> {
  const { options, names, samples, genes } = plan;
  if (!options.geneAnnotationOptions?.skip) {
    await writeTable(plan, output, "gene_annotation", names.genes, plan.geneTable, genes.set.size);
  }
  if (!options.cellMetadataOptions?.skip) {
    const folder = output.part(names.cells);
    const fragments = await writeCellMetadata(folder, plan.files, samples, options, (done) =>
      plan.report({ step: "cell_metadata", item: names.cells, done, total: samples.starts.at(-1)! }),
    );
    await optimize(plan, folder, names.cells, fragments);
  }
  if (!output.keepsGroup) await createGroup(output.part(storeNames.assays));
  // Files of a fragment come one after another; then it is matrices that are in work at the same time.
  const matricesAtOnce = isOptimized(plan) ? plan.threads : 1;
  await mapBounded(
    plan.matrices,
    matricesAtOnce,
    (matrix) => writeAssay(plan, output, matrix),
    options.signal,
  );
  if (!options.sampleMetadataOptions?.skip) {
    await writeTable(plan, output, "sample_metadata", names.samples, plan.sampleTable, plan.files.length);
  }
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

/**
 * One matrix of all files. With `optimize` they go into one fragment, one after another: there is nothing to consolidate
 * then. Otherwise each file makes a fragment of its own, several files at a time.
 */
async function writeAssay(plan: BuildPlan, output: BuildOutput, matrix: ResolvedMatrix): Promise<void> {
  const { options, cellType, geneType } = plan;
  const folder = output.part(`${storeNames.assays}/${matrix.tiledbStoreName}`);
  const attribute = { name: matrix.matrixAttrName, datatype: matrix.dtype };
  await createArray(folder, matrixSchema(attribute, cellType, geneType), { signal: options.signal });
  const write = fileWriter(plan, matrix);
  if (isOptimized(plan)) {
    await inFragment(folder, options.signal, async (fragment) => {
      for (const at of plan.files.keys()) await write(at, fragment);
    });
    return;
  }
  const writeOne = (_: ScannedFile, at: number) =>
    inFragment(folder, options.signal, (fragment) => write(at, fragment));
  await mapBounded(plan.files, plan.threads, writeOne, options.signal);
}

async function inFragment(
  folder: StoreLocation<WritableStore>,
  signal: AbortSignal | undefined,
  write: (fragment: LazyFragment) => Promise<void>,
): Promise<void> {
  const fragment = new LazyFragment(folder, signal);
  try {
    await write(fragment);
    await fragment.finish();
  } catch (error) {
    await fragment.abort();
    throw error;
  }
}

/** Writes one file's cells of a matrix into a fragment, reporting the cells of all files that are done. */
function fileWriter(
  plan: BuildPlan,
  matrix: ResolvedMatrix,
): (at: number, fragment: LazyFragment) => Promise<void> {
  const { cellType, geneType, samples, genes, options } = plan;
  const done = new Array<number>(plan.files.length).fill(0);
  const total = samples.starts.at(-1)!;
  return (at, fragment) => {
    throwIfAborted(options.signal);
    const file = plan.files[at]!;
    const onCells = (count: number) => {
      done[at] = count;
      const cells = done.reduce((sum, one) => sum + one, 0);
      plan.report({ step: "matrix", item: matrix.tiledbStoreName, done: cells, total });
    };
    const positions = genePositions(genes.set, matrixGenes(file, matrix.matrixName));
    const task = { fileName: file.name, matrix, positions, genes: genes.set, fragment, cellType, geneType };
    return withSource(file.input, (source) =>
      writeMatrix({ ...task, source, cellOffset: samples.starts[at]!, signal: options.signal, onCells }),
    );
  };
}

function isOptimized(plan: BuildPlan): boolean {
  return plan.options.optimize !== false;
}

/** One fragment instead of several, as Python's `optimize_tiledb`. */
async function optimize(
  plan: BuildPlan,
  folder: StoreLocation<WritableStore>,
  item: string,
  fragments: number,
): Promise<void> {
  if (!isOptimized(plan) || fragments < 2) return;
  plan.report({ step: "optimize", item, done: 0, total: 1 });
  await consolidate(folder, { signal: plan.options.signal });
  await vacuum(folder, { signal: plan.options.signal });
  plan.report({ step: "optimize", item, done: 1, total: 1 });
}
