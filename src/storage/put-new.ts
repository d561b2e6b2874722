import type { StoreOptions, WritableStore } from "./types.js";

/**
 * Writes a value unless there is one already, and says whether it did. In stores without `putNew` it is looked for and
 * then written: of two that ask at the same time both may be told true.
 */
export async function putUnlessThere(
  store: WritableStore,
  key: string,
  bytes: Uint8Array,
  options?: StoreOptions,
): Promise<boolean> {
  if (store.putNew !== undefined) return store.putNew(key, bytes, options);
  if ((await store.get(key, options)) !== undefined) return false;
  await store.put(key, bytes, options);
  return true;
}
