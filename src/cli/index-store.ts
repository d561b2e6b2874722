import "../node-platform.js";
import {
  type IndexedMatrix,
  type IndexOptions,
  indexDataset,
  removeIndex,
} from "../cellarr/by-gene/index-dataset.js";
import { storeNames } from "../cellarr/layout.js";
import type { CommandContext } from "./context.js";
import { folderBytes } from "./folder-bytes.js";
import { checkStore } from "./open-store.js";
import { withTextSink } from "./output.js";
import { withProgressBar } from "./progress.js";
import { formatBytes, plural } from "./table.js";
import { UsageError } from "./usage.js";

/** `cellarr index`: copies of matrices sorted by genes, for a store that is there. */

export interface IndexCommandOptions {
  readonly matrix: readonly string[];
  readonly force?: boolean;
  readonly remove?: boolean;
  readonly json?: boolean;
}

export async function runIndex(
  store: string,
  options: IndexCommandOptions,
  context: CommandContext,
): Promise<void> {
  if (options.remove && options.force) throw new UsageError("--remove contradicts --force");
  await checkStore(store);
  const chosen = {
    storage: context.storage,
    ...(options.matrix.length > 0 && { assayUri: [...new Set(options.matrix)] }),
  };
  const text = options.remove
    ? removalText(await removeIndex(store, { ...chosen, signal: context.signal }), options)
    : await indexText(store, await index(store, chosen, options, context), options, context);
  await withTextSink(undefined, context.signal, async (sink) => {
    await sink.write(`${text}\n`);
  });
}

async function index(
  store: string,
  chosen: Pick<IndexOptions, "assayUri" | "storage">,
  { force }: IndexCommandOptions,
  { signal }: CommandContext,
): Promise<IndexedMatrix[]> {
  return withProgressBar((bar) =>
    indexDataset(store, {
      ...chosen,
      signal,
      force: force ?? false,
      onProgress: ({ matrix, step, done, total }) =>
        bar.update(`${step === "read" ? "reading" : "writing by gene"} ${matrix}`, done, total),
    }),
  );
}

function removalText(removed: readonly string[], { json }: IndexCommandOptions): string {
  if (json) return JSON.stringify({ removed });
  if (removed.length === 0) return "there was no copy to remove";
  return `removed ${plural(removed.length, "copy", "copies")}: ${removed.join(", ")}`;
}

async function indexText(
  store: string,
  indexed: readonly IndexedMatrix[],
  { json }: IndexCommandOptions,
  context: CommandContext,
): Promise<string> {
  const sizes = await Promise.all(
    indexed.map(({ matrix }) => folderBytes(store, context, storeNames.geneMajor, matrix)),
  );
  if (json) {
    const matrices = indexed.map(({ matrix, outcome }, at) => ({ matrix, outcome, bytes: sizes[at] }));
    return JSON.stringify({ store, matrices });
  }
  const lines = indexed.map(({ matrix, outcome }, at) => {
    const what = outcome === "made" ? "copied by gene" : "its copy is up to date";
    return `${matrix}: ${what}, ${formatBytes(sizes[at] ?? 0)}`;
  });
  return lines.join("\n");
}
