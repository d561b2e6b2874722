import { ArgumentError } from "../../errors.js";
import { ByteCache } from "./byte-cache.js";
import type { LaterCache } from "./later-cache.js";

/** The one cache of the process, for all stores that are asked over a network. */

/** Tiles of a few thousand small slices, or the columns of metadata of some stores. */
const DEFAULT_BYTES = 64 * 1024 * 1024;

const cache = new ByteCache(DEFAULT_BYTES);
let behind: LaterCache | undefined;

/** The cache, or undefined where `bytes` is 0; a number is from then on the limit for all stores. */
export function sharedCache(bytes?: number | undefined): ByteCache | undefined {
  if (bytes === 0) return undefined;
  if (bytes !== undefined && !(bytes > 0)) {
    throw new ArgumentError(`cacheBytes ${bytes}: expected bytes, or 0 for no cache`);
  }
  if (bytes !== undefined) cache.limit = bytes;
  return cache;
}

/** Forgets what is kept in memory. */
export function clearCache(): void {
  cache.clear();
}

/** Puts a cache behind the one in memory, for stores that are opened from then on; undefined takes it away. */
export function setLaterCache(later: LaterCache | undefined): void {
  behind = later;
}

export function laterCache(): LaterCache | undefined {
  return behind;
}
