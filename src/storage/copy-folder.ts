import { StorageError } from "../errors.js";
import { mapBounded } from "../util/concurrency.js";
import type { StoreOptions, WritableStore } from "./types.js";

/** Bytes that are in memory at a time. */
const PART_BYTES = 8 * 2 ** 20;

/** Values under way at a time where the store itself copies them. */
const PARALLEL_COPIES = 8;

/**
 * Copies all keys below the folder `from` to the folder `to` of the same store: for stores without `rename`. One after
 * the other in parts, unless the store itself copies.
 */
export async function copyFolder(
  store: WritableStore,
  from: string,
  to: string,
  options: StoreOptions = {},
): Promise<void> {
  const entries = await store.list(from, options);
  const parallel = store.copy === undefined ? 1 : PARALLEL_COPIES;
  await mapBounded(
    entries,
    parallel,
    ({ key, size }) => copyValue(store, key, size ?? 0, to + key.slice(from.length), options),
    options.signal,
  );
}

/** Copies a value of `size` bytes to another key of the same store. */
export async function copyValue(
  store: WritableStore,
  from: string,
  size: number,
  to: string,
  options: StoreOptions = {},
): Promise<void> {
  if (store.copy !== undefined) return store.copy(from, size, to, options);
  const writer = await store.writer(to, options);
  try {
    for (let start = 0; start < size; start += PART_BYTES) {
      const part = await store.getRange(from, { start, end: Math.min(size, start + PART_BYTES) }, options);
      if (part === undefined)
        throw new StorageError("value was listed but is gone", { where: `${store.uri}/${from}` });
      await writer.write(part);
    }
  } catch (error) {
    await writer.abort();
    throw error;
  }
  await writer.close();
}
