import { ArgumentError } from "../../errors.js";
import { AnnData } from "../../h5ad/anndata.js";
import { sourceOf } from "../../h5ad/memory-source.js";
import { openDataFile } from "../../h5ad/open-data-file.js";
import type { AnnDataSource } from "../../h5ad/source.js";
import { openPath } from "../inputs/open-path.js";
import type { FileInput } from "./options.js";

export type { FileInput };

/**
 * Runs `action` on the data that a file input stands for. Files are opened for that and closed after it; what the
 * caller has opened stays open.
 */
export async function withSource<T>(
  input: FileInput,
  action: (source: AnnDataSource) => Promise<T>,
): Promise<T> {
  if (isSource(input)) return action(input);
  const source = await open(input);
  try {
    return await action(source);
  } finally {
    await source.close();
  }
}

function isSource(input: FileInput): input is AnnDataSource {
  return typeof input === "object" && "matrixNames" in input && "obsCount" in input;
}

async function open(input: Exclude<FileInput, AnnDataSource>): Promise<AnnDataSource> {
  if (typeof input === "string") return openPath(input);
  if (input instanceof Uint8Array) return openDataFile(input);
  if (input instanceof AnnData) return sourceOf(input);
  throw new ArgumentError(
    `a file is ${typeof input}, expected a path or URL, the bytes of an HDF5 file, or AnnData`,
  );
}
