import { NotFoundError, StorageError } from "../../errors.js";
import { locationUri } from "../../storage/resolve.js";
import { readTail } from "../../storage/tail.js";
import type { StoreLocation } from "../../storage/types.js";
import type { DownloadOptions, DownloadTarget } from "./download.js";

/** Bytes of a request. */
const PART = 16 * 2 ** 20;

/** Brings a file of a bucket, part after part. Throws NotFoundError where it is not there. */
export async function fetchValue(
  { store, path }: StoreLocation,
  target: DownloadTarget,
  { signal, onBytes }: DownloadOptions = {},
): Promise<void> {
  const where = locationUri({ store, path });
  const tail = path === "" ? undefined : await readTail(store, path, 1, { signal });
  if (tail === undefined) throw new NotFoundError("no such file", { where });
  for (let start = 0; start < tail.size; start += PART) {
    const end = Math.min(start + PART, tail.size);
    const part = await store.getRange(path, { start, end }, { signal });
    if (part === undefined) throw new StorageError("the file was there and is gone", { where });
    await target.write(part);
    onBytes?.(end, tail.size);
  }
}
