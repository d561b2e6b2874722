import { NotFoundError, StorageError, throwIfAborted } from "../../errors.js";
import { crc32 } from "../../util/crc32.js";
import type { ReadableStore, StoreEntry, StoreLocation, StoreWriter } from "../types.js";
import { ZipWriter } from "./zip-writer.js";

/** A folder of a store as one zip file, whose entries are not compressed: TileDB's tiles are, and ranges stay ranges. */

export interface ZipFolderOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called as files are done, with the bytes of all. */
  readonly onProgress?: ((progress: { readonly done: number; readonly total: number }) => void) | undefined;
}

export interface ZippedFolder {
  readonly files: number;
  /** Of the files. */
  readonly bytes: number;
}

/** Bytes of a file that are in memory at a time. Larger files are read twice: their checksum stands before them. */
const PART_BYTES = 8 * 2 ** 20;

/** A change that is under way, and what it leaves if it is killed. */
const LOCK = /(^|\/)\.cellarr-lock(-[^/]*)?\//;

/**
 * Writes all keys below `from` to `out` and closes it; where it fails, `out` is aborted. Throws NotFoundError if there is
 * nothing, StorageError if something changes meanwhile.
 */
export async function zipFolder(
  from: StoreLocation,
  out: StoreWriter,
  options: ZipFolderOptions = {},
): Promise<ZippedFolder> {
  try {
    return await writeAll(from, out, options);
  } catch (error) {
    await out.abort();
    throw error;
  }
}

async function writeAll(
  { store, path }: StoreLocation,
  out: StoreWriter,
  { signal, onProgress }: ZipFolderOptions,
): Promise<ZippedFolder> {
  const entries = (await store.list(path, { signal })).filter(({ key }) => !LOCK.test(key));
  const where = path === "" ? store.uri : `${store.uri}/${path}`;
  if (entries.length === 0) throw new NotFoundError("there is nothing to put into a zip file", { where });
  const total = entries.reduce((sum, { size }) => sum + (size ?? 0), 0);
  const zip = new ZipWriter(out);
  let done = 0;
  for (const entry of entries) {
    throwIfAborted(signal);
    await addFile(zip, store, entry, path === "" ? 0 : path.length + 1, signal);
    done += entry.size ?? 0;
    onProgress?.({ done, total });
  }
  await zip.finish();
  return { files: entries.length, bytes: total };
}

async function addFile(
  zip: ZipWriter,
  store: ReadableStore,
  { key, size = 0 }: StoreEntry,
  skip: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const name = key.slice(skip);
  if (size <= PART_BYTES) {
    const bytes = await store.get(key, { signal });
    if (bytes?.byteLength !== size) throw changed(store, key);
    await zip.begin(name, size, crc32(bytes));
    return zip.write(bytes);
  }
  let expected = 0;
  for await (const part of partsOf(store, key, size, signal)) expected = crc32(part, expected);
  await zip.begin(name, size, expected);
  let found = 0;
  for await (const part of partsOf(store, key, size, signal)) {
    found = crc32(part, found);
    await zip.write(part);
  }
  if (found !== expected) throw changed(store, key);
}

async function* partsOf(
  store: ReadableStore,
  key: string,
  size: number,
  signal: AbortSignal | undefined,
): AsyncIterable<Uint8Array> {
  for (let start = 0; start < size; start += PART_BYTES) {
    const part = await store.getRange(key, { start, end: Math.min(size, start + PART_BYTES) }, { signal });
    if (part === undefined) throw changed(store, key);
    yield part;
  }
}

function changed(store: ReadableStore, key: string): StorageError {
  return new StorageError("a file changed while it was put into a zip file", {
    where: `${store.uri}/${key}`,
  });
}
