import { copyFolder } from "../../storage/copy-folder.js";
import { joinKey, lastPart } from "../../storage/key.js";
import { childLocation } from "../../storage/resolve.js";
import type { StoreLocation, WritableStore } from "../../storage/types.js";

/**
 * Further fragments for an array that is there. They are made in an array with the same schema in the staging folder and
 * moved to their places; their commit files, without which they do not count, are written last. A list of them in the
 * staging folder lets the next change of the store take them back where a process was killed in between.
 */

type Place = StoreLocation<WritableStore>;

const JOURNAL = "cells/fragments.json";

/** An array without cells that has the schema of another, under the same name. */
export async function copySchema(from: Place, to: Place): Promise<void> {
  await copyFolder(to.store, joinKey(from.path, "__schema"), joinKey(to.path, "__schema"));
}

interface Fragment {
  /** Folder in which it was made. */
  readonly made: string;
  /** Its place. */
  readonly place: string;
  readonly commitMade: string;
  readonly commit: string;
}

export class PlacedFragments {
  readonly #staging: Place;
  readonly #fragments: Fragment[] = [];

  /** @param staging folder of the change */
  constructor(staging: Place) {
    this.#staging = staging;
  }

  /** Takes note of all fragments of an array in the staging folder, which go to the array `target`. */
  async add(made: Place, target: Place): Promise<void> {
    const { store } = made;
    const commits = await store.list(joinKey(made.path, "__commits"), { recursive: false });
    for (const { key, size } of commits) {
      if (size === undefined || !key.endsWith(".wrt")) continue;
      const name = lastPart(key).slice(0, -".wrt".length);
      this.#fragments.push({
        made: joinKey(made.path, "__fragments", name),
        place: joinKey(target.path, "__fragments", name),
        commitMade: key,
        commit: joinKey(target.path, "__commits", `${name}.wrt`),
      });
    }
  }

  /** Notes down what will be placed, for the case that the process is killed. */
  async note(): Promise<void> {
    const bytes = new TextEncoder().encode(JSON.stringify(this.#fragments));
    await this.#staging.store.put(joinKey(this.#staging.path, JOURNAL), bytes);
  }

  async place(): Promise<void> {
    const { store } = this.#staging;
    for (const { made, place } of this.#fragments) {
      if (store.rename === undefined) await copyFolder(store, made, place);
      else await store.rename(made, place);
    }
    for (const { commitMade, commit } of this.#fragments) {
      await store.put(commit, (await store.get(commitMade)) ?? new Uint8Array(0));
    }
  }

  async undo(): Promise<void> {
    await remove(this.#staging.store, this.#fragments);
  }
}

/** Takes back the fragments that a killed process noted down. */
export async function undoFragments(staging: Place): Promise<void> {
  const bytes = await staging.store.get(childLocation(staging, JOURNAL).path);
  if (bytes === undefined) return;
  await remove(staging.store, JSON.parse(new TextDecoder().decode(bytes)) as Fragment[]);
}

async function remove(store: WritableStore, fragments: readonly Fragment[]): Promise<void> {
  for (const { commit } of fragments) await store.delete(commit);
  for (const { place } of fragments) await store.deletePrefix(place);
}
