import { throwIfAborted } from "../../errors.js";
import { type TileThreads, tileThreads } from "../../format/tile-threads.js";
import { decodeHere } from "./decode-here.js";
import type { TileRequest } from "./tile-fetch.js";

/** Tiles that were fetched are decoded here and, where there are many, on other threads at the same time. */

/**
 * Bytes of tiles from which on threads are asked for, 10 ms of work and more: starting one takes 30 ms of its own, and
 * it decodes at half the speed at first.
 */
const FROM_BYTES = 4 * 1024 * 1024;

/** Bytes that a thread decodes at a time, half a millisecond: a message takes a tenth of that. */
const CHUNK_BYTES = 256 * 1024;

/** Who helps with decoding; null where nobody does. */
export interface Helpers {
  readonly threads: TileThreads;
  /** Besides the calling one. */
  readonly count: number;
}

/** @param most threads, the calling one included */
export async function helpersFor(requests: readonly TileRequest[], most: number): Promise<Helpers | null> {
  if (most <= 1 || bytesOf(requests) < FROM_BYTES) return null;
  const threads = await tileThreads();
  return threads && { threads, count: most - 1 };
}

/** Of requests that can be decoded elsewhere. */
function bytesOf(requests: readonly TileRequest[]): number {
  let bytes = 0;
  for (const { field, tiles, takesDecoded } of requests) {
    if (takesDecoded !== true || field.sharedFilters === null) continue;
    for (const t of tiles) bytes += field.fixedBytes(t);
  }
  return bytes;
}

/** Calls the request's `decode` for each of the tiles, in any order. `files`: stored bytes of each tile, by file. */
export async function decodeTiles(
  request: TileRequest,
  tiles: readonly number[],
  files: readonly (readonly Uint8Array[])[],
  helpers: Helpers,
  signal: AbortSignal | undefined,
): Promise<void> {
  const here = ([from, to]: Chunk) => decodeHere(request, tiles, files, from, to);
  if (request.takesDecoded !== true || request.field.sharedFilters === null) {
    here([0, tiles.length]);
    return;
  }
  const { threads, count } = helpers;
  const elsewhere: Promise<void>[] = [];
  try {
    for (const chunk of chunksOf(request, tiles)) {
      throwIfAborted(signal);
      if (threads.isFree(count))
        elsewhere.push(decodeElsewhere(request, tiles, files[0]!, chunk, helpers, here));
      else {
        here(chunk);
        await threads.turn();
      }
    }
  } finally {
    await Promise.allSettled(elsewhere);
  }
  await Promise.all(elsewhere);
}

/** Positions of tiles: first inclusive, last exclusive. */
type Chunk = readonly [number, number];

function* chunksOf({ field }: TileRequest, tiles: readonly number[]): Generator<Chunk> {
  let from = 0;
  let bytes = 0;
  for (let i = 0; i < tiles.length; i++) {
    bytes += field.fixedBytes(tiles[i]!);
    if (bytes < CHUNK_BYTES && i + 1 < tiles.length) continue;
    yield [from, i + 1];
    from = i + 1;
    bytes = 0;
  }
}

async function decodeElsewhere(
  request: TileRequest,
  tiles: readonly number[],
  stored: readonly Uint8Array[],
  [from, to]: Chunk,
  { threads, count }: Helpers,
  here: (chunk: Chunk) => void,
): Promise<void> {
  const { field } = request;
  const sizes: [number, number][] = [];
  let total = 0;
  for (let i = from; i < to; i++) {
    field.checkClaim(tiles[i]!);
    sizes.push([stored[i]!.byteLength, field.fixedBytes(tiles[i]!)]);
    total += stored[i]!.byteLength;
  }
  const bytes = new Uint8Array(total);
  let at = 0;
  for (let i = from; i < to; i++) {
    bytes.set(stored[i]!, at);
    at += stored[i]!.byteLength;
  }
  const decoded = await threads.decode({ ...field.sharedFilters!, stored: bytes, sizes }, count);
  if (decoded === undefined) return here([from, to]);
  let start = 0;
  for (let i = from; i < to; i++) {
    const end = start + sizes[i - from]![1];
    request.decode(tiles[i]!, [stored[i]!], decoded.subarray(start, end));
    start = end;
  }
}
