import type { LoaderSettings } from "./options.js";

/**
 * Which batches are read together. Random cells of a large sample lie in nearly as many tiles as they are, among others
 * that further batches want: so tiles are decoded once for as many batches as there is memory for.
 */
export interface Window {
  /** Batches that are read together, at most. */
  readonly together: number;
  /** Such reads under way or waiting, besides the one whose batches are handed out. */
  readonly ahead: number;
}

/** @param batchBytes stored values of the largest batch, about */
export function windowOf({ prefetch, prefetchBytes }: LoaderSettings, batchBytes: number): Window {
  if (prefetch !== null && prefetch <= 2) return { together: 1, ahead: prefetch };
  const most = prefetch === null ? Number.POSITIVE_INFINITY : Math.floor((prefetch + 1) / 2);
  // Those in hand and those under way take memory at the same time.
  const room = Math.floor(prefetchBytes / 2 / Math.max(1, batchBytes));
  const together = Math.max(1, Math.min(room, most));
  return { together, ahead: together === 1 ? 2 : 1 };
}

/** First number and the one after the last of what is read together: little at first, so that training can begin. */
export function* windows(from: number, to: number, most: number): Generator<readonly [number, number]> {
  for (let [first, size] = [from, 1]; first < to; first += size, size = Math.min(2 * size, most)) {
    yield [first, Math.min(first + size, to)];
  }
}
