import { ExistsError, StorageError } from "../errors.js";
import { childLocation, locationUri } from "../storage/resolve.js";
import type { StoreLocation, WritableStore } from "../storage/types.js";
import { storeNames } from "./layout.js";

/** The folder that a build writes to: what it adds is known, and removed again if the build fails. */

export interface Output {
  /** True if the group of matrices is there already, from an earlier part of the build. */
  readonly hasGroup: boolean;
  /** The place of an array or group that is about to be made. */
  add(name: string): StoreLocation<WritableStore>;
  /** Deletes all that was added. Throws StorageError if that fails. */
  remove(): Promise<void>;
}

/**
 * Throws ExistsError if one of `targets` (folders below `location`, in the order in which they will be written) is
 * there, unless `overwrite`: then all of them are deleted, the last first, and with them all matrices, which belong to
 * the cells and genes that are replaced.
 */
export async function prepareOutput(
  location: StoreLocation<WritableStore>,
  targets: readonly string[],
  overwrite: boolean,
): Promise<Output> {
  for (const target of targets.toReversed()) {
    const place = childLocation(location, target);
    const present = await isPresent(place);
    if (present && !overwrite) {
      throw new ExistsError(`'${target}' is there already; pass overwrite: true to replace the store`, {
        where: locationUri(location),
      });
    }
    if (present) await place.store.deletePrefix(place.path);
  }
  const group = childLocation(location, storeNames.assays);
  // Matrices alone are added to what is there; with frames, the old matrices' numbers mean nothing any more.
  const frames = targets.some((target) => !target.startsWith(`${storeNames.assays}/`));
  if (overwrite && frames) await group.store.deletePrefix(group.path);
  return new AddedOutput(location, await isPresent(group));
}

async function isPresent({ store, path }: StoreLocation<WritableStore>): Promise<boolean> {
  return (await store.list(path, { recursive: false })).length > 0;
}

class AddedOutput implements Output {
  readonly hasGroup: boolean;
  readonly #location: StoreLocation<WritableStore>;
  readonly #added: StoreLocation<WritableStore>[] = [];

  constructor(location: StoreLocation<WritableStore>, hasGroup: boolean) {
    this.#location = location;
    this.hasGroup = hasGroup;
  }

  add(name: string): StoreLocation<WritableStore> {
    const place = childLocation(this.#location, name);
    this.#added.push(place);
    return place;
  }

  async remove(): Promise<void> {
    for (const { store, path } of this.#added.toReversed()) {
      try {
        await store.deletePrefix(path);
      } catch (error) {
        const where = locationUri(this.#location);
        throw new StorageError(`the build failed, and '${path}' could not be removed`, {
          where,
          cause: error,
        });
      }
    }
  }
}
