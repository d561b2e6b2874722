import { LazyStore } from "./remote/lazy-store.js";
import { locationUri } from "./resolve.js";
import type { ReadableStore, StoreLocation } from "./types.js";
import type { WriteZipOptions } from "./zip/write-zip.js";
import type { ZippedFolder } from "./zip/zip-folder.js";
import type { ZipStoreOptions } from "./zip/zip-store.js";

/** The face of zip files: what reads and writes them is loaded with the first one. */

/**
 * What is in a zip file, as a store to read from. `file` is its bytes, or a place of which `path` is the file's key. Only
 * the directory of the file and what is asked for are read: ranges of entries that are stored, deflated ones whole.
 */
export function zipStore(file: Uint8Array | StoreLocation, options?: ZipStoreOptions): ReadableStore {
  const place = file instanceof Uint8Array ? undefined : file;
  return new LazyStore({
    uri: `${place === undefined ? "mem://zip" : locationUri(place)}#zip`,
    isRemote: place?.store.isRemote ?? false,
    coalesceGap: place?.store.coalesceGap,
    load: async () => new (await import("./zip/zip-store.js")).ZipStore(file, options),
  });
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
  options?: WriteZipOptions,
): Promise<ZippedFolder> {
  return (await import("./zip/write-zip.js")).writeZip(folder, file, options);
}
