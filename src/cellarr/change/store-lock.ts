import { ExistsError } from "../../errors.js";
import { randomUuid } from "../../format/timestamped-name.js";
import { joinKey } from "../../storage/key.js";
import { dropIndex } from "../../storage/listed/drop-index.js";
import { putUnlessThere } from "../../storage/put-new.js";
import { childLocation, locationUri } from "../../storage/resolve.js";
import { moveFolder, type Place } from "../build/staging.js";

/**
 * One change of a store at a time. The lock is a folder that is moved to its name, which works for one of several
 * processes only; in a store without `rename` it is written unless it is there, which is the same where the store can
 * do that at once (`putNew`), and nearly the same elsewhere. Readers take no notice of it. A process that is killed leaves it behind: what comes next must be told that it may break it.
 */

const LOCK = ".cellarr-lock";
const OWNER = "owner.json";

/** Runs `action`, which changes the store, with the lock and without an index file; throws as `withStoreLock` does. */
export function changeStore<T>(location: Place, breakLock: boolean, action: () => Promise<T>): Promise<T> {
  return withStoreLock(location, breakLock, async () => {
    await dropIndex(location);
    return action();
  });
}

/** Runs `action` with the lock. Throws ExistsError while another change holds it, unless `breakLock`. */
export async function withStoreLock<T>(
  location: Place,
  breakLock: boolean,
  action: () => Promise<T>,
): Promise<T> {
  const lock = childLocation(location, LOCK);
  const { store } = location;
  if (breakLock) await store.deletePrefix(lock.path);
  const id = await acquire(location, lock);
  try {
    return await action();
  } finally {
    // One that was broken is not ours any more.
    if ((await ownerOf(lock))?.id === id) await store.deletePrefix(lock.path);
  }
}

async function acquire(location: Place, lock: Place): Promise<string> {
  const { store } = location;
  await checkFree(lock);
  const owner = { id: randomUuid(), since: new Date().toISOString() };
  const bytes = new TextEncoder().encode(JSON.stringify(owner));
  if (store.rename === undefined) {
    // One that is gone by now was in the way only then.
    while (!(await putUnlessThere(store, joinKey(lock.path, OWNER), bytes))) await checkFree(lock);
    return owner.id;
  }
  const attempt = childLocation(location, `${LOCK}-${owner.id}`);
  await store.put(joinKey(attempt.path, OWNER), bytes);
  try {
    await moveFolder(attempt, lock);
  } catch (error) {
    await store.deletePrefix(attempt.path);
    await checkFree(lock);
    throw error;
  }
  return owner.id;
}

async function checkFree(lock: Place): Promise<void> {
  const owner = await ownerOf(lock);
  if (owner === null) return;
  throw new ExistsError(
    `another change of the store is under way since ${owner.since}; if its process is gone, pass breakLock: true ` +
      "(on the command line --break-lock)",
    { where: locationUri(lock) },
  );
}

async function ownerOf(lock: Place): Promise<{ id: string; since: string } | null> {
  const bytes = await lock.store.get(joinKey(lock.path, OWNER));
  if (bytes === undefined) return null;
  try {
    const owner = JSON.parse(new TextDecoder().decode(bytes)) as { id?: unknown; since?: unknown };
    return { id: String(owner.id), since: String(owner.since) };
  } catch {
    return { id: "", since: "an unknown time" };
  }
}
