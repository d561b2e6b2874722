import { writeIgnoreFile } from "../../format/ignore-file.js";
import { WRITE_VERSION } from "../../format/version.js";
import { joinKey } from "../../storage/key.js";
import type { StorageOptions } from "../../storage/remote/settings.js";
import type { StoreLocation, StoreOptions } from "../../storage/types.js";
import { type ArrayDirectory, loadArrayDirectory, type VacuumEntry } from "../directory/array-directory.js";
import { newRangeName } from "../write/new-name.js";
import { openTarget, type WriteTarget } from "../write/write-target.js";

export interface VacuumOptions {
  /** What to vacuum; default "fragments". */
  readonly mode?: "fragments" | "metadata" | undefined;
  /** Settings of places that are given as URIs. */
  readonly storage?: StorageOptions | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Deletes what consolidations have replaced: fragments with their commits, or metadata files. Afterwards the array can
 * no longer be opened as it was before the consolidation, except where the fragment keeps history. Vacuum files go
 * last, so that an interrupted vacuum can be run again.
 *
 * @returns names of the fragments or metadata files that were deleted
 */
export async function vacuum(
  location: string | StoreLocation,
  options: VacuumOptions = {},
): Promise<readonly string[]> {
  const target = await openTarget(location, options);
  const storeOptions = { signal: options.signal };
  const directory = await loadArrayDirectory(target.place, storeOptions);
  return options.mode === "metadata"
    ? vacuumMetadata(target, directory, storeOptions)
    : vacuumFragments(target, directory, storeOptions);
}

async function vacuumFragments(
  { place }: WriteTarget,
  directory: ArrayDirectory,
  options: StoreOptions,
): Promise<readonly string[]> {
  const { store, path } = place;
  const committed = directory.fragments.map((fragment) => fragment.name);
  const vacuums = effective(directory.vacuums, committed);
  const replaced = [...new Set(vacuums.flatMap((entry) => entry.replaced))];
  await ignoreCommits(place, directory, replaced, options);
  for (const name of replaced) {
    await store.delete(joinKey(path, "__commits", `${name}.wrt`), options);
    await store.deletePrefix(joinKey(path, "__fragments", name), options);
  }
  for (const { key } of vacuums) await store.delete(key, options);
  return replaced;
}

/**
 * Vacuum files whose own fragment (or file) is there, or was itself replaced by another's: without it, what they name
 * is all there is.
 */
function effective(vacuums: readonly VacuumEntry[], present: readonly string[]): VacuumEntry[] {
  const known = new Set([...present, ...vacuums.flatMap((entry) => entry.replaced)]);
  return vacuums.filter(({ name }) => known.has(name.slice(0, -".vac".length)));
}

/** Commits that stand in a consolidated commits file cannot be deleted: an ignore file takes them back. */
async function ignoreCommits(
  { store, path }: WriteTarget["place"],
  { commits }: ArrayDirectory,
  replaced: readonly string[],
  options: StoreOptions,
): Promise<void> {
  const ignored = replaced.map((name) => `${name}.wrt`).filter((name) => commits.consolidatedNames.has(name));
  if (ignored.length === 0) return;
  const name = newRangeName(0, Date.now(), WRITE_VERSION);
  await store.put(joinKey(path, "__commits", `${name}.ign`), writeIgnoreFile(ignored), options);
}

async function vacuumMetadata(
  { place }: WriteTarget,
  directory: ArrayDirectory,
  options: StoreOptions,
): Promise<readonly string[]> {
  const { store, path } = place;
  const vacuums = effective(
    directory.metadataVacuums,
    directory.metadata.map((file) => file.name),
  );
  const replaced = [...new Set(vacuums.flatMap((entry) => entry.replaced))];
  for (const name of replaced) await store.delete(joinKey(path, "__meta", name), options);
  for (const { key } of vacuums) await store.delete(key, options);
  return replaced;
}
