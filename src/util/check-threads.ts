import { ArgumentError } from "../errors.js";

/** A number of threads as an option gives it; ArgumentError where it is none. */
export function checkThreads(threads: number, option: string): number {
  if (Number.isSafeInteger(threads) && threads > 0) return threads;
  throw new ArgumentError(`${option} is ${threads}, expected a whole number from 1 on`);
}
