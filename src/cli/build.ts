import "../node-platform.js";
import { existsSync, statSync } from "node:fs";
import { rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { buildCellArrDataset } from "../cellarr/build/build.js";
import type { MisfitRule } from "../cellarr/build/fit-values.js";
import { matrixLayouts } from "../cellarr/build/matrix-schema.js";
import {
  type BuildOptions,
  type BuildStep,
  type MatrixOptions,
  matrixDtypes,
  misfitRules,
} from "../cellarr/build/options.js";
import { metadataForms } from "../cellarr/columns/column-form.js";
import type { CellArrDataset } from "../cellarr/dataset.js";
import { type ColumnType, columnTypes } from "../cellarr/frames/column-types.js";
import { ExistsError, isCellarrError, NotFoundError, StorageError } from "../errors.js";
import type { CommandContext } from "./context.js";
import { folderBytes } from "./folder-bytes.js";
import { isUri } from "./open-store.js";
import { withTextSink } from "./output.js";
import { parseCount, parseTypedName } from "./parse.js";
import { createProgressBar } from "./progress.js";
import { formatBytes, formatDuration, plural } from "./table.js";
import { UsageError } from "./usage.js";

/** `cellarr build`: a store from H5AD files. */

export interface BuildCommandOptions {
  readonly out: string;
  readonly matrix: readonly string[];
  readonly cellColumn: readonly string[];
  readonly featureColumn?: string;
  readonly geneAnnotation?: string;
  readonly sampleMetadata?: string;
  readonly cellMetadata?: string;
  readonly misfit: string;
  readonly threads: string;
  readonly optimize: boolean;
  readonly layout: string;
  readonly metadata?: string;
  readonly summaries?: boolean;
  readonly geneIndex: boolean;
  readonly overwrite?: boolean;
  readonly json?: boolean;
  readonly dryRun?: boolean;
  readonly resume?: boolean;
}

export async function runBuild(
  files: readonly string[],
  options: BuildCommandOptions,
  context: CommandContext,
): Promise<void> {
  const build = { ...buildOptions(files, options), storage: context.storage };
  if (options.dryRun) {
    const { runDryRun } = await import("./dry-run.js");
    return runDryRun(build, options.json ?? false, context);
  }
  const start = performance.now();
  const dataset = await buildWithProgress(build, options.out, context);
  const bytes = await folderBytes(options.out, context);
  const text = options.json
    ? JSON.stringify({
        store: options.out,
        shape: [...dataset.shape],
        matrices: [...dataset.matrixNames],
        bytes,
      })
    : `${options.out}: ${plural(dataset.shape[0], "cell")} x ${plural(dataset.shape[1], "gene")}, ` +
      `${plural(dataset.matrixNames.length, "matrix", "matrices")} (${dataset.matrixNames.join(", ")}), ` +
      `${formatBytes(bytes ?? 0)}, ${formatDuration(performance.now() - start)}`;
  await withTextSink(undefined, context.signal, async (sink) => {
    await sink.write(`${text}\n`);
  });
}

function buildOptions(files: readonly string[], options: BuildCommandOptions): BuildOptions {
  const onMisfit = misfitRules.find((rule) => rule === options.misfit);
  if (onMisfit === undefined) {
    throw new UsageError(`--misfit ${options.misfit}: expected ${misfitRules.join(", ")}`);
  }
  const layout = matrixLayouts.find((name) => name === options.layout);
  if (layout === undefined) {
    throw new UsageError(`--layout ${options.layout}: expected ${matrixLayouts.join(" or ")}`);
  }
  const metadata = metadataForms.find((name) => name === options.metadata);
  if (metadata === undefined && options.metadata !== undefined) {
    throw new UsageError(`--metadata ${options.metadata}: expected ${metadataForms.join(" or ")}`);
  }
  const { geneAnnotation, sampleMetadata, cellMetadata, featureColumn } = options;
  return {
    outputPath: options.out,
    files,
    matrixOptions: matrixOptions(options.matrix, onMisfit),
    ...(geneAnnotation !== undefined && { geneAnnotation: checkFile(geneAnnotation, "--gene-annotation") }),
    ...(sampleMetadata !== undefined && { sampleMetadata: checkFile(sampleMetadata, "--sample-metadata") }),
    ...(cellMetadata !== undefined && { cellMetadata: checkFile(cellMetadata, "--cell-metadata") }),
    ...(featureColumn !== undefined && { geneAnnotationOptions: { featureColumn } }),
    ...(options.cellColumn.length > 0 && {
      cellMetadataOptions: { columnTypes: cellColumns(options.cellColumn) },
    }),
    numThreads: parseCount(options.threads, "--threads", 1),
    optimize: options.optimize,
    layout,
    ...(metadata !== undefined && { metadata }),
    ...(options.summaries === false && { summaries: false }),
    geneMajor: options.geneIndex,
    overwrite: options.overwrite ?? false,
    resume: options.resume ?? false,
  };
}

function matrixOptions(texts: readonly string[], onMisfit: MisfitRule): MatrixOptions[] {
  const named = texts.length === 0 ? ["counts"] : texts;
  return named.map((text) => {
    const { name, type } = parseTypedName(text, "--matrix", matrixDtypes);
    return { matrixName: name, onMisfit, ...(type !== undefined && { dtype: type }) };
  });
}

export function cellColumns(texts: readonly string[]): Record<string, ColumnType> {
  const types = Object.keys(columnTypes) as ColumnType[];
  const parsed = texts.map((text) => parseTypedName(text, "--cell-column", types));
  return Object.fromEntries(parsed.map(({ name, type }) => [name, type ?? "ascii"]));
}

function checkFile(path: string, option: string): string {
  if (isUri(path) || existsSync(path)) return path;
  throw new NotFoundError(`${option}: no such file`, { where: path });
}

/** A file where a folder is needed is said by its name, not by that of the first file below it. */
function checkPlace(folder: string): void {
  let place = resolve(folder);
  while (!existsSync(place) && place !== dirname(place)) place = dirname(place);
  if (statSync(place).isDirectory()) return;
  throw new StorageError("cannot make a store: there is a file, expected a folder or nothing", {
    where: place,
  });
}

export const stepLabels: Record<BuildStep, string> = {
  download: "downloading",
  scan: "scanning files",
  gene_annotation: "writing genes",
  sample_metadata: "writing samples",
  cell_metadata: "writing cells",
  matrix: "writing",
  gene_major: "writing by gene",
  optimize: "consolidating",
};

/** Builds with a progress bar. A folder that was not there before is gone again where the build fails. */
export async function buildWithProgress(
  options: BuildOptions,
  folder: string,
  context: CommandContext,
): Promise<CellArrDataset> {
  const isNew = !isUri(folder) && !existsSync(folder);
  if (!isUri(folder)) checkPlace(folder);
  const bar = await createProgressBar();
  try {
    return await buildCellArrDataset({
      ...options,
      signal: context.signal,
      onProgress: ({ step, item, done, total }) => {
        const label = step === "matrix" ? `${stepLabels.matrix} ${item}` : stepLabels[step];
        bar.update(label, done, total);
      },
    });
  } catch (error) {
    // What went wrong first is what matters.
    if (isNew && !options.resume) await rm(folder, { recursive: true, force: true }).catch(() => {});
    if (!isCellarrError(error, "EXISTS")) throw error;
    throw new ExistsError("the folder holds a store already; --overwrite replaces it", {
      where: folder,
      cause: error,
    });
  } finally {
    bar.stop();
  }
}
