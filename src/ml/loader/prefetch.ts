import { throwIfAborted } from "../../errors.js";

/** Work on the items that come next, while the caller has one in hand. */

export interface PrefetchOptions {
  /** Items in work or waiting besides the one in hand; 0: work begins when an item is asked for. */
  readonly ahead: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The results in order. Whoever leaves the loop, or ends it by the signal, gets control back when nothing is in work any
 * more. Throws AbortedError, or what `work` threw when its item's turn comes.
 */
export async function* prefetched<Item, Result>(
  items: Iterable<Item>,
  { ahead, signal }: PrefetchOptions,
  work: (item: Item, signal: AbortSignal) => Promise<Result>,
): AsyncGenerator<Result, void, void> {
  const ending = new AbortController();
  const end = () => ending.abort(signal?.reason);
  signal?.addEventListener("abort", end, { once: true });
  const queue: Promise<Result>[] = [];
  const rest = items[Symbol.iterator]();
  let next = rest.next();
  const fill = (count: number) => {
    for (; queue.length < count && next.done !== true; next = rest.next()) {
      const result = work(next.value, ending.signal);
      // Looked at when its turn comes; until then it is nobody's.
      result.catch(() => {});
      queue.push(result);
    }
  };
  try {
    while (queue.length > 0 || next.done !== true) {
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
