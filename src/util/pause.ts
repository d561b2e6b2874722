import { AbortedError, throwIfAborted } from "../errors.js";
import { onAbort } from "./on-abort.js";

/** Waits; throws AbortedError as soon as the signal fires. */
export function pause(milliseconds: number, signal?: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    throwIfAborted(signal);
    const forget = onAbort(signal, () => {
      clearTimeout(timer);
      reject(new AbortedError(undefined, { cause: signal?.reason }));
    });
    const timer = setTimeout(() => {
      forget();
      resolve();
    }, milliseconds);
  });
}
