import { GoneError } from "../../errors.js";
import { type ListedView, listedView } from "../../storage/listed/listed-view.js";
import { type ListedOptions, openListed } from "../../storage/listed/open-listed.js";
import { whileWaiting } from "../../storage/remote/while-waiting.js";
import type { StoreLocation } from "../../storage/types.js";
import { type ArrayReadOptions, loadArrayDirectory } from "./array-directory.js";
import { requireArray } from "./object-type.js";
import { type DirectoryState, openDirectory } from "./open-directory.js";
import { openingWave } from "./opening-wave.js";
import type { TimeWindow } from "./visible-at.js";

/**
 * Opening arrays where a request takes time: one listing, unless the keys are known, then all that opening will read at
 * once. What is gone by then was vacuumed or written anew: the keys are listed again, once.
 */

export type RemoteOptions = ArrayReadOptions & ListedOptions;

/** Throws NotFoundError, saying what is there instead, unless an array lies at the location. */
export async function openRemote(
  place: StoreLocation,
  window: TimeWindow,
  options: RemoteOptions,
): Promise<DirectoryState> {
  const { path } = place;
  const view = listedView(place.store, path) ?? (await listedPlace(place, options));
  try {
    return await openView({ store: view, path }, window, options);
  } catch (error) {
    if (!(error instanceof GoneError)) throw error;
    return openView({ store: await view.refresh(options), path }, window, options);
  }
}

async function listedPlace(place: StoreLocation, options: RemoteOptions): Promise<ListedView> {
  whileWaiting(loadReading);
  return (await openListed(place, options)).store;
}

/**
 * Loads what reads of remote arrays take, Zstandard too, which nearly every array has: while the answer to the first
 * request is on its way there is time for it.
 */
export function loadReading(): void {
  const modules = [
    import("../read/tiles-ahead.js"),
    import("../../format/filters/registry.js").then(({ loadFilter }) => loadFilter("zstd", false)),
  ];
  // Whoever needs one meets what is wrong with it.
  for (const loading of modules) loading.catch(() => {});
}

async function openView(
  place: StoreLocation<ListedView>,
  window: TimeWindow,
  { signal, encryptionKey }: RemoteOptions,
): Promise<DirectoryState> {
  const { store, path } = place;
  const wave = openingWave(await store.list(path, { signal }), path, window);
  // Of some fragments the footer is at hand, which does.
  const missing = wave.filter(({ key, range }) => range === undefined || store.tail(key) === undefined);
  const release = store.askAhead(missing, { signal });
  try {
    const directory = await loadArrayDirectory(place, { signal, encryptionKey });
    if (directory.schemas.length === 0) await requireArray(place, { signal });
    return await openDirectory(directory, window, { signal });
  } finally {
    release();
  }
}
