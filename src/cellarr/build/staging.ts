import { randomUuid } from "../../format/timestamped-name.js";
import { joinKey, lastPart } from "../../storage/key.js";
import { childLocation } from "../../storage/resolve.js";
import type { StoreLocation, WritableStore } from "../../storage/types.js";
import { undoFragments } from "../change/placed-fragments.js";
import { storeNames } from "../layout.js";

/**
 * The folder in which a build makes the parts of a store, inside the folder of the store; TileDB and Python cellarr
 * take no notice of it.
 *
 *     .cellarr-building-<uuid>/new/        parts that are being made
 *     .cellarr-building-<uuid>/replaced/   parts that were there, while the new ones take their places
 *     .cellarr-building-<uuid>/by_gene/    gene-major copies, which take their places when all parts have
 *     .cellarr-building-<uuid>/runs/       what is being sorted for them
 *     .cellarr-building-<uuid>/cells/      further fragments of matrices that stay, and a list of them
 *     .cellarr-building-<uuid>/totals/     what matrices add up to, cell by cell
 */

const STAGING = ".cellarr-building-";

export type Place = StoreLocation<WritableStore>;

/** A staging folder of a new name. */
export function newStaging(location: Place): Place {
  return childLocation(location, `${STAGING}${randomUuid()}`);
}

/** The staging folder of builds that may be resumed. */
export function resumableStaging(location: Place): Place {
  return childLocation(location, `${STAGING}resume`);
}

/** Where a part is made. */
export function newPart(staging: Place, part: string): Place {
  return childLocation(staging, "new", part);
}

/** Where the part is that was there before. */
export function replacedPart(staging: Place, part: string): Place {
  return childLocation(staging, "replaced", part);
}

/** True if a build moved parts aside that are in their places neither in their old nor in their new form. */
export async function isInterrupted(staging: Place): Promise<boolean> {
  return (await hasFiles(childLocation(staging, "replaced"))) && hasFiles(childLocation(staging, "new"));
}

/** Deletes the staging folders of all builds, those that were killed too. */
export async function deleteStaging(location: Place): Promise<void> {
  for (const { store, path } of await stagingFolders(location)) await store.deletePrefix(path);
}

/** Puts back what a build had moved aside that was killed before the new parts were in their places. */
export async function restoreInterrupted(location: Place): Promise<void> {
  for (const staging of await stagingFolders(location)) {
    if (!(await isInterrupted(staging))) continue;
    await undoFragments(staging);
    for (const part of await replacedParts(staging)) {
      const place = childLocation(location, part);
      // What stands there is a new part without the others.
      await place.store.deletePrefix(place.path);
      await moveFolder(replacedPart(staging, part), place);
    }
    await staging.store.deletePrefix(staging.path);
  }
}

/** Moves a folder; the store must have `rename`. */
export async function moveFolder(from: Place, to: Place): Promise<void> {
  await from.store.rename?.(from.path, to.path);
}

/** True if something is at the place, be it empty folders. */
export async function isPresent({ store, path }: Place): Promise<boolean> {
  return (await store.list(path, { recursive: false })).length > 0;
}

async function hasFiles({ store, path }: Place): Promise<boolean> {
  return (await store.list(path)).length > 0;
}

async function stagingFolders(location: Place): Promise<Place[]> {
  return (await childFolders(location)).filter(({ path }) => lastPart(path).startsWith(STAGING));
}

/** Frames and the group of matrices; the matrices one by one where the group itself stayed in its place. */
async function replacedParts(staging: Place): Promise<string[]> {
  const parts = (await childFolders(childLocation(staging, "replaced"))).map(({ path }) => lastPart(path));
  const { assays } = storeNames;
  if (!parts.includes(assays)) return parts;
  const group = replacedPart(staging, assays);
  if ((await group.store.get(joinKey(group.path, "__tiledb_group.tdb"))) !== undefined) return parts;
  const matrices = (await childFolders(group)).map(({ path }) => joinKey(assays, lastPart(path)));
  return [...parts.filter((part) => part !== assays), ...matrices];
}

async function childFolders({ store, path }: Place): Promise<Place[]> {
  const entries = await store.list(path, { recursive: false });
  return entries.filter(({ size }) => size === undefined).map(({ key }) => ({ store, path: key }));
}
