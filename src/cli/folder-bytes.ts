import { isCellarrError } from "../errors.js";
import { childLocation, resolveReadable } from "../storage/resolve.js";
import type { CommandContext } from "./context.js";

/** Bytes of all files below a folder; null where files cannot be listed, as over plain HTTP. */
export async function folderBytes(
  folder: string,
  { signal, storage }: CommandContext,
  ...parts: readonly string[]
): Promise<number | null> {
  const { store, path } = childLocation(resolveReadable(folder, storage), ...parts);
  try {
    const entries = await store.list(path, { signal });
    return entries.reduce((sum, { size }) => sum + (size ?? 0), 0);
  } catch (error) {
    if (isCellarrError(error, "UNSUPPORTED")) return null;
    throw error;
  }
}
