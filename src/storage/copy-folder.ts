import { StorageError } from "../errors.js";
import type { StoreOptions, WritableStore } from "./types.js";

/** Bytes that are in memory at a time. */
const PART_BYTES = 8 * 2 ** 20;

/** Copies all keys below the folder `from` to the folder `to` of the same store, in parts: for stores without `rename`. */
export async function copyFolder(
  store: WritableStore,
  from: string,
  to: string,
  options: StoreOptions = {},
): Promise<void> {
  for (const { key, size } of await store.list(from, options)) {
    await copyValue(store, key, to + key.slice(from.length), size ?? 0, options);
  }
}

async function copyValue(
  store: WritableStore,
  from: string,
  to: string,
  size: number,
  options: StoreOptions,
): Promise<void> {
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
