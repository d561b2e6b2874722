import { stat } from "node:fs/promises";
import { CellArrDataset } from "../cellarr/dataset.js";
import type { DatasetWarning } from "../cellarr/dataset-parts.js";
import { NotFoundError } from "../errors.js";
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

/** That the last cells or genes have no values is nothing to say each time. */
function printWarning(warning: DatasetWarning): void {
  if (warning.kind !== "gene-major-copy") return;
  process.stderr.write(`cellarr: warning: ${warning.message}; "cellarr index" makes it anew\n`);
}
