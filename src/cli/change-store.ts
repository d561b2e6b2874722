import "../node-platform.js";
import { existsSync } from "node:fs";
import { misfitRules } from "../cellarr/build/options.js";
import { appendToDataset } from "../cellarr/change/append.js";
import { dropSample } from "../cellarr/change/drop-sample.js";
import { NotFoundError } from "../errors.js";
import { cellColumns, stepLabels } from "./build.js";
import type { CommandContext } from "./context.js";
import { checkStore, isUri } from "./open-store.js";
import { withTextSink } from "./output.js";
import { createProgressBar, type ProgressBar } from "./progress.js";
import { plural } from "./table.js";
import { UsageError } from "./usage.js";

/** `cellarr append` and `cellarr drop-sample`: changes of a store that is there. */

export interface AppendCommandOptions {
  readonly matrix: readonly string[];
  readonly cellColumn: readonly string[];
  readonly featureColumn?: string;
  readonly geneAnnotation?: string;
  readonly sampleMetadata?: string;
  readonly cellMetadata?: string;
  readonly newGenes: string;
  readonly misfit: string;
  readonly optimize?: boolean;
  readonly breakLock?: boolean;
  readonly json?: boolean;
}

const newGeneRules = ["add", "ignore", "error"] as const;

export async function runAppend(
  store: string,
  files: readonly string[],
  options: AppendCommandOptions,
  context: CommandContext,
): Promise<void> {
  await checkStore(store);
  const onMisfit = misfitRules.find((rule) => rule === options.misfit);
  if (onMisfit === undefined)
    throw new UsageError(`--misfit ${options.misfit}: expected ${misfitRules.join(", ")}`);
  const newGenes = newGeneRules.find((rule) => rule === options.newGenes);
  if (newGenes === undefined) {
    throw new UsageError(`--new-genes ${options.newGenes}: expected ${newGeneRules.join(", ")}`);
  }
  const { geneAnnotation, sampleMetadata, cellMetadata, featureColumn } = options;
  const result = await withBar((bar) =>
    appendToDataset(store, {
      files,
      newGenes,
      onMisfit,
      ...(options.matrix.length > 0 && {
        matrixOptions: options.matrix.map(sourceOf),
      }),
      ...(geneAnnotation !== undefined && { geneAnnotation: existing(geneAnnotation, "--gene-annotation") }),
      ...(sampleMetadata !== undefined && { sampleMetadata: existing(sampleMetadata, "--sample-metadata") }),
      ...(cellMetadata !== undefined && { cellMetadata: existing(cellMetadata, "--cell-metadata") }),
      ...(featureColumn !== undefined && { geneAnnotationOptions: { featureColumn } }),
      ...(options.cellColumn.length > 0 && {
        cellMetadataOptions: { columnTypes: cellColumns(options.cellColumn) },
      }),
      optimize: options.optimize ?? false,
      breakLock: options.breakLock ?? false,
      storage: context.storage,
      signal: context.signal,
      onProgress: ({ step, done, total }) => bar.update(stepLabels[step], done, total),
    }),
  );
  const { samples, newCells, newGenes: genes } = result;
  const text = options.json
    ? JSON.stringify({ store, ...result })
    : `${store}: ${plural(newCells, "cell")} and ${plural(genes, "gene")} more; samples ${samples.join(", ")}`;
  await print(text, context);
}

/** `NAME` or `STORED=NAME`: which of the files' matrices goes to which of the store. */
function sourceOf(text: string): { matrixName: string; tiledbStoreName?: string } {
  const equals = text.indexOf("=");
  if (equals < 0) return { matrixName: text };
  if (equals === 0 || equals === text.length - 1) {
    throw new UsageError(`--matrix ${text}: expected NAME or STORED=NAME`);
  }
  return { tiledbStoreName: text.slice(0, equals), matrixName: text.slice(equals + 1) };
}

export async function runDropSample(
  store: string,
  names: readonly string[],
  options: { readonly breakLock?: boolean; readonly json?: boolean },
  context: CommandContext,
): Promise<void> {
  await checkStore(store);
  const result = await withBar((bar) =>
    dropSample(store, names, {
      breakLock: options.breakLock ?? false,
      storage: context.storage,
      signal: context.signal,
      onProgress: ({ step, done, total }) => bar.update(stepLabels[step], done, total),
    }),
  );
  const text = options.json
    ? JSON.stringify({ store, ...result })
    : `${store}: without ${result.samples.join(", ")}, ${plural(result.cells, "cell")} fewer`;
  await print(text, context);
}

async function withBar<T>(work: (bar: ProgressBar) => Promise<T>): Promise<T> {
  const bar = await createProgressBar();
  try {
    return await work(bar);
  } finally {
    bar.stop();
  }
}

function print(text: string, context: CommandContext): Promise<void> {
  return withTextSink(undefined, context.signal, async (sink) => {
    await sink.write(`${text}\n`);
  });
}

function existing(path: string, option: string): string {
  if (isUri(path) || existsSync(path)) return path;
  throw new NotFoundError(`${option}: no such file`, { where: path });
}
