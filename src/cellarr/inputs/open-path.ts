import { openDataFile } from "../../h5ad/open-data-file.js";
import type { AnnDataSource } from "../../h5ad/source.js";
import { resolveReadable } from "../../storage/resolve.js";
import { type DownloadOptions, isHttpUrl } from "./download.js";
import { downloadFile } from "./downloaded-file.js";
import { isMtxFolder, isMtxPath, openMtx } from "./mtx-source.js";

/** What a path or URL stands for: an HDF5 file by its content, a Matrix Market folder or matrix by its name. */
export async function openPath(path: string): Promise<AnnDataSource> {
  if (isHttpUrl(path)) return openUrl(path);
  if (isMtxPath(path)) return openMtx(path);
  const isFile = /\.(h5|h5ad|hdf5)$/i.test(path);
  if (!isFile && (await isMtxFolder(resolveReadable(path)))) return openMtx(path);
  return openDataFile(path);
}

/** An HDF5 file over HTTP; what was downloaded is removed when it is closed. */
export async function openUrl(url: string, options: DownloadOptions = {}): Promise<AnnDataSource> {
  const file = await downloadFile(url, options);
  try {
    const source = await openDataFile(file.content, url);
    const close = source.close.bind(source);
    source.close = async () => {
      await close();
      await file.remove();
    };
    return source;
  } catch (error) {
    await file.remove();
    throw error;
  }
}
