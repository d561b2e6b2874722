import { throwIfAborted } from "../../errors.js";

/** Work on the items that come next, while the caller has one in hand. */

export interface PrefetchOptions {
  /** Numbers of the first item and of the one after the last. */
  readonly from: number;
  readonly to: number;
  /** Items in work or waiting besides the one in hand; 0: work begins when an item is asked for. */
  readonly ahead: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The results in order. Whoever leaves the loop, or ends it by the signal, gets control back when nothing is in work any
 * more. Throws AbortedError, or what `work` threw when its item's turn comes.
 */
export async function* prefetched<T>(
  { from, to, ahead, signal }: PrefetchOptions,
  work: (item: number, signal: AbortSignal) => Promise<T>,
): AsyncGenerator<T, void, void> {
  const ending = new AbortController();
  const end = () => ending.abort(signal?.reason);
  signal?.addEventListener("abort", end, { once: true });
  const queue: Promise<T>[] = [];
  let next = from;
  const fill = (count: number) => {
    for (; queue.length < count && next < to; next++) {
      const result = work(next, ending.signal);
      // Looked at when its turn comes; until then it is nobody's.
      result.catch(() => {});
      queue.push(result);
    }
  };
  try {
    for (let item = from; item < to; item++) {
      throwIfAborted(signal);
      fill(Math.max(1, ahead));
      const result = await queue[0]!;
      throwIfAborted(signal);
      queue.shift();
      // Before the result is handed out: the next one is read while the caller is busy.
      fill(ahead);
      yield result;
    }
  } finally {
    signal?.removeEventListener("abort", end);
    ending.abort();
    await Promise.allSettled(queue);
  }
}
