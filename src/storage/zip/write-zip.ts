import { ArgumentError, ExistsError } from "../../errors.js";
import type { StorageOptions } from "../remote/settings.js";
import { locationUri, resolveFile, resolveLocation, resolveReadable } from "../resolve.js";
import { readTail } from "../tail.js";
import type { StoreLocation } from "../types.js";
import { type ZipFolderOptions, type ZippedFolder, zipFolder } from "./zip-folder.js";

export interface WriteZipOptions extends ZipFolderOptions {
  /** Replaces a file that is there. */
  readonly overwrite?: boolean | undefined;
  /** Settings of places that are given as URIs. */
  readonly storage?: StorageOptions | undefined;
}

/** See `../zip-late.ts`. */
export async function writeZip(
  folder: string | StoreLocation,
  file: string | StoreLocation,
  options: WriteZipOptions = {},
): Promise<ZippedFolder> {
  const { storage, signal, overwrite } = options;
  const from = resolveReadable(folder, storage);
  const to = resolveLocation(typeof file === "string" ? resolveFile(file, storage) : file);
  const where = locationUri(to);
  if (to.path === "") throw new ArgumentError("this is no place of a file", { where });
  if (!overwrite && (await readTail(to.store, to.path, 1, { signal })) !== undefined) {
    throw new ExistsError("there is such a file; pass overwrite: true to replace it", { where });
  }
  return zipFolder(from, await to.store.writer(to.path, { signal }), options);
}
