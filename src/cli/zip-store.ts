import "../node-platform.js";
import { ExistsError, isCellarrError } from "../errors.js";
import { writeZip } from "../storage/zip-late.js";
import type { CommandContext } from "./context.js";
import { checkStore } from "./open-store.js";
import { withTextSink } from "./output.js";
import { withProgressBar } from "./progress.js";
import { formatBytes, plural } from "./table.js";

/** `cellarr zip`: a store as one file. */

export interface ZipCommandOptions {
  readonly overwrite?: boolean;
  readonly json?: boolean;
}

export async function runZip(
  store: string,
  file: string,
  { overwrite, json }: ZipCommandOptions,
  { signal, storage }: CommandContext,
): Promise<void> {
  await checkStore(store);
  const { files, bytes } = await withProgressBar((bar) =>
    writeZip(store, file, {
      signal,
      storage,
      overwrite,
      onProgress: ({ done, total }) => bar.update(`writing ${file}`, done, total),
    }),
  ).catch((error: unknown) => {
    if (!isCellarrError(error, "EXISTS")) throw error;
    throw new ExistsError("there is such a file; --overwrite replaces it", { where: file, cause: error });
  });
  const text = json
    ? JSON.stringify({ file, files, bytes })
    : `${file}: ${plural(files, "file", "files")}, ${formatBytes(bytes)}`;
  await withTextSink(undefined, signal, async (sink) => {
    await sink.write(`${text}\n`);
  });
}
