import "../node-platform.js";
import { publishStore } from "../cellarr/publish/publish-store.js";
import type { CommandContext } from "./context.js";
import { withTextSink } from "./output.js";
import { formatBytes, plural } from "./table.js";
import { UsageError } from "./usage.js";

/** `cellarr publish`: the index file of a store. */

export interface PublishCommandOptions {
  readonly maxBytes: string;
  readonly breakLock?: boolean;
  readonly json?: boolean;
}

export async function runPublish(
  store: string,
  { maxBytes, breakLock = false, json }: PublishCommandOptions,
  { signal, storage }: CommandContext,
): Promise<void> {
  if (!/^\d+$/.test(maxBytes)) throw new UsageError(`--max-bytes ${maxBytes}: expected a number of bytes`);
  const result = await publishStore(store, { maxBytes: Number(maxBytes), breakLock, signal, storage });
  const { uri, bytes, files, heldFiles, heldBytes } = result;
  const text = `${uri}: ${formatBytes(bytes)}, names ${plural(files, "file", "files")} and holds ${formatBytes(heldBytes)} of ${heldFiles}`;
  await withTextSink(undefined, signal, async (sink) => {
    await sink.write(`${json ? JSON.stringify(result) : text}\n`);
  });
}
