import { StorageError, throwIfAborted } from "../errors.js";
import { parentKey } from "./key.js";
import type { ReadableStore, StoreOptions, ValueTail } from "./types.js";

/** The last `length` bytes of a value, or all of a shorter one; undefined if there is none. */
export async function readTail(
  store: ReadableStore,
  key: string,
  length: number,
  options?: StoreOptions,
): Promise<ValueTail | undefined> {
  throwIfAborted(options?.signal);
  if (store.getTail !== undefined) return store.getTail(key, length, options);
  const siblings = await store.list(parentKey(key), { ...options, recursive: false });
  const size = siblings.find((entry) => entry.key === key)?.size;
  if (size === undefined) return undefined;
  const bytes = await store.getRange(key, { start: Math.max(0, size - length), end: size }, options);
  if (bytes !== undefined) return { bytes, size };
  throw new StorageError("value was listed but is gone", { where: `${store.uri}/${key}` });
}
