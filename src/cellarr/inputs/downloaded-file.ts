import { resolveFile } from "../../storage/resolve.js";
import type { DownloadOptions, DownloadTarget } from "./download.js";

/** A file over HTTP or of a bucket that was brought here. */
export interface DownloadedFile {
  /** Path, or bytes where there is no disk. */
  readonly content: string | Uint8Array;
  remove(): Promise<void>;
}

/** A place for one download; `finish` gives what was written. */
export interface DownloadSpace extends DownloadTarget {
  finish(): Promise<DownloadedFile>;
  /** Removes what was written. */
  abort(): Promise<void>;
}

let newSpace: () => Promise<DownloadSpace> = async () => new MemorySpace();

/** Where downloads go; set by the Node entries. */
export function setDownloadSpace(make: () => Promise<DownloadSpace>): void {
  newSpace = make;
}

export async function downloadFile(url: string, options: DownloadOptions = {}): Promise<DownloadedFile> {
  const space = await newSpace();
  try {
    await bring(url, space, options);
    return await space.finish();
  } catch (error) {
    await space.abort();
    throw error;
  }
}

/** Every program loads this module, few download. */
async function bring(url: string, space: DownloadSpace, options: DownloadOptions): Promise<void> {
  const { download, isHttpUrl } = await import("./download.js");
  if (isHttpUrl(url)) return download(url, space, options);
  const { fetchValue } = await import("./fetch-value.js");
  return fetchValue(resolveFile(url, options.storage), space, options);
}

class MemorySpace implements DownloadSpace {
  #parts: Uint8Array[] = [];

  async write(bytes: Uint8Array): Promise<void> {
    this.#parts.push(bytes);
  }

  async restart(): Promise<void> {
    this.#parts = [];
  }

  async finish(): Promise<DownloadedFile> {
    const content = new Uint8Array(await new Blob(this.#parts as BlobPart[]).arrayBuffer());
    this.#parts = [];
    return { content, remove: async () => {} };
  }

  async abort(): Promise<void> {
    this.#parts = [];
  }
}
