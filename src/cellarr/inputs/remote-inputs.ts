import type { AnnDataSource } from "../../h5ad/source.js";
import { isRemote } from "../../storage/remote/locate.js";
import type { StorageOptions } from "../../storage/remote/settings.js";
import type { BuildProgress, FileInput } from "../build/options.js";
import { openRemote, shownUrl } from "./open-path.js";

export interface RemoteOptions {
  readonly storage?: StorageOptions | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: BuildProgress) => void) | undefined;
}

/** Runs `action` with files over HTTP and of buckets brought here, each once, one after another; they are removed after it. */
export async function withRemoteInputs<T>(
  files: readonly FileInput[],
  { storage, signal, onProgress }: RemoteOptions,
  action: (files: readonly FileInput[]) => Promise<T>,
): Promise<T> {
  if (!files.some((file) => typeof file === "string" && isRemote(file))) return action(files);
  const opened: AnnDataSource[] = [];
  try {
    const here: FileInput[] = [];
    for (const file of files) {
      if (typeof file !== "string" || !isRemote(file)) {
        here.push(file);
        continue;
      }
      const onBytes = (done: number, total: number | null) =>
        onProgress?.({ step: "download", item: shownUrl(file), done, total: total ?? done });
      const source = await openRemote(file, { storage, signal, onBytes });
      opened.push(source);
      here.push(source);
    }
    return await action(here);
  } finally {
    for (const source of opened) await source.close();
  }
}
