import { GoneError } from "../../errors.js";
import { listedView } from "../../storage/listed/listed-view.js";
import { loadArrayDirectory } from "./array-directory.js";
import { type DirectoryState, openDirectory } from "./open-directory.js";
import { openRemote } from "./open-remote.js";
import type { TimeWindow } from "./visible-at.js";

/**
 * An array of which files are gone since it was opened: somebody has consolidated it and vacuumed what was replaced. It
 * is opened again as it was, of the fragments that are there now.
 */

/**
 * Throws the `gone` error unless what is there now holds the cells that were there then: each fragment that is missing
 * must lie inside a newer one, and no newer one may reach beyond what was there.
 */
export async function reopenDirectory(before: DirectoryState, gone: GoneError): Promise<DirectoryState> {
  const now = await openAgain(before);
  const known = new Set(before.fragments.map(({ files }) => files.name));
  const present = new Set(now.fragments.map(({ files }) => files.name));
  const missing = before.fragments.filter(({ files }) => !present.has(files.name));
  const added = now.fragments.filter(({ files }) => !known.has(files.name));
  const start = Math.min(...before.fragments.map(({ files }) => files.start));
  const end = lastTime(before);
  const isCovered = missing.every(({ files }) =>
    added.some((one) => one.files.start <= files.start && files.end <= one.files.end),
  );
  const isOld = added.every(({ files }) => start <= files.start && files.end <= end);
  const deletes = now.deletes.map(({ name }) => name).join();
  const sameDeletes = deletes === before.deletes.map(({ name }) => name).join();
  if (missing.length > 0 && isCovered && isOld && sameDeletes) {
    const { schema, window } = before;
    for (const fragment of now.fragments) fragment.readAs(schema);
    return { ...now, schema, window };
  }
  // Where nothing is missing, what was gone is no fragment, or the index that names it is out of date.
  throw new GoneError(`${gone.problem}, and the array is not what it was; open it again`, {
    ...(gone.where !== undefined && { where: gone.where }),
    cause: gone,
  });
}

async function openAgain(before: DirectoryState): Promise<DirectoryState> {
  const { directory, window } = before;
  const { location, encryptionKey } = directory;
  const { store, path } = location;
  // What was written after it was opened stays unseen.
  const then: TimeWindow = { start: window.start, end: lastTime(before) };
  const view = listedView(store, path);
  if (view !== undefined) {
    return openRemote({ store: await view.refresh(), path }, then, { encryptionKey });
  }
  return openDirectory(await loadArrayDirectory(location, { encryptionKey }), then);
}

/** When the last of what is seen was written. */
function lastTime({ fragments, deletes, window }: DirectoryState): number {
  const times = [...fragments.map(({ files }) => files.end), ...deletes.map(({ time }) => time)];
  return times.length === 0 ? window.end : Math.min(window.end, Math.max(...times));
}
