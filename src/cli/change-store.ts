import "../node-platform.js";
import { appendToDataset } from "../cellarr/change/append.js";
import { newGeneRules } from "../cellarr/change/change-options.js";
import { dropSample } from "../cellarr/change/drop-sample.js";
import type { CommandContext } from "./context.js";
import { type InputCommandOptions, misfitRule, showSteps, tableOptions } from "./input-options.js";
import { checkStore } from "./open-store.js";
import { withTextSink } from "./output.js";
import { parseChoice } from "./parse.js";
import { withProgressBar } from "./progress.js";
import { plural } from "./table.js";
import { UsageError } from "./usage.js";

/** `cellarr append` and `cellarr drop-sample`: changes of a store that is there. */

interface ChangeCommandOptions {
  readonly breakLock?: boolean;
  readonly json?: boolean;
}

export interface AppendCommandOptions extends InputCommandOptions, ChangeCommandOptions {
  readonly newGenes: string;
  readonly optimize?: boolean;
}

export async function runAppend(
  store: string,
  files: readonly string[],
  options: AppendCommandOptions,
  context: CommandContext,
): Promise<void> {
  await checkStore(store);
  const append = {
    files,
    newGenes: parseChoice(options.newGenes, newGeneRules, "--new-genes"),
    onMisfit: misfitRule(options),
    ...(options.matrix.length > 0 && { matrixOptions: options.matrix.map(sourceOf) }),
    ...tableOptions(options),
    optimize: options.optimize ?? false,
    breakLock: options.breakLock ?? false,
    storage: context.storage,
    signal: context.signal,
  };
  const result = await withProgressBar((bar) =>
    appendToDataset(store, { ...append, onProgress: showSteps(bar) }),
  );
  const { samples, newCells, newGenes } = result;
  const text = options.json
    ? JSON.stringify({ store, ...result })
    : `${store}: ${plural(newCells, "cell")} and ${plural(newGenes, "gene")} more; samples ${samples.join(", ")}`;
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
  options: ChangeCommandOptions,
  context: CommandContext,
): Promise<void> {
  await checkStore(store);
  const result = await withProgressBar((bar) =>
    dropSample(store, names, {
      breakLock: options.breakLock ?? false,
      storage: context.storage,
      signal: context.signal,
      onProgress: showSteps(bar),
    }),
  );
  const text = options.json
    ? JSON.stringify({ store, ...result })
    : `${store}: without ${result.samples.join(", ")}, ${plural(result.cells, "cell")} fewer`;
  await print(text, context);
}

function print(text: string, context: CommandContext): Promise<void> {
  return withTextSink(undefined, context.signal, async (sink) => {
    await sink.write(`${text}\n`);
  });
}
