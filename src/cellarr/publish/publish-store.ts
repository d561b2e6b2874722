import { ArgumentError, NotFoundError } from "../../errors.js";
import { joinKey } from "../../storage/key.js";
import { INDEX_KEY, writeIndex } from "../../storage/listed/index-file.js";
import { ListedStore } from "../../storage/listed/listed-store.js";
import type { HeldPiece } from "../../storage/listed/listed-view.js";
import { isIndexed, isUnique } from "../../storage/listed/open-listed.js";
import type { StorageOptions } from "../../storage/remote/settings.js";
import { locationUri, resolveLocation } from "../../storage/resolve.js";
import type { StoreEntry, StoreLocation, WritableStore } from "../../storage/types.js";
import { mapBounded } from "../../util/concurrency.js";
import { withStoreLock } from "../change/store-lock.js";
import { type Candidate, candidatesOf, type Piece } from "./held-pieces.js";

export interface PublishOptions {
  /** Bytes of files that the index holds at most; default 1 MiB. */
  readonly maxBytes?: number | undefined;
  /** Go on although a killed process left the store locked. */
  readonly breakLock?: boolean | undefined;
  /** Settings of places that are given as URIs. */
  readonly storage?: StorageOptions | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface PublishResult {
  /** Where the index file is. */
  readonly uri: string;
  /** Bytes of the index file. */
  readonly bytes: number;
  /** Files that it names. */
  readonly files: number;
  /** Files of which it holds all or some bytes. */
  readonly heldFiles: number;
  readonly heldBytes: number;
}

/** Comes in the time of two or three requests over a line of 100 Mbit/s. */
const DEFAULT_BYTES = 1024 * 1024;
const PARALLEL_READS = 16;

/**
 * Writes the index file of a dataset or array, `__cellarr/index.bin`: with it a store opens by one request where nothing
 * can be listed, and faster elsewhere. Whatever of ours writes to the store removes it; publish again then.
 *
 * Throws NotFoundError if there is no array at or below the place, ExistsError while the store is being changed.
 */
export async function publishStore(
  location: string | StoreLocation,
  options: PublishOptions = {},
): Promise<PublishResult> {
  const { maxBytes = DEFAULT_BYTES } = options;
  if (!(maxBytes >= 0)) throw new ArgumentError(`maxBytes ${maxBytes}: expected bytes`);
  const place = resolveLocation(location, options.storage);
  await filesOf(place, options.signal);
  return withStoreLock(place, options.breakLock ?? false, () => publish(place, maxBytes, options.signal));
}

async function publish(
  place: StoreLocation<WritableStore>,
  maxBytes: number,
  signal: AbortSignal | undefined,
): Promise<PublishResult> {
  const { store, path } = place;
  const entries = await filesOf(place, signal);
  const view: ListedStore = new ListedStore(store, path, { entries }, async () => view);
  const pieces = chosen(await candidatesOf(view, path, entries, signal), maxBytes);
  const held = await readPieces(view, path, pieces, signal);
  const skip = path === "" ? 0 : path.length + 1;
  // What comes only once under its name needs nothing else to tell it from others.
  const relative = entries.map(({ key, size, etag }) => ({
    key: key.slice(skip),
    size: size!,
    etag: isUnique(key) ? undefined : etag,
  }));
  const bytes = writeIndex({ entries: relative, held });
  await store.put(joinKey(path, INDEX_KEY), bytes, { signal });
  return {
    uri: `${locationUri(place)}/${INDEX_KEY}`,
    bytes: bytes.byteLength,
    files: entries.length,
    heldFiles: held.size,
    heldBytes: pieces.reduce((sum, { range }) => sum + range.end - range.start, 0),
  };
}

/** All files below the place but for locks and the index itself. */
async function filesOf(
  place: StoreLocation<WritableStore>,
  signal: AbortSignal | undefined,
): Promise<StoreEntry[]> {
  const { store, path } = place;
  const listed = await store.list(path, { recursive: true, signal });
  const files = listed.filter(
    ({ key, size }) =>
      size !== undefined && isIndexed(key, path) && !key.startsWith(joinKey(path, ".cellarr-")),
  );
  if (files.some(({ key }) => /(^|\/)(__schema\/|__array_schema\.tdb$)/.test(key))) return files;
  throw new NotFoundError("no array lies there or below, so there is nothing to publish", {
    where: locationUri(place),
  });
}

/** As much as fits: a candidate that is too large leaves its room to later ones. */
function chosen(candidates: readonly Candidate[], maxBytes: number): Piece[] {
  let left = maxBytes;
  const pieces: Piece[] = [];
  for (const one of candidates) {
    if (one.bytes > left || one.bytes === 0) continue;
    left -= one.bytes;
    pieces.push(...one.pieces);
  }
  return pieces;
}

/** By key relative to the folder, by offset. */
async function readPieces(
  store: ListedStore,
  path: string,
  pieces: readonly Piece[],
  signal: AbortSignal | undefined,
): Promise<Map<string, HeldPiece[]>> {
  const read = await mapBounded(
    pieces,
    PARALLEL_READS,
    ({ key, range }) => store.getRange(key, range, { signal }),
    signal,
  );
  const held = new Map<string, HeldPiece[]>();
  for (const [at, { key, range }] of pieces.entries()) {
    const own = path === "" ? key : key.slice(path.length + 1);
    const others = held.get(own) ?? [];
    held.set(
      own,
      [...others, { start: range.start, bytes: read[at]! }].sort((a, b) => a.start - b.start),
    );
  }
  return held;
}
