import { stat } from "node:fs/promises";
import { CellArrDataset } from "../cellarr/dataset.js";
import type { DatasetWarning } from "../cellarr/dataset-parts.js";
import { addedColumns } from "../cellarr/layout.js";
import { NotFoundError } from "../errors.js";
import { columnValues } from "../util/frame.js";
import type { CommandContext } from "./context.js";

/** What the commands on stores share. */

export async function openStore(path: string, context: CommandContext): Promise<CellArrDataset> {
  if (!path.includes("://")) {
    await stat(path).catch((cause: unknown) => {
      throw new NotFoundError("no such folder", { where: path, cause });
    });
  }
  return CellArrDataset.open(path, { signal: context.signal, onWarning: printWarning });
}

function printWarning({ message }: DatasetWarning): void {
  process.stderr.write(`cellarr: warning: ${message}; "cellarr index" makes it anew\n`);
}

export interface SampleCells {
  readonly name: string;
  /** First and last cell, both inclusive; of a sample without cells the end is before the start. */
  readonly start: number;
  readonly end: number;
}

/** All samples with the cells that are theirs. */
export async function sampleCells(dataset: CellArrDataset): Promise<SampleCells[]> {
  const columns = await Promise.all(
    [addedColumns.sample, addedColumns.sampleStart, addedColumns.sampleEnd].map(async (name) =>
      columnValues(await dataset.getSampleMetadataColumn(name)),
    ),
  );
  const [names, starts, ends] = columns as [unknown[], unknown[], unknown[]];
  return names.map((name, i) => ({ name: `${name}`, start: Number(starts[i]), end: Number(ends[i]) }));
}
