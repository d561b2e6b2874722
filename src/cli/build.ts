import "../node-platform.js";
import { existsSync, statSync } from "node:fs";
import { rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { buildCellArrDataset } from "../cellarr/build/build.js";
import { matrixLayouts } from "../cellarr/build/matrix-schema.js";
import type { BuildOptions, MatrixOptions } from "../cellarr/build/options.js";
import { metadataForms } from "../cellarr/columns/column-form.js";
import type { CellArrDataset } from "../cellarr/dataset.js";
import { ExistsError, isCellarrError, StorageError } from "../errors.js";
import { matrixDtypes } from "../h5ad/matrix.js";
import type { CommandContext } from "./context.js";
import { folderBytes } from "./folder-bytes.js";
import { type InputCommandOptions, misfitRule, showSteps, tableOptions } from "./input-options.js";
import { isUri } from "./open-store.js";
import { withTextSink } from "./output.js";
import { parseChoice, parseCount, parseTypedName } from "./parse.js";
import { withProgressBar } from "./progress.js";
import { formatBytes, formatDuration, plural } from "./table.js";

/** `cellarr build`: a store from H5AD files. */

export interface BuildCommandOptions extends InputCommandOptions {
  readonly out: string;
  readonly threads: string;
  readonly optimize: boolean;
  readonly layout: string;
  readonly metadata?: string;
  readonly summaries?: boolean;
  readonly geneIndex: boolean;
  readonly overwrite?: boolean;
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
  const { metadata } = options;
  return {
    outputPath: options.out,
    files,
    matrixOptions: matrixOptions(options),
    ...tableOptions(options),
    numThreads: parseCount(options.threads, "--threads", 1),
    optimize: options.optimize,
    layout: parseChoice(options.layout, matrixLayouts, "--layout"),
    ...(metadata !== undefined && { metadata: parseChoice(metadata, metadataForms, "--metadata") }),
    ...(options.summaries === false && { summaries: false }),
    geneMajor: options.geneIndex,
    overwrite: options.overwrite ?? false,
    resume: options.resume ?? false,
  };
}

function matrixOptions(options: BuildCommandOptions): MatrixOptions[] {
  const onMisfit = misfitRule(options);
  const named = options.matrix.length === 0 ? ["counts"] : options.matrix;
  return named.map((text) => {
    const { name, type } = parseTypedName(text, "--matrix", matrixDtypes);
    return { matrixName: name, onMisfit, ...(type !== undefined && { dtype: type }) };
  });
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

/** Builds with a progress bar. A folder that was not there before is gone again where the build fails. */
export async function buildWithProgress(
  options: BuildOptions,
  folder: string,
  context: CommandContext,
): Promise<CellArrDataset> {
  const isNew = !isUri(folder) && !existsSync(folder);
  if (!isUri(folder)) checkPlace(folder);
  try {
    return await withProgressBar((bar) =>
      buildCellArrDataset({ ...options, signal: context.signal, onProgress: showSteps(bar) }),
    );
  } catch (error) {
    // What went wrong first is what matters.
    if (isNew && !options.resume) await rm(folder, { recursive: true, force: true }).catch(() => {});
    if (!isCellarrError(error, "EXISTS")) throw error;
    throw new ExistsError("the folder holds a store already; --overwrite replaces it", {
      where: folder,
      cause: error,
    });
  }
}
