import { ExistsError } from "../errors.js";
import { type H5Library, h5Disk } from "./h5-file.js";
import { applyPatch, type HeaderPatch } from "./h5-header-patch.js";
import { H5Writer } from "./h5-writer.js";

/** A new HDF5 file under a temporary name, which gets its own when it is complete. */

export interface WriteH5Options {
  /** Replace an existing file; by default that is an ExistsError. */
  readonly overwrite?: boolean;
  /** gzip level, 1 to 9, of all but small arrays; default 4, 0 for none. */
  readonly gzip?: number;
}

const DEFAULT_GZIP = 4;

/** Fills an open file; may take its time. */
export type H5Fill = (writer: H5Writer) => void | Promise<void>;

/** Writes the file at `path` (Node). Whatever fails leaves nothing. Throws ExistsError, StorageError. */
export async function writeH5File(path: string, options: WriteH5Options, fill: H5Fill): Promise<void> {
  const disk = h5Disk(path);
  const overwrite = options.overwrite ?? false;
  const there = await disk.kindOf(path);
  if (there === "folder") throw new ExistsError("a folder has that name", { where: path });
  if (!overwrite && there !== null) throw new ExistsError("file exists", { where: path });
  const temporary = disk.temporary(path);
  try {
    const patches = await fillH5File(await disk.library(), temporary, path, options, fill);
    disk.patch(temporary, (read, write) => {
      for (const patch of patches) applyPatch(patch, read, write);
    });
    await disk.publish(temporary, path, overwrite);
  } catch (error) {
    await disk.remove(temporary);
    throw error;
  }
}

/** Makes the file `path` of the library's file system; what remains to do to its bytes is returned. */
export async function fillH5File(
  library: H5Library,
  path: string,
  name: string,
  options: WriteH5Options,
  fill: H5Fill,
): Promise<HeaderPatch[]> {
  const writer = new H5Writer(library, path, name, { gzip: options.gzip ?? DEFAULT_GZIP });
  try {
    await fill(writer);
    return writer.close();
  } finally {
    writer.abandon();
  }
}
