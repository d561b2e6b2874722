import { AbortedError, UnsupportedError } from "../../src/errors.js";
import type { ByteRange, ReadableStore, StoreEntry, StoreOptions } from "../../src/storage/types.js";
import { onAbort } from "../../src/util/on-abort.js";

/** A store over another that counts what is asked of it, as one over a network: requests, bytes, round trips. */

export type RequestKind = "get" | "getRange" | "list";

export interface CountedRequest {
  readonly kind: RequestKind;
  readonly key: string;
  readonly range?: ByteRange | undefined;
  /** Of the answer's body; of listings 100 for each key. */
  readonly bytes: number;
  /** Requests that started while one of the same wave was under way have the same number, from 0. */
  readonly wave: number;
}

export interface CountingOptions {
  /** Milliseconds that each request takes. */
  readonly delayMs?: number;
  /** False: listing throws UnsupportedError, as static hosting does. */
  readonly lists?: boolean;
  readonly isRemote?: boolean;
  readonly coalesceGap?: number;
  /** Bytes a second of all answers together; default no limit. */
  readonly bytesPerSecond?: number;
}

export class CountingStore implements ReadableStore {
  readonly uri: string;
  readonly isRemote: boolean;
  readonly coalesceGap?: number;
  readonly #store: ReadableStore;
  readonly #options: CountingOptions;
  #requests: CountedRequest[] = [];
  #underWay = 0;
  #most = 0;
  #wave = -1;
  #lineFree = 0;

  constructor(store: ReadableStore, options: CountingOptions = {}) {
    this.uri = store.uri;
    this.isRemote = options.isRemote ?? true;
    if (options.coalesceGap !== undefined) this.coalesceGap = options.coalesceGap;
    this.#store = store;
    this.#options = options;
  }

  get requests(): readonly CountedRequest[] {
    return this.#requests;
  }

  get bytes(): number {
    return this.#requests.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Round trips: a request that starts when none is under way begins one. */
  get waves(): number {
    return this.#wave + 1;
  }

  /** Requests under way at the same time, at most. */
  get mostAtOnce(): number {
    return this.#most;
  }

  count(kind: RequestKind): number {
    return this.#requests.filter((one) => one.kind === kind).length;
  }

  reset(): void {
    this.#requests = [];
    this.#wave = -1;
    this.#most = 0;
  }

  get(key: string, options?: StoreOptions): Promise<Uint8Array | undefined> {
    return this.#count("get", key, undefined, options, () => this.#store.get(key, options));
  }

  getRange(key: string, range: ByteRange, options?: StoreOptions): Promise<Uint8Array | undefined> {
    return this.#count("getRange", key, range, options, () => this.#store.getRange(key, range, options));
  }

  list(prefix: string, options?: StoreOptions & { recursive?: boolean }): Promise<StoreEntry[]> {
    if (this.#options.lists === false)
      return Promise.reject(new UnsupportedError("this store lists nothing"));
    return this.#count("list", prefix, undefined, options, () => this.#store.list(prefix, options));
  }

  async #count<T extends Uint8Array | StoreEntry[] | undefined>(
    kind: RequestKind,
    key: string,
    range: ByteRange | undefined,
    options: StoreOptions | undefined,
    ask: () => Promise<T>,
  ): Promise<T> {
    if (this.#underWay === 0) this.#wave++;
    const wave = this.#wave;
    this.#underWay++;
    this.#most = Math.max(this.#most, this.#underWay);
    const place = this.#requests.push({ kind, key, range, bytes: 0, wave }) - 1;
    const counted = this.#requests;
    try {
      const answer = await ask();
      const bytes =
        answer === undefined ? 0 : Array.isArray(answer) ? answer.length * 100 : answer.byteLength;
      counted[place] = { kind, key, range, bytes, wave };
      await this.#pass(bytes, options?.signal);
      return answer;
    } finally {
      this.#underWay--;
    }
  }

  /** Lets the time of a request go by; without a delay at least a turn of the event loop. */
  async #pass(bytes: number, signal: AbortSignal | undefined): Promise<void> {
    const { delayMs = 0, bytesPerSecond } = this.#options;
    let delay = delayMs;
    if (bytesPerSecond !== undefined) {
      const now = performance.now();
      this.#lineFree = Math.max(now + delayMs, this.#lineFree) + (bytes / bytesPerSecond) * 1000;
      delay = this.#lineFree - now;
    }
    await new Promise<void>((resolve, reject) => {
      const end = () => {
        clearTimeout(timer);
        reject(new AbortedError());
      };
      const forget = onAbort(signal, end);
      const timer = setTimeout(() => {
        forget();
        resolve();
      }, delay);
    });
  }
}
