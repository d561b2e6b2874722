import { openDataFile } from "../../h5ad/open-data-file.js";
import type { AnnDataSource } from "../../h5ad/source.js";
import { httpUri } from "../../storage/remote/http-uri.js";
import { isRemote } from "../../storage/remote/locate.js";
import { resolveFile, resolveReadable } from "../../storage/resolve.js";
import { type DownloadOptions, isHttpUrl } from "./download.js";
import { downloadFile } from "./downloaded-file.js";
import { isMtxFolder, isMtxPath, openMtx } from "./mtx-source.js";

/** What a path or URL stands for: an HDF5 file by its content, a Matrix Market folder or matrix by its name. */
export async function openPath(path: string): Promise<AnnDataSource> {
  if (isRemote(path)) return openRemote(path);
  if (isMtxPath(path)) return openMtx(path);
  if (!isDataName(path) && (await isMtxFolder(resolveReadable(path)))) return openMtx(path);
  return openDataFile(path);
}

function isDataName(path: string): boolean {
  return /\.(h5|h5ad|hdf5)$/i.test(path);
}

/** The same of a URL: files of buckets and over HTTP are brought here whole, Matrix Market files read where they are. */
export async function openRemote(url: string, options: DownloadOptions = {}): Promise<AnnDataSource> {
  if (isHttpUrl(url) || isDataName(url)) return openUrl(url, options);
  const place = resolveFile(url, options.storage);
  return isMtxPath(url) || (await isMtxFolder(place)) ? openMtx(place) : openUrl(url, options);
}

/** An HDF5 file over HTTP or of a bucket; what was downloaded is removed when it is closed. */
export async function openUrl(url: string, options: DownloadOptions = {}): Promise<AnnDataSource> {
  const file = await downloadFile(url, options);
  try {
    const source = await openDataFile(file.content, shownUrl(url));
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

/** For messages: of addresses without what may be a secret in them. */
export function shownUrl(url: string): string {
  return isHttpUrl(url) ? httpUri(url) : url;
}
