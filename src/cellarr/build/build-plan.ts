import { ArgumentError } from "../../errors.js";
import { resolveLocation } from "../../storage/resolve.js";
import type { StoreLocation, WritableStore } from "../../storage/types.js";
import { checkThreads } from "../../util/check-threads.js";
import { mapBounded } from "../../util/concurrency.js";
import { formOf, type MetadataForm } from "../columns/column-form.js";
import { checkOpenTypes, type ObsRequest } from "../columns/obs-columns.js";
import { checkIndexType, type IndexType } from "../layout.js";
import { checkSummaries, wantsSummaries } from "../summary/check-summaries.js";
import { cellTable, isAdded } from "./cell-table.js";
import { type Genes, geneTable } from "./gene-table.js";
import { type MatrixLayout, matrixLayouts } from "./matrix-schema.js";
import {
  type BuildOptions,
  type BuildProgress,
  type ResolvedMatrix,
  resolveFrameNames,
  resolveMatrices,
} from "./options.js";
import { type Samples, sampleTable } from "./sample-table.js";
import { type ScannedFile, scanFile } from "./scan.js";
import { readTable, type TypedTable, typedTable } from "./tables.js";

/** A build with everything looked up and checked, before anything is written. */

export interface BuildPlan {
  readonly options: BuildOptions;
  readonly location: StoreLocation<WritableStore>;
  readonly names: ReturnType<typeof resolveFrameNames>;
  readonly matrices: readonly ResolvedMatrix[];
  readonly files: readonly ScannedFile[];
  readonly genes: Genes;
  readonly samples: Samples;
  readonly geneTable: TypedTable;
  readonly sampleTable: TypedTable;
  /** What the caller gives as cell metadata; null where obs is taken. */
  readonly cellTable: TypedTable | null;
  readonly form: MetadataForm;
  /** Whether cell metadata and gene annotation get columns of what matrices add up to. */
  readonly summaries: boolean;
  readonly cellType: IndexType;
  readonly geneType: IndexType;
  readonly layout: MatrixLayout;
  /** Whether matrices get gene-major copies. */
  readonly geneMajor: boolean;
  readonly threads: number;
  /** Whether each array has one fragment in the end. */
  readonly optimize: boolean;
  readonly report: (progress: BuildProgress) => void;
}

export async function planBuild(options: BuildOptions): Promise<BuildPlan> {
  const location = resolveLocation(options.outputPath, options.storage);
  const names = resolveFrameNames(options);
  const matrices = resolveMatrices(options.matrixOptions).filter(({ skip }) => !skip);
  const threads = checkThreads(options.numThreads ?? 1, "numThreads");
  if (options.files.length === 0) throw new ArgumentError("files: at least one is needed");
  const report = (progress: BuildProgress) => options.onProgress?.(progress);
  const layout = checkLayout(options.layout);
  const form = formOf(options);
  checkSummaries(options, matrices);
  const files = await scanFiles(options, matrices, form, threads, report);
  const genes = await geneTable(options.geneAnnotation, files, options.storage);
  const given = options.sampleMetadata;
  const samples = sampleTable(
    given === undefined ? null : await readTable(given, "sample metadata", false, options.storage),
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
    geneTable: typedTable(genes.columns, options.geneAnnotationOptions?.columnTypes, form, "gene annotation"),
    sampleTable: typedTable(
      samples.columns,
      options.sampleMetadataOptions?.columnTypes,
      form,
      "sample metadata",
    ),
    cellTable: await cellTable(options, form, samples),
    form,
    summaries: wantsSummaries(options),
    cellType,
    geneType,
    layout,
    geneMajor: options.geneMajor !== false,
    threads,
    optimize: options.optimize !== false,
    report,
  };
}

/** Throws ArgumentError for what is no layout. */
export function checkLayout(layout: MatrixLayout = "compact"): MatrixLayout {
  if (matrixLayouts.includes(layout)) return layout;
  throw new ArgumentError(`layout is '${String(layout)}', expected ${matrixLayouts.join(", ")}`);
}

/** The columns of obs that the build stores, without those that it makes itself; null where it stores none. */
export function obsRequest(
  { cellMetadata, cellMetadataOptions }: BuildOptions,
  form: MetadataForm,
): ObsRequest | null {
  const types = cellMetadataOptions?.columnTypes;
  if (types === undefined || cellMetadata !== undefined || cellMetadataOptions?.skip) return null;
  return { types: Object.fromEntries(Object.entries(types).filter(([name]) => !isAdded(name))), form };
}

async function scanFiles(
  options: BuildOptions,
  matrices: readonly ResolvedMatrix[],
  form: MetadataForm,
  threads: number,
  report: (progress: BuildProgress) => void,
): Promise<ScannedFile[]> {
  const obs = obsRequest(options, form);
  const request = {
    matrixNames: matrices.map(({ matrixName }) => matrixName),
    featureColumn: options.geneAnnotationOptions?.featureColumn ?? "index",
    ...(obs !== null && { obs }),
  };
  const total = options.files.length;
  let done = 0;
  const files = await mapBounded(
    options.files,
    threads,
    async (input, position) => {
      const file = await scanFile(input, position, request);
      report({ step: "scan", item: file.name, done: ++done, total });
      return file;
    },
    options.signal,
  );
  if (obs !== null) checkOpenTypes(obs, files);
  return files;
}
