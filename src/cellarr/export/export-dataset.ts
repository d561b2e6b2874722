import { ArgumentError, UnsupportedError } from "../../errors.js";
import { resolveLocation } from "../../storage/resolve.js";
import type { StoreLocation } from "../../storage/types.js";
import type { CellArrDataset } from "../dataset.js";
import type { CellArrDatasetSlice } from "../slice.js";
import { type ExportFormat, type ExportOptions, exportFormats } from "./options.js";
import type { Place } from "./place.js";
import { blockCells, type ExportSource, sourceOf } from "./source.js";

type Exporter = (source: ExportSource, target: Place, options: ExportOptions) => Promise<void>;

/** A module per format, loaded when it is asked for. */
const exporters: Readonly<Record<ExportFormat, () => Promise<Exporter>>> = {
  h5ad: async () => (await import("./h5ad.js")).exportH5ad,
  "summarized-experiment": async () =>
    (await import("./summarized-experiment.js")).exportSummarizedExperiment,
  "10x": async () => (await import("./tenx.js")).exportTenx,
  arrow: async () => (await import("./arrow.js")).exportArrow,
  csv: async () => (await import("./csv.js")).exportCsv,
};

export async function exportDataset(
  from: CellArrDataset | CellArrDatasetSlice,
  target: string | StoreLocation,
  options: ExportOptions,
): Promise<void> {
  const { format } = options;
  if (!exportFormats.includes(format)) {
    throw new ArgumentError(`export format '${format as string}', expected ${exportFormats.join(", ")}`);
  }
  if ((format === "h5ad" || format === "summarized-experiment") && typeof target !== "string") {
    throw new UnsupportedError(`'${format}' writes HDF5 files, which needs a path`);
  }
  const place = resolveLocation(target, options.storage);
  const write = await exporters[format]();
  const source = await sourceOf(from, options);
  blockCells(source, options);
  await write(source, place, options);
}
