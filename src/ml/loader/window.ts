import type { LoaderSettings } from "./options.js";

/**
 * Which batches are read together. Cells of several batches often lie in the same tiles, which are decoded once for all of
 * them: of random cells of a large sample, hardly less is decoded for one batch than for five.
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
