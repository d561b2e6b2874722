import { FileSource } from "./file-source.js";
import { H5File } from "./h5-file.js";
import type { AnnDataSource } from "./source.js";
import { TenxSource, tenxGroups } from "./tenx-source.js";

/** An HDF5 file of either kind, told apart by what is in it: H5AD, or a matrix of Cell Ranger. */
export async function openDataFile(source: string | Uint8Array, name?: string): Promise<AnnDataSource> {
  const file = await H5File.open(source, name);
  try {
    const isTenx = file.kind("/obs") === null && tenxGroups(file).length > 0;
    return isTenx ? new TenxSource(file) : new FileSource(file);
  } catch (error) {
    file.close();
    throw error;
  }
}
