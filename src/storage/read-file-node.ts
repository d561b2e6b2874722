import { closeSync, fstatSync, openSync, readdirSync, readSync, type Stats, statSync } from "node:fs";
import { type FileHandle, open, readdir, stat } from "node:fs/promises";
import { StorageError, throwIfAborted } from "../errors.js";
import { mapBounded } from "../util/concurrency.js";
import { checkRange } from "./memory.js";
import type { ByteRange } from "./types.js";

/**
 * Reading local files. What is small is read at once, by calls that return when they are done: from the page cache that
 * takes half the CPU of the way through the thread pool of `fs.promises`, and a first slice makes 200 such calls. The
 * price is that the event loop waits. So that it waits no longer than `MOST_WAITED` and one call, whatever the disk, all
 * goes through the pool from then on until the loop has had its turn; so do large ranges, which gain from overlapping.
 */

/** Bytes of one read: Linux caps a read near 2 GiB and Node's offsets within a buffer must stay below that. */
const MAX_READ = 1 << 30;

/** Ranges of up to so many bytes are read at once; 30 us from the page cache. */
const SMALL_READ = 1 << 17;

/** Ranges of one file read at a time through the pool. */
const PARALLEL_READS = 8;

/** Seconds from the first such call to the last one of a turn of the event loop, what was computed between included. */
const MOST_WAITED = 0.02;

let turnStart: number | null = null;

/** Whether files may be read at once: the event loop is one for all stores. */
function mayWait(): boolean {
  // Not `performance.now()`: ten modules of Node are loaded with it.
  const now = process.uptime();
  if (turnStart !== null) return now - turnStart < MOST_WAITED;
  turnStart = now;
  setImmediate(() => {
    turnStart = null;
  });
  return true;
}

/** The bytes of a file, or a range of them; undefined where there is no file. */
export async function readFileRange(
  path: string,
  range: ByteRange | undefined,
  signal: AbortSignal | undefined,
): Promise<Uint8Array | undefined> {
  if ((range === undefined || isSmall(range)) && mayWait()) {
    const found = readAtOnce(path, range);
    if (found !== "large") return found;
  }
  const handle = await orMissing(open(path, "r"), undefined);
  if (handle === undefined) return undefined;
  try {
    const stats = await handle.stat();
    if (stats.isDirectory()) return undefined;
    return await readExactly(handle, wantedOf(range, stats, path), path, signal);
  } finally {
    await handle.close();
  }
}

/** Several ranges of a file, opened once: to open, look at and close it takes three times as long as a small read. */
export async function readFileRanges(
  path: string,
  ranges: readonly ByteRange[],
  signal: AbortSignal | undefined,
): Promise<Uint8Array[] | undefined> {
  const parts: Uint8Array[] = [];
  if (ranges.every(isSmall) && mayWait()) {
    const file = unlessMissing(() => openSync(path, "r"), undefined);
    if (file === undefined) return undefined;
    try {
      const stats = fstatSync(file);
      if (stats.isDirectory()) return undefined;
      for (const range of ranges) {
        // The event loop gets its turn after so many of them as well.
        if (!mayWait()) break;
        parts.push(readNow(file, wantedOf(range, stats, path), path));
      }
    } finally {
      closeSync(file);
    }
  }
  if (parts.length === ranges.length) return parts;
  const handle = await orMissing(open(path, "r"), undefined);
  if (handle === undefined) return undefined;
  try {
    const stats = await handle.stat();
    if (stats.isDirectory()) return undefined;
    const read = (range: ByteRange) => readExactly(handle, wantedOf(range, stats, path), path, signal);
    return [...parts, ...(await mapBounded(ranges.slice(parts.length), PARALLEL_READS, read, signal))];
  } finally {
    await handle.close();
  }
}

const isSmall = ({ start, end }: ByteRange): boolean => end - start <= SMALL_READ;

function wantedOf(range: ByteRange | undefined, { size }: Stats, path: string): ByteRange {
  const wanted = range ?? { start: 0, end: size };
  checkRange(wanted, size, path);
  return wanted;
}

/** "large" where a file turns out to be. */
function readAtOnce(path: string, range: ByteRange | undefined): Uint8Array | undefined | "large" {
  const file = unlessMissing(() => openSync(path, "r"), undefined);
  if (file === undefined) return undefined;
  try {
    const stats = fstatSync(file);
    if (stats.isDirectory()) return undefined;
    const wanted = wantedOf(range, stats, path);
    return isSmall(wanted) ? readNow(file, wanted, path) : "large";
  } finally {
    closeSync(file);
  }
}

function readNow(file: number, { start, end }: ByteRange, path: string): Uint8Array {
  const bytes = new Uint8Array(end - start);
  let at = 0;
  while (at < bytes.byteLength) {
    const count = readSync(file, bytes, at, bytes.byteLength - at, start + at);
    if (count === 0) throw endedEarly(path, start + at, end);
    at += count;
  }
  return bytes;
}

async function readExactly(
  handle: FileHandle,
  range: ByteRange,
  path: string,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(range.end - range.start);
  let at = 0;
  while (at < bytes.byteLength) {
    throwIfAborted(signal);
    const length = Math.min(bytes.byteLength - at, MAX_READ);
    const { bytesRead } = await handle.read(bytes, at, length, range.start + at);
    if (bytesRead === 0) throw endedEarly(path, range.start + at, range.end);
    at += bytesRead;
  }
  return bytes;
}

function endedEarly(path: string, at: number, end: number): StorageError {
  return new StorageError(`file ended at byte ${at}, ${end} expected`, { where: path });
}

/** What lies in a folder; nothing where there is none. */
export async function readFolder(path: string) {
  const options = { withFileTypes: true } as const;
  return mayWait()
    ? unlessMissing(() => readdirSync(path, options), [])
    : orMissing(readdir(path, options), []);
}

/** Undefined where there is nothing. */
export async function fileStats(path: string): Promise<Stats | undefined> {
  return mayWait() ? unlessMissing(() => statSync(path), undefined) : orMissing(stat(path), undefined);
}

function unlessMissing<T, M>(call: () => T, missing: M): T | M {
  try {
    return call();
  } catch (error) {
    if (isMissing(error)) return missing;
    throw error;
  }
}

async function orMissing<T, M>(call: Promise<T>, missing: M): Promise<T | M> {
  try {
    return await call;
  } catch (error) {
    if (isMissing(error)) return missing;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  const code = errorCode(error);
  return code === "ENOENT" || code === "ENOTDIR";
}

/** Of an error that the file system reports. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("syscall" in error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
