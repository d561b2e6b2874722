import { CellArrDataset } from "../cellarr/dataset.js";
import { AbortedError, throwIfAborted } from "../errors.js";
import type { CheckedOptions, StoreSource } from "./options.js";
import { OpenError } from "./problem.js";

/** A store that is kept open, and opened anew when it has changed. */

export interface OpenStore {
  readonly dataset: CellArrDataset;
  /** Of the store's state, for tags. */
  readonly hash: string;
}

/**
 * An opening that takes longer than this is not waited for by further requests: where requests own what they
 * started, as in Cloudflare's Workers, it may have ended with its request.
 */
const PATIENCE_MS = 15_000;

export class KeptStore {
  readonly #source: StoreSource;
  readonly #options: Pick<CheckedOptions, "open" | "refreshMs">;
  #store: OpenStore | undefined;
  #checkedAt = 0;
  #opening: { readonly store: Promise<OpenStore>; readonly since: number } | undefined;

  constructor(source: StoreSource, options: Pick<CheckedOptions, "open" | "refreshMs">) {
    this.#source = source;
    this.#options = options;
  }

  /** The store as it is, or was within the last `refreshMs`. Throws OpenError, AbortedError. */
  async current(signal: AbortSignal): Promise<OpenStore> {
    const isFixed = this.#source instanceof CellArrDataset;
    const isFresh = isFixed || Date.now() - this.#checkedAt < this.#options.refreshMs;
    if (this.#store !== undefined && isFresh) return this.#store;
    return untilAborted(this.#reopen(), signal);
  }

  /** Looks again; null where the store is what it was. */
  async changed(since: OpenStore, signal: AbortSignal): Promise<OpenStore | null> {
    if (this.#source instanceof CellArrDataset) return null;
    const store = await untilAborted(this.#reopen(), signal);
    return store.hash === since.hash ? null : store;
  }

  /** One at a time, for all requests: so no request's signal ends it. */
  #reopen(): Promise<OpenStore> {
    const now = Date.now();
    if (this.#opening !== undefined && now - this.#opening.since < PATIENCE_MS) return this.#opening.store;
    const opening = { store: this.#openStore(now), since: now };
    this.#opening = opening;
    const done = () => {
      if (this.#opening === opening) this.#opening = undefined;
    };
    opening.store.then(done, done);
    return opening.store;
  }

  async #openStore(now: number): Promise<OpenStore> {
    let dataset: CellArrDataset;
    try {
      dataset =
        this.#source instanceof CellArrDataset
          ? this.#source
          : await CellArrDataset.open(this.#source, this.#options.open);
    } catch (error) {
      throw new OpenError(error);
    }
    // What is open has read columns before: it stays as long as it is right.
    if (this.#store === undefined || this.#store.dataset.state !== dataset.state) {
      this.#store = { dataset, hash: await hashOf(dataset.state) };
    }
    this.#checkedAt = now;
    return this.#store;
  }
}

/** 128 bits of SHA-256, hexadecimal. */
async function hashOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest, 0, 16), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  throwIfAborted(signal);
  return new Promise((resolve, reject) => {
    const aborted = () => reject(new AbortedError(undefined, { cause: signal.reason }));
    signal.addEventListener("abort", aborted, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", aborted));
  });
}
