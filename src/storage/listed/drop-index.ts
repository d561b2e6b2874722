import { isCellarrError } from "../../errors.js";
import { joinKey, parentKey } from "../key.js";
import { placeAbove } from "../resolve.js";
import type { ReadableStore, StoreLocation, StoreOptions, WritableStore } from "../types.js";
import { INDEX_KEY } from "./index-file.js";

/** A dataset's root is two folders above a matrix, or more where the group's name has several parts. */
const FOLDERS = 4;

/** Folders in which changes of a store are made before they take their places. */
const ASIDE = /(^|\/)\.cellarr-/;

/**
 * Removes the index files that tell of the folder: its own and those of the folders around it, since it is about to
 * change. Those around it are not everybody's to delete: what forbids it leaves them, and readers that list notice.
 */
export async function dropIndex(
  place: StoreLocation<WritableStore>,
  options: StoreOptions = {},
): Promise<void> {
  // What is made aside becomes part of a store later.
  if (ASIDE.test(place.path)) return;
  const places = placesFrom(place);
  await Promise.all(
    places.map(async ({ store, path }, above) => {
      try {
        await store.delete(joinKey(path, INDEX_KEY), options);
      } catch (error) {
        if (!isCellarrError(error, "STORAGE")) throw error;
        // Who may write but not delete has nothing to delete, mostly.
        if (above === 0 && (await isThere(store, joinKey(path, INDEX_KEY), options))) throw error;
      }
    }),
  );
}

async function isThere(store: ReadableStore, key: string, options: StoreOptions): Promise<boolean> {
  try {
    return (await store.get(key, options)) !== undefined;
  } catch (error) {
    if (isCellarrError(error, "STORAGE")) return false;
    throw error;
  }
}

function placesFrom(place: StoreLocation<WritableStore>): StoreLocation<WritableStore>[] {
  const places: StoreLocation<WritableStore>[] = [];
  let next: StoreLocation<WritableStore> | undefined = place;
  while (next !== undefined && places.length < FOLDERS) {
    places.push(next);
    const { store, path }: StoreLocation<WritableStore> = next;
    next = path === "" ? placeAbove(store) : { store, path: parentKey(path) };
  }
  return places;
}
