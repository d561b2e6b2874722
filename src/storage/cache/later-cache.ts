/**
 * A cache behind the one in memory, such as on a disk or the browser's. What it gives is taken as it is, and what it
 * fails to keep is asked for again: it may forget anything at any time.
 */
export interface LaterCache {
  /** Bytes from `start` to `end` of what `id` names for good; undefined where they are not kept. */
  get(id: string, start: number, end: number): Promise<Uint8Array | undefined>;
  /** Keeps bytes from `start` on. */
  put(id: string, start: number, bytes: Uint8Array): Promise<void>;
}

/** What is used of the Cache API (`caches`), which browsers, Deno and workers have. */
interface CacheLike {
  match(request: string): Promise<Response | undefined>;
  put(request: string, response: Response): Promise<void>;
}

export interface CachesLike {
  open(name: string): Promise<CacheLike>;
}

/**
 * The Cache API as a cache of ranges: each in an entry of its own, found again by the same range only. How much is kept
 * and for how long is for the platform to say.
 *
 * @param caches the platform's by default
 */
export function cacheApiCache(name = "cellarr", caches?: CachesLike): LaterCache {
  const platform = caches ?? (globalThis as { caches?: CachesLike }).caches;
  let opened: Promise<CacheLike> | undefined;
  const open = async (): Promise<CacheLike | undefined> => {
    opened ??= platform?.open(name);
    return opened?.catch(() => undefined);
  };
  return {
    async get(id, start, end) {
      const answer = await (await open())?.match(entryUrl(id, start, end)).catch(() => undefined);
      return answer && new Uint8Array(await answer.arrayBuffer());
    },
    async put(id, start, bytes) {
      const body = new Uint8Array(bytes);
      await (await open())?.put(entryUrl(id, start, start + body.byteLength), new Response(body));
    },
  };
}

/** No such host: entries are found by their names alone. */
function entryUrl(id: string, start: number, end: number): string {
  return `https://cellarr.invalid/${encodeURIComponent(id)}?bytes=${start}-${end}`;
}
