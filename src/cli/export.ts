import "../node-platform.js";
import { exportDataset } from "../cellarr/export/export-dataset.js";
import { type ExportOptions, exportFormats } from "../cellarr/export/options.js";
import type { CommandContext } from "./context.js";
import { openStore } from "./open-store.js";
import { withTextSink } from "./output.js";
import { parseChoice } from "./parse.js";
import { withProgressBar } from "./progress.js";
import { type CellOptions, selectCells, sliceOrders } from "./select-cells.js";
import { type GeneOptions, selectGenes } from "./select-genes.js";
import { plural } from "./table.js";
import { UsageError } from "./usage.js";

/** `cellarr export`: cells and genes of a store in a form that other programs read. */

export interface ExportCommandOptions extends CellOptions, GeneOptions {
  readonly output: string;
  readonly format: string;
  readonly matrix: readonly string[];
  readonly order: string;
  readonly layout: string;
  readonly barcodes?: string;
  readonly symbols?: string;
  readonly overwrite?: boolean;
  readonly json?: boolean;
}

export async function runExport(
  store: string,
  options: ExportCommandOptions,
  context: CommandContext,
): Promise<void> {
  const { signal } = context;
  const format = parseChoice(options.format, exportFormats, "--format");
  const order = parseChoice(options.order, sliceOrders, "--order");
  const layout = parseChoice(options.layout, ["dense", "long"], "--layout");
  const genes = selectGenes(options);
  const dataset = await openStore(store, context);
  const matrices = options.matrix.length === 0 ? dataset.matrixNames : [...new Set(options.matrix)];
  if (format === "10x" && matrices.length > 1) {
    throw new UsageError(
      `--format 10x holds one matrix, the store has ${matrices.join(", ")}: choose with --matrix`,
    );
  }
  const cells = await selectCells(dataset, options, signal);
  const rows = await dataset.getSliceRows(cells, genes, { signal, order });
  const { cellIndices, geneIndices } = rows;
  await exportWithProgress(dataset, options.output, {
    format,
    layout,
    matrices,
    cells: cellIndices,
    genes: geneIndices,
    order: "asked",
    barcodes: options.barcodes,
    symbols: options.symbols,
    overwrite: options.overwrite ?? false,
    storage: context.storage,
    signal,
  });
  const { output } = options;
  const text = options.json
    ? JSON.stringify({ output, format, shape: [cellIndices.length, geneIndices.length], matrices })
    : `exported ${plural(cellIndices.length, "cell")} x ${plural(geneIndices.length, "gene")}, ${plural(matrices.length, "matrix", "matrices")} (${matrices.join(", ")}), to ${output}`;
  await withTextSink(undefined, signal, async (sink) => {
    await sink.write(`${text}\n`);
  });
}

async function exportWithProgress(
  dataset: Parameters<typeof exportDataset>[0],
  output: string,
  options: ExportOptions,
): Promise<void> {
  await withProgressBar((bar) =>
    exportDataset(dataset, output, {
      ...options,
      onProgress: ({ matrix, cells, totalCells }) => bar.update(`writing ${matrix}`, cells, totalCells),
    }),
  );
}
