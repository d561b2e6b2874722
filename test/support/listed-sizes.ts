import type { ReadableStore, StoreEntry } from "../../src/storage/types.js";

/** Keys and sizes of a listing; ETags are each server's own. */
export async function listedSizes(
  store: ReadableStore,
  prefix: string,
  options?: { recursive: boolean },
): Promise<Pick<StoreEntry, "key" | "size">[]> {
  return (await store.list(prefix, options)).map(({ key, size }) => ({ key, size }));
}
