import type { StoreLocation, WritableStore } from "../types.js";
import type { CachesLike, LaterCache } from "./later-cache.js";

/** The face of the cache: its code is loaded with the first remote store, or when it is asked for. */

export type { LaterCache } from "./later-cache.js";

/** Forgets what is kept in memory of remote stores. */
export async function clearCache(): Promise<void> {
  (await import("./shared-cache.js")).clearCache();
}

/** Puts a cache behind the one in memory, for stores that are opened from then on; undefined takes it away. */
export async function setLaterCache(later: LaterCache | undefined): Promise<void> {
  (await import("./shared-cache.js")).setLaterCache(later);
}

/**
 * The Cache API (`caches`), which browsers, Deno and workers have, as a cache of ranges for `setLaterCache`: each in an
 * entry of its own, found again by the same range only. How much is kept and for how long is for the platform to say.
 *
 * @param caches the platform's by default
 */
export async function cacheApiCache(name = "cellarr", caches?: CachesLike): Promise<LaterCache> {
  return (await import("./later-cache.js")).cacheApiCache(name, caches);
}

/**
 * A folder, on disk or in whatever can be written to, as a cache of ranges for `setLaterCache`: each in a file of its
 * own, with a checksum, found again by the same range only. It outlives the process.
 *
 * @param location a folder of its own: files in it are deleted when there are too many
 * @param maxBytes of all its files; default 1 GiB
 */
export async function folderCache(
  location: string | StoreLocation<WritableStore>,
  maxBytes?: number,
): Promise<LaterCache> {
  return (await import("./folder-cache.js")).folderCache(location, maxBytes);
}
