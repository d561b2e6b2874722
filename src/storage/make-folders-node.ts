import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Makes a folder and those above it. Node's own `recursive: true` never returns where the file system answers ENOENT
 * although the folder above exists, as /proc does.
 */
export async function makeFolders(path: string): Promise<void> {
  if (await made(path)) return;
  const above = dirname(path);
  if (above !== path && !(await isFolder(above))) await makeFolders(above);
  // The folder above is there now: what goes wrong this time is the answer.
  await makeOne(path);
}

/** False where a folder above is missing. */
async function made(path: string): Promise<boolean> {
  try {
    await makeOne(path);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return false;
    throw error;
  }
}

async function makeOne(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (!(await isFolder(path))) throw error;
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}
