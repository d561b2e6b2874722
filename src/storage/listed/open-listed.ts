import { isCellarrError, RefusedError, UnsupportedError } from "../../errors.js";
import { CachedStore } from "../cache/cached-store.js";
import { laterCache, sharedCache } from "../cache/shared-cache.js";
import { joinKey } from "../key.js";
import { locationUri } from "../resolve.js";
import type { ReadableStore, StoreEntry, StoreLocation, StoreOptions, ValueVersion } from "../types.js";
import { INDEX_FOLDER, INDEX_KEY, readIndex, type StoreIndex } from "./index-file.js";
import { ListedStore } from "./listed-store.js";
import type { HeldPiece, ListedView } from "./listed-view.js";

/**
 * A folder of a store with its keys: from one recursive listing, from its index file, or from both, asked for at the
 * same time. What the index holds counts only where the listing has the same file.
 */

export interface ListedOptions extends StoreOptions {
  /**
   * How the folder's index file is used. "check" (default where keys can be listed): against a listing asked for at the
   * same time. "trust" (default where they cannot): without one. "ignore": not at all.
   */
  readonly index?: "check" | "trust" | "ignore" | undefined;
  /** Bytes of the memory cache, which all stores of the process share; 0: none for this one. */
  readonly cacheBytes?: number | undefined;
  /** Called with what is wrong with an index file that is not used. */
  readonly onDamagedIndex?: ((message: string, where: string) => void) | undefined;
}

/** Keys and held bytes are of the store, not relative to the folder. */
interface Content {
  readonly entries: readonly StoreEntry[];
  readonly held: ReadonlyMap<string, readonly HeldPiece[]>;
  /** Whether the entries come from the store itself. */
  readonly isListed: boolean;
}

/**
 * Throws UnsupportedError where the keys can neither be listed nor are in an index file, StorageError where the store
 * fails.
 */
export async function openListed(
  location: StoreLocation,
  options: ListedOptions = {},
): Promise<StoreLocation<ListedView>> {
  return { store: await listedStore(location, options), path: location.path };
}

async function listedStore(location: StoreLocation, options: ListedOptions): Promise<ListedStore> {
  const content = await contentOf(location, options);
  const base = cached(location.store, content.entries, options);
  const refresh = (next: StoreOptions = {}) => listedStore(location, { ...options, signal: next.signal });
  return new ListedStore(base, location.path, content, refresh);
}

async function contentOf(location: StoreLocation, options: ListedOptions): Promise<Content> {
  const { index: use = "check" } = options;
  const listing = use === "trust" ? undefined : list(location, options);
  // Waited for second: it must not fail unheard.
  listing?.catch(() => {});
  let fault: IndexFault | undefined;
  const onFault = (found: IndexFault) => {
    fault = found;
  };
  const index = use === "ignore" ? undefined : await indexOf(location, options, onFault);
  if (index === undefined) {
    const entries = (listing ?? list(location, options)).catch((error: unknown) => {
      throw isCellarrError(error, "UNSUPPORTED") ? unlisted(location, fault, error) : error;
    });
    return { entries: await entries, held: new Map(), isListed: true };
  }
  if (listing === undefined) return index;
  try {
    return agreed(await listing, index);
  } catch (error) {
    // Static hosting lists nothing, and buckets that anybody may read often cannot be listed by anybody.
    if (isCellarrError(error, "UNSUPPORTED") || error instanceof RefusedError) return index;
    throw error;
  }
}

function list({ store, path }: StoreLocation, { signal }: ListedOptions): Promise<StoreEntry[]> {
  return store.list(path, { recursive: true, signal });
}

/** Why an index file is of no use. */
interface IndexFault {
  readonly kind: "refused" | "damaged";
  readonly problem: string;
}

/** Nothing says which files there are. */
function unlisted(location: StoreLocation, fault: IndexFault | undefined, cause: unknown): UnsupportedError {
  return new UnsupportedError(`its files cannot be listed, and ${withoutIndex(fault)}`, {
    where: locationUri(location),
    cause,
  });
}

function withoutIndex(fault: IndexFault | undefined): string {
  if (fault === undefined) {
    return `there is no index file '${INDEX_KEY}' that says which there are ("cellarr publish" makes one)`;
  }
  const { kind, problem } = fault;
  if (kind === "refused") return `the index file '${INDEX_KEY}' is refused, or not there: ${problem}`;
  return `the index file '${INDEX_KEY}' cannot be used: ${problem} ("cellarr publish" makes it anew)`;
}

/** Undefined where there is none, or none that can be used. */
async function indexOf(
  location: StoreLocation,
  options: ListedOptions,
  onFault: (fault: IndexFault) => void,
): Promise<Content | undefined> {
  const { store, path } = location;
  const key = joinKey(path, INDEX_KEY);
  const where = `${store.uri}/${key}`;
  let bytes: Uint8Array | undefined;
  try {
    bytes = await store.get(key, { signal: options.signal });
  } catch (error) {
    // Where nothing can be listed, some stores answer 403 for what is not there.
    if (!(error instanceof RefusedError)) throw error;
    onFault({ kind: "refused", problem: error.problem });
    return undefined;
  }
  if (bytes === undefined) return undefined;
  try {
    return inStore(readIndex(bytes, where), path);
  } catch (error) {
    if (!isCellarrError(error)) throw error;
    onFault({ kind: "damaged", problem: error.problem });
    options.onDamagedIndex?.(`${error.problem}; it is not used`, where);
    return undefined;
  }
}

function inStore({ entries, held }: StoreIndex, path: string): Content {
  return {
    entries: entries.map((entry) => ({ ...entry, key: joinKey(path, entry.key) })),
    held: new Map([...held].map(([key, pieces]) => [joinKey(path, key), pieces])),
    isListed: false,
  };
}

/** What is listed, with what the index holds of the same files. */
function agreed(listed: readonly StoreEntry[], index: Content): Content {
  const known = new Map(index.entries.map((entry) => [entry.key, entry]));
  const held = new Map<string, readonly HeldPiece[]>();
  for (const entry of listed) {
    const pieces = index.held.get(entry.key);
    if (pieces !== undefined && isSame(entry, known.get(entry.key)!)) held.set(entry.key, pieces);
  }
  return { entries: listed, held, isListed: true };
}

/**
 * Whether an index's file is the one that is listed: the same size and, where both know it, the same ETag. Where they do
 * not, the name must be one that comes only once.
 */
function isSame(listed: StoreEntry, indexed: StoreEntry): boolean {
  if (listed.size !== indexed.size) return false;
  if (listed.etag !== undefined && indexed.etag !== undefined) return listed.etag === indexed.etag;
  return isUnique(listed.key);
}

/**
 * Part of a path that says when it was written and has 32 random hexadecimal digits: fragments with their files,
 * commits, schemas, metadata, group details. TileDB writes a name of this kind once.
 */
const UNIQUE = /(^|\/)__[^/]*[0-9a-fA-F]{32}[^/]*(\/|$)/;

/** Whether no other file will ever have the name. */
export function isUnique(key: string): boolean {
  return UNIQUE.test(key);
}

function cached(store: ReadableStore, entries: readonly StoreEntry[], options: ListedOptions): ReadableStore {
  const cache = sharedCache(options.cacheBytes);
  if (cache === undefined) return store;
  const versions = new Map<string, ValueVersion>();
  for (const { key, size, etag } of entries) {
    if (size === undefined || (etag === undefined && !isUnique(key))) continue;
    versions.set(key, { size, etag });
  }
  return new CachedStore(store, { cache, later: laterCache(), versionOf: (key) => versions.get(key) });
}

/** Files that an index tells of: all but itself. */
export function isIndexed(key: string, root: string): boolean {
  return !key.startsWith(joinKey(root, `${INDEX_FOLDER}/`));
}
