import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { StorageError } from "../../errors.js";

/** Text files for `machine.ts`: profiles and tokens, which are a few kilobytes. */
export async function readTextFileNode(path: string): Promise<string | undefined> {
  const place = path.startsWith("~/") ? join(homedir(), path.slice(2)) : path;
  try {
    return await readFile(place, "utf8");
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new StorageError(`cannot read the file: ${String(code)}`, { where: place, cause: error });
  }
}
