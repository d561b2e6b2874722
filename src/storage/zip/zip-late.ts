import { ExistsError } from "../../errors.js";
import { LazyStore } from "../remote/lazy-store.js";
import type { StorageOptions } from "../remote/settings.js";
import { locationUri, resolveNewFile, resolveReadable } from "../resolve.js";
import { readTail } from "../tail.js";
import type { ReadableStore, StoreLocation } from "../types.js";
import type { ZipFolderOptions, ZippedFolder } from "./zip-folder.js";
import type { ZipStoreOptions } from "./zip-store.js";

/** The face of zip files: what reads and writes them is loaded with the first one. */

/**
 * What is in a zip file, as a store to read from. `file` is its bytes, or a place of which `path` is the file's key. Only
 * the directory of the file and what is asked for are read: ranges of entries that are stored, deflated ones whole.
 */
export function zipStore(file: Uint8Array | StoreLocation, options?: ZipStoreOptions): ReadableStore {
  const place = file instanceof Uint8Array ? undefined : file;
  return new LazyStore<ReadableStore>({
    uri: `${place === undefined ? "mem://zip" : locationUri(place)}#zip`,
    isRemote: place?.store.isRemote ?? false,
    coalesceGap: place?.store.coalesceGap,
    load: async () => {
      const { ZipStore } = await import("./zip-store.js");
      return new ZipStore(file, options);
    },
  });
}

export interface WriteZipOptions extends ZipFolderOptions {
  /** Replaces a file that is there. */
  readonly overwrite?: boolean | undefined;
  /** Settings of places that are given as URIs. */
  readonly storage?: StorageOptions | undefined;
}

/**
 * Writes an array, group or dataset, or any other folder, into one zip file without compression: tiles are compressed, and
 * ranges of them stay ranges of the file. Zip64 where sizes need it. `file` is a path or URI, or a place of which `path` is
 * the file's key.
 *
 * Throws NotFoundError if there is nothing at `folder`, ExistsError if there is such a file, StorageError if the folder
 * changes meanwhile, AbortedError; the file is not there then, or still the old one.
 */
export async function writeZip(
  folder: string | StoreLocation,
  file: string | StoreLocation,
  options: WriteZipOptions = {},
): Promise<ZippedFolder> {
  const { storage, signal, overwrite } = options;
  const from = resolveReadable(folder, storage);
  const to = resolveNewFile(file, storage);
  if (!overwrite && (await readTail(to.store, to.path, 1, { signal })) !== undefined) {
    throw new ExistsError("there is such a file; pass overwrite: true to replace it", {
      where: locationUri(to),
    });
  }
  const { zipFolder } = await import("./zip-folder.js");
  return zipFolder(from, await to.store.writer(to.path, { signal }), options);
}
