import { ArgumentError, ExistsError } from "../../errors.js";
import { randomUuid } from "../../format/timestamped-name.js";
import { copyFolder } from "../../storage/copy-folder.js";
import { parentKey } from "../../storage/key.js";
import { locationUri } from "../../storage/resolve.js";
import type { StoreLocation, StoreWriter, WritableStore } from "../../storage/types.js";

/** Folders that appear under their names when they are complete. */

export type Place = StoreLocation<WritableStore>;

export interface FolderRules {
  readonly overwrite: boolean;
  /** Whether a key of a folder, relative to it, can be of such an export: others keep it from being replaced. */
  readonly isOurs: (key: string) => boolean;
}

/** Lets `produce` fill a folder beside `target`, which then takes the target's place. Whatever fails leaves nothing. */
export async function withFolder(
  target: Place,
  rules: FolderRules,
  produce: (folder: Place) => Promise<void>,
): Promise<void> {
  const { store, path } = target;
  if (path === "") throw new ArgumentError("an export needs a folder of its own", { where: store.uri });
  await checkTarget(target, rules);
  const folder = { store, path: `${path}.${randomUuid()}.tmp` };
  try {
    await store.makeFolder(folder.path);
    await produce(folder);
    await checkTarget(target, rules);
    await publish(folder, target);
  } finally {
    await store.deletePrefix(folder.path);
  }
}

async function checkTarget(target: Place, { overwrite, isOurs }: FolderRules): Promise<void> {
  const where = locationUri(target);
  const { store, path } = target;
  const entries = await store.list(path);
  if (entries.length === 0) return checkNoFile(target);
  if (!overwrite) throw new ExistsError("folder is there already and is not empty", { where });
  const foreign = entries.map(({ key }) => key.slice(path.length + 1)).find((key) => !isOurs(key));
  if (foreign === undefined) return;
  throw new ExistsError(`folder is not replaced: it holds '${foreign}', which is no part of an export`, {
    where,
  });
}

/** Where folders are moved there are folders and files, and one of either for a name. */
async function checkNoFile(target: Place): Promise<void> {
  const { store, path } = target;
  if (store.rename === undefined) return;
  const beside = await store.list(parentKey(path), { recursive: false });
  if (beside.every(({ key, size }) => key !== path || size === undefined)) return;
  throw new ExistsError("a file has the name of the folder that is to be written", {
    where: locationUri(target),
  });
}

async function publish(folder: Place, { store, path }: Place): Promise<void> {
  if (store.rename === undefined) {
    await store.deletePrefix(path);
    return copyFolder(store, folder.path, path);
  }
  const replaced = `${folder.path}.old`;
  const isThere = (await store.list(path)).length > 0;
  if (isThere) await store.rename(path, replaced);
  try {
    await store.rename(folder.path, path);
  } catch (error) {
    if (isThere) await store.rename(replaced, path);
    throw error;
  }
  if (isThere) await store.deletePrefix(replaced);
}

/** Writes one value of a store piece by piece; nothing is left where `produce` fails. */
export async function withWriter(
  { store, path }: Place,
  signal: AbortSignal | undefined,
  produce: (writer: StoreWriter) => Promise<void>,
): Promise<void> {
  const writer = await store.writer(path, { signal });
  try {
    await produce(writer);
    await writer.close();
  } catch (error) {
    await writer.abort();
    throw error;
  }
}
