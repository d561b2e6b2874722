import { AbortedError, throwIfAborted } from "../errors.js";
import { onAbort } from "./on-abort.js";

/** Lets `count` holders in at a time; the others wait in the order in which they came. */
export class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /** Waits for a slot and gives what returns it. Throws AbortedError where the signal fires first. */
  async take(signal?: AbortSignal | undefined): Promise<() => void> {
    throwIfAborted(signal);
    if (this.#free > 0) this.#free--;
    else await this.#wait(signal);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      const next = this.#waiting.shift();
      // A slot goes from hand to hand: whoever comes now waits behind those that are there.
      if (next === undefined) this.#free++;
      else next();
    };
  }

  #wait(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const enter = () => {
        forget();
        resolve();
      };
      const forget = onAbort(signal, () => {
        forget();
        this.#waiting.splice(this.#waiting.indexOf(enter), 1);
        reject(new AbortedError(undefined, { cause: signal?.reason }));
      });
      this.#waiting.push(enter);
    });
  }
}
