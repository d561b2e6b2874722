import { ArgumentError } from "../../errors.js";
import { makeTimestampedName, randomUuid } from "../../format/timestamped-name.js";

/**
 * Names of new fragments, metadata and group files. Readers order what was written in the same millisecond by name, so
 * the first 8 digits of the uuid count up within a millisecond, as the official library's do; a later write of this
 * process then wins over an earlier one.
 */
let lastTime = -1;
let counter = 0;

const LARGEST_START = 0x7fffffff;

function orderedUuid(timestamp: number): string {
  if (timestamp === lastTime && counter < 0xffffffff) counter++;
  else {
    lastTime = timestamp;
    counter = Number.parseInt(randomUuid().slice(0, 8), 16) & LARGEST_START;
  }
  return counter.toString(16).padStart(8, "0") + randomUuid().slice(8);
}

/** `__time_time_uuid`, with `_version` where one is given. */
export function newName(timestamp: number, version?: number): string {
  return newRangeName(timestamp, timestamp, version);
}

/** `__start_end_uuid`, with `_version` where one is given. */
export function newRangeName(start: number, end: number, version?: number): string {
  return makeTimestampedName(start, end, version, orderedUuid(end));
}

/** The time of a write: what the caller gave, or now. Throws ArgumentError if it is no time. */
export function writeTime(timestamp: number | undefined): number {
  if (timestamp === undefined) return Date.now();
  if (Number.isSafeInteger(timestamp) && timestamp >= 0) return timestamp;
  throw new ArgumentError(`timestamp ${timestamp} is no whole number of milliseconds since 1970`);
}
