import { stat } from "node:fs/promises";
import { CellArrDataset } from "../cellarr/dataset.js";
import type { DatasetWarning } from "../cellarr/dataset-parts.js";
import { NotFoundError } from "../errors.js";
import { zipPlace } from "../storage/remote/locate.js";
import type { CommandContext } from "./context.js";

/** What the commands on stores share. */

export async function openStore(path: string, context: CommandContext): Promise<CellArrDataset> {
  await checkStore(path);
  return CellArrDataset.open(path, {
    signal: context.signal,
    storage: context.storage,
    onWarning: printWarning,
  });
}

/** Throws NotFoundError for a path where nothing is; of URIs the first request will say it. */
export async function checkStore(path: string): Promise<void> {
  if (isUri(path)) return;
  await stat(path).catch((cause: unknown) => {
    throw new NotFoundError("no such folder", { where: path, cause });
  });
}

/** Whether the file system is not what knows `place`. */
export function isUri(place: string): boolean {
  return place.includes("://") || zipPlace(place) !== undefined;
}

/** That the last cells or genes have no values is nothing to say each time. */
const remedies: Readonly<Partial<Record<DatasetWarning["kind"], string>>> = {
  "gene-major-copy": "cellarr index",
  "index-file": "cellarr publish",
};

export function printWarning(warning: Pick<DatasetWarning, "kind" | "message">): void {
  const remedy = remedies[warning.kind];
  if (remedy === undefined) return;
  process.stderr.write(`cellarr: warning: ${warning.message}; "${remedy}" makes it anew\n`);
}
