import "../node-platform.js";
import { existsSync, statSync } from "node:fs";
import { viewOf, writeSliceJson } from "../cellarr/export/slice-json.js";
import type { CellArrDatasetSlice } from "../cellarr/slice.js";
import type { CommandContext } from "./context.js";
import { sliceText } from "./format-text.js";
import { openStore } from "./open-store.js";
import { withTextSink } from "./output.js";
import { parseChoice } from "./parse.js";
import { type CellOptions, selectCells, sliceOrders } from "./select-cells.js";
import { type GeneOptions, selectGenes } from "./select-genes.js";
import { UsageError } from "./usage.js";

/** `cellarr query`: a slice of a store, in one of several formats. */

export interface QueryCommandOptions extends CellOptions, GeneOptions {
  readonly matrix: readonly string[];
  readonly order: string;
  readonly format?: string;
  readonly json?: boolean;
  readonly output?: string;
}

const formats = ["text", "json", "csv", "mtx", "h5ad"] as const;
type Format = (typeof formats)[number];

export async function runQuery(
  store: string,
  options: QueryCommandOptions,
  context: CommandContext,
): Promise<void> {
  const format = chooseFormat(options);
  const order = parseChoice(options.order, sliceOrders, "--order");
  const genes = selectGenes(options);
  const { signal } = context;
  const dataset = await openStore(store, context);
  const matrices = options.matrix.length === 0 ? dataset.matrixNames : [...new Set(options.matrix)];
  checkMatrixCount(matrices, format, options.output);
  const cells = await selectCells(dataset, options, signal);
  if (format === "h5ad") {
    const { exportDataset } = await import("../cellarr/export/export-dataset.js");
    const file = { format, cells, genes, matrices, order, overwrite: true, signal } as const;
    return exportDataset(dataset, options.output!, file);
  }
  const part = await dataset.getSlice(cells, genes, { signal, matrices, order });
  await writeSlice(part, format, options.output, context);
}

function chooseFormat(options: QueryCommandOptions): Format {
  const name = options.format ?? (options.json ? "json" : "text");
  const format = formats.find((known) => known === name);
  if (format === undefined) throw new UsageError(`--format ${name}: expected json, csv, mtx or h5ad`);
  if (options.json && format !== "json") throw new UsageError(`--json contradicts --format ${name}`);
  if (format === "h5ad" && (options.output === undefined || isFolder(options.output))) {
    throw new UsageError("--format h5ad needs a file: -o FILE.h5ad");
  }
  return format;
}

/** Before anything is read: csv and mtx hold one matrix a file. */
function checkMatrixCount(names: readonly string[], format: Format, output: string | undefined): void {
  if ((format !== "csv" && format !== "mtx") || names.length === 1 || isFolder(output)) return;
  throw new UsageError(
    `--format ${format} holds one matrix a file, the store has ${names.join(", ")}: choose with --matrix, or give a folder: -o FOLDER/`,
  );
}

async function writeSlice(
  part: CellArrDatasetSlice,
  format: Exclude<Format, "h5ad">,
  output: string | undefined,
  { signal }: CommandContext,
): Promise<void> {
  if (format === "text" || format === "json") {
    const view = viewOf(part);
    return withTextSink(output, signal, async (sink) => {
      if (format === "json") await writeSliceJson(view, sink);
      else await sink.write(sliceText(view));
    });
  }
  const { writeMatrixText, writeSliceFolder } = await import("./slice-files.js");
  if (isFolder(output)) return writeSliceFolder(part, format, output, signal);
  const [name] = part.matrixNames;
  return withTextSink(output, signal, (sink) => writeMatrixText(part, name!, format, sink));
}

function isFolder(output: string | undefined): output is string {
  if (output === undefined) return false;
  return output.endsWith("/") || (existsSync(output) && statSync(output).isDirectory());
}
