import { type FileHandle, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StorageError } from "../../errors.js";
import type { DownloadedFile, DownloadSpace } from "./downloaded-file.js";

/** Downloads into temporary files, in a folder of the process's own. */

export async function temporaryDownload(): Promise<DownloadSpace> {
  const folder = await mkdtemp(join(tmpdir(), "cellarr-download-"));
  const path = join(folder, "file");
  return new FileSpace(folder, path, await open(path, "w"));
}

class FileSpace implements DownloadSpace {
  readonly #folder: string;
  readonly #path: string;
  readonly #handle: FileHandle;
  #size = 0;

  constructor(folder: string, path: string, handle: FileHandle) {
    this.#folder = folder;
    this.#path = path;
    this.#handle = handle;
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.byteLength; ) {
        const { bytesWritten } = await this.#handle.write(bytes, at, bytes.byteLength - at, this.#size);
        at += bytesWritten;
        this.#size += bytesWritten;
      }
    } catch (cause) {
      throw new StorageError(`cannot keep the download: ${(cause as Error).message}`, {
        where: this.#path,
        cause,
      });
    }
  }

  async restart(): Promise<void> {
    await this.#handle.truncate(0);
    this.#size = 0;
  }

  async finish(): Promise<DownloadedFile> {
    await this.#handle.close();
    return { content: this.#path, remove: () => rm(this.#folder, { recursive: true, force: true }) };
  }

  async abort(): Promise<void> {
    await this.#handle.close().catch(() => {});
    await rm(this.#folder, { recursive: true, force: true });
  }
}
