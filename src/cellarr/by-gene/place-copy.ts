import { copyFolder } from "../../storage/copy-folder.js";
import { lastPart } from "../../storage/key.js";
import { isPresent, moveFolder, type Place } from "../build/staging.js";

/**
 * A gene-major copy takes its place. Nothing that reads the store depends on it: while none is there, or half of one,
 * matrices are read as they are.
 */

/** Puts the copy made at `from` to `to`, where there is none. */
export async function placeCopy(from: Place, to: Place): Promise<void> {
  // Where folders are copied the schema, without which nothing opens, comes last: keys are sorted.
  if (to.store.rename === undefined) await copyFolder(to.store, from.path, to.path);
  else await moveFolder(from, to);
}

/** Removes a copy, and the folder of copies with the last one. */
export async function removeCopy(copy: Place): Promise<boolean> {
  const { store, path } = copy;
  if (!(await isPresent(copy))) return false;
  await store.deletePrefix(path);
  const folder = { store, path: path.slice(0, -lastPart(path).length - 1) };
  if (!(await isPresent(folder))) await store.deletePrefix(folder.path);
  return true;
}
