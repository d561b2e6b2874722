import { AbortedError } from "../../errors.js";
import { onAbort } from "../../util/on-abort.js";
import { TransientError } from "./retry.js";

/** Bytes a second that even a slow line takes: so much longer may a request with a body be silent. */
const SLOWEST_UPLOAD = 16 * 1024;

/** Ends an attempt when the caller aborts or nothing has come for too long, whether or not the transport heeds its signal. */
export class AttemptWatch {
  readonly #controller = new AbortController();
  readonly #timeout: number;
  readonly #ended: Promise<never>;
  readonly #forgetCaller: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param sent bytes of the request's body: while they are on their way nothing comes back */
  constructor(caller: AbortSignal | undefined, timeout: number, sent: number) {
    this.#timeout = timeout;
    this.#ended = new Promise((_, reject) => {
      this.signal.addEventListener("abort", () => reject(this.signal.reason), { once: true });
    });
    // Nobody need wait for it.
    this.#ended.catch(() => {});
    const abort = () => this.#controller.abort(new AbortedError(undefined, { cause: caller?.reason }));
    this.#forgetCaller = onAbort(caller, abort);
    if (caller?.aborted) abort();
    this.#startTimer(timeout + (sent / SLOWEST_UPLOAD) * 1000);
  }

  /** For the transport. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Waits for something of the attempt; when it is there the time without a byte begins anew. */
  async wait<T>(promise: Promise<T>): Promise<T> {
    // What comes after the end concerns nobody.
    promise.catch(() => {});
    const value = await Promise.race([promise, this.#ended]);
    this.#startTimer(this.#timeout);
    return value;
  }

  /** Ends an attempt that failed with `error`, and gives the reason: a request that was ended says it in its own words. */
  end(error: unknown): unknown {
    if (this.signal.aborted) return this.signal.reason;
    // Whatever is still on its way is not wanted any more.
    this.#controller.abort(error);
    return error;
  }

  /** Must be called once the attempt is over. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#forgetCaller();
  }

  #startTimer(milliseconds: number): void {
    clearTimeout(this.#timer);
    if (this.signal.aborted) return;
    const seconds = Number((milliseconds / 1000).toPrecision(2));
    this.#timer = setTimeout(
      () => this.#controller.abort(new TransientError(`nothing came for ${seconds} s`)),
      // More is taken for 1 by setTimeout.
      Math.min(milliseconds, 2 ** 31 - 1),
    );
  }
}
