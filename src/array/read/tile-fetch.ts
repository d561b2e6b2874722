import { GoneError, throwIfAborted } from "../../errors.js";
import type { ByteRange, ReadableStore } from "../../storage/types.js";
import { mapBounded } from "../../util/concurrency.js";
import { plainBytes } from "../../util/typed-arrays.js";
import type { FieldFile, StoredField } from "../directory/stored-field.js";
import { decodeHere } from "./decode-here.js";
import type { TilesAhead } from "./tiles-ahead.js";

/**
 * Tiles' bytes by few requests: neighbours in a file come together, a bounded amount is in flight, and what has arrived
 * is decoded while the rest is on its way.
 */

/**
 * Unwanted bytes between two tiles that are read along rather than asked around. On a local disk reads of up to 64 KB
 * take the time of the smallest one (0.1 ms to open, stat, read and close in Node; 0.2 to 0.4 ms for 256 KB). It does for
 * networks as well: 30 ms a request, 16 at a time and 100 Mbit/s, 100 scattered cells of two million values take 606 ms
 * without joining, 261 with a gap of 16 KB, 236 to 239 with 64 KB to 1 MB; 20 cells 101, 63, 62, with 1 MB 86. Stores may
 * have a gap of their own.
 */
export const COALESCE_GAP = 64 * 1024;

export function gapOf({ coalesceGap }: Pick<ReadableStore, "coalesceGap">): number {
  return coalesceGap ?? COALESCE_GAP;
}

/** Stored bytes of one field that are fetched and decoded together; one larger tile is fetched alone. */
const TASK_BYTES = 4 * 1024 * 1024;

/** Tasks under way at a time, which bounds memory for fetched bytes to 8 x 4 MiB (but for larger tiles). */
const PARALLEL_TASKS = 8;

/** The same where requests take time and the tasks are so small together that memory does not matter. */
const PARALLEL_REMOTE_TASKS = 64;

/** Requests of one task for one file under way at a time, for tiles that lie far apart. */
const PARALLEL_REQUESTS = 8;

/** One request: the bytes of some consecutive entries of a list of tiles. */
export interface Fetch {
  readonly range: ByteRange;
  /** Positions in the list of tiles: first inclusive, last exclusive. */
  readonly first: number;
  readonly last: number;
}

/** Requests for those tiles (ascending) of one file. Pure. */
export function coalesce(
  field: Pick<StoredField, "range">,
  file: FieldFile,
  tiles: ArrayLike<number>,
  gap = COALESCE_GAP,
): Fetch[] {
  const fetches: Fetch[] = [];
  let open: { start: number; end: number; first: number } | undefined;
  for (let i = 0; i < tiles.length; i++) {
    const { start, end } = field.range(file, tiles[i]!);
    if (open !== undefined && start >= open.start && start - open.end <= gap)
      open.end = Math.max(open.end, end);
    else {
      if (open !== undefined) fetches.push(closed(open, i));
      open = { start, end, first: i };
    }
  }
  if (open !== undefined) fetches.push(closed(open, tiles.length));
  return fetches;
}

function closed(open: { start: number; end: number; first: number }, last: number): Fetch {
  return { range: { start: open.start, end: open.end }, first: open.first, last };
}

/** Bytes of a tile in all files of the field. */
export function storedBytes(field: StoredField, t: number): number {
  let size = 0;
  for (const file of field.files) {
    const { start, end } = field.range(file, t);
    size += end - start;
  }
  return size;
}

/** Cuts a list of tiles into runs whose stored bytes stay below TASK_BYTES. Pure. */
export function splitTiles(field: StoredField, tiles: readonly number[]): number[][] {
  const runs: number[][] = [];
  let run: number[] = [];
  let bytes = 0;
  for (const t of tiles) {
    const size = storedBytes(field, t);
    if (run.length > 0 && bytes + size > TASK_BYTES) {
      runs.push(run);
      run = [];
      bytes = 0;
    }
    run.push(t);
    bytes += size;
  }
  if (run.length > 0) runs.push(run);
  return runs;
}

/** Tiles of one field to fetch; `decode` gets each one's bytes, file by file in the field's order. */
export interface TileRequest {
  readonly field: StoredField;
  /** Ascending. */
  readonly tiles: readonly number[];
  decode(t: number, stored: readonly Uint8Array[], decoded?: Uint8Array): void;
  /** Whether `decode` takes the cells of fixed size as another thread decoded them, `decoded`. */
  readonly takesDecoded?: boolean;
}

export interface FetchOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called with the bytes of each request that came back. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
  /** Threads that decode, this one included; 1 by default. */
  readonly threads?: number | undefined;
  /** What was asked for before anybody knew whether it is needed. */
  readonly ahead?: TilesAhead | undefined;
}

/** Fetches and decodes all requests. Tiles of a request come in any order. */
export async function fetchTiles(requests: readonly TileRequest[], options: FetchOptions): Promise<void> {
  const { threads = 1 } = options;
  const shared = threads > 1 ? await import("./decode-tiles.js") : null;
  const helpers = shared === null ? null : await shared.helpersFor(requests, threads);
  const tasks = requests.flatMap((request) =>
    splitTiles(request.field, request.tiles).map((tiles) => ({ request, tiles })),
  );
  const areSmall = requests[0]?.field.fragment.store.isRemote === true && areBelow(requests, TASK_BYTES);
  await mapBounded(
    tasks,
    areSmall ? PARALLEL_REMOTE_TASKS : PARALLEL_TASKS,
    async ({ request, tiles }) => {
      const { field } = request;
      const files = await Promise.all(field.files.map((file) => fetchFile(field, file, tiles, options)));
      throwIfAborted(options.signal);
      if (shared === null || helpers === null) decodeHere(request, tiles, files);
      else await shared.decodeTiles(request, tiles, files, helpers, options.signal);
    },
    options.signal,
  );
}

/** Whether all tiles together take at most so many bytes. */
export function areBelow(requests: readonly Pick<TileRequest, "field" | "tiles">[], most: number): boolean {
  let bytes = 0;
  for (const { field, tiles } of requests) {
    for (const t of tiles) bytes += storedBytes(field, t);
    if (bytes > most) return false;
  }
  return true;
}

/** The bytes of each tile in one file, views into what was fetched. */
async function fetchFile(
  field: StoredField,
  file: FieldFile,
  tiles: readonly number[],
  options: FetchOptions,
): Promise<Uint8Array[]> {
  const stored: Uint8Array[] = new Array(tiles.length);
  const fetches = coalesce(field, file, tiles, gapOf(field.fragment.store));
  const share = ({ range, first, last }: Fetch, bytes: Uint8Array) => {
    for (let i = first; i < last; i++) {
      const { start, end } = field.range(file, tiles[i]!);
      stored[i] = bytes.subarray(start - range.start, end - range.start);
    }
  };
  if (fetches.length > 1 && field.fragment.store.getRanges !== undefined) {
    const ranges = fetches.map(({ range }) => range);
    const parts = await fetchRanges(field, file, ranges, options);
    for (const [i, bytes] of parts.entries()) share(fetches[i]!, bytes);
    return stored;
  }
  const fetch = async (one: Fetch) => share(one, await fetchRange(field, file, one.range, options));
  await mapBounded(fetches, PARALLEL_REQUESTS, fetch, options.signal);
  return stored;
}

/** Of a store that reads several ranges at once. */
async function fetchRanges(
  { fragment }: StoredField,
  { file }: FieldFile,
  ranges: readonly ByteRange[],
  options: FetchOptions,
): Promise<Uint8Array[]> {
  const parts = await fragment.store.getRanges!(fragment.key(file), ranges, { signal: options.signal });
  if (parts === undefined) throw goneFile(fragment.uri, file);
  for (const bytes of parts) options.onBytes?.(bytes.byteLength);
  return parts.map(plainBytes);
}

function goneFile(where: string, file: string): GoneError {
  return new GoneError(`${file} is gone since the array was opened`, { where });
}

async function fetchRange(
  { fragment }: StoredField,
  { file }: FieldFile,
  range: ByteRange,
  options: FetchOptions,
): Promise<Uint8Array> {
  // Tiles of empty texts only take no bytes, and their file may not even exist.
  if (range.start === range.end) return new Uint8Array(0);
  const key = fragment.key(file);
  const asked = options.ahead?.find(key, range);
  const bytes = await (asked ?? fragment.store.getRange(key, range, { signal: options.signal }));
  if (bytes === undefined) throw goneFile(fragment.uri, file);
  options.onBytes?.(bytes.byteLength);
  return plainBytes(bytes);
}
