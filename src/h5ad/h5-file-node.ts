import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { link, open, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { ExistsError, NotFoundError, StorageError } from "../errors.js";
import {
  type H5Bytes,
  type H5Disk,
  H5Library,
  type ReadAt,
  registerH5Disk,
  type WriteAt,
} from "./h5-file.js";

/** Files on disk: h5wasm's Node build reads and writes them in place, so no file is held in memory whole. */

let library: Promise<H5Library> | undefined;

async function loadLibrary(): Promise<H5Library> {
  const h5wasm = await import("h5wasm/node");
  const module = await h5wasm.ready;
  return new H5Library(module);
}

async function openBytes(path: string): Promise<H5Bytes> {
  const info = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT" || cause.code === "ENOTDIR") {
      throw new NotFoundError("no such file", { where: path, cause });
    }
    throw new StorageError(`cannot open: ${cause.message}`, { where: path, cause });
  });
  if (!info.isFile()) throw new NotFoundError("not a file", { where: path });
  const file = openForReading(path);
  return { size: info.size, read: readerOf(file), close: () => closeSync(file) };
}

function openForReading(path: string): number {
  try {
    return openSync(path, "r");
  } catch (cause) {
    throw new StorageError(`cannot open: ${(cause as Error).message}`, { where: path, cause });
  }
}

function readerOf(file: number): ReadAt {
  return (offset, length) => {
    const bytes = new Uint8Array(length);
    return bytes.subarray(0, readSync(file, bytes, 0, length, offset));
  };
}

function temporary(path: string): string {
  const unique = `${process.pid}-${crypto.randomUUID().slice(0, 8)}`;
  return join(dirname(resolve(path)), `.${basename(path)}.${unique}.tmp`);
}

function patch(path: string, edit: (read: ReadAt, write: WriteAt) => void): void {
  const file = openSync(path, "r+");
  try {
    edit(readerOf(file), (offset, bytes) => {
      writeSync(file, bytes, 0, bytes.length, offset);
    });
  } finally {
    closeSync(file);
  }
}

async function publish(from: string, path: string, overwrite: boolean): Promise<void> {
  const file = await open(from, "r+");
  await file.sync().finally(() => file.close());
  if (overwrite) return rename(from, path);
  try {
    // Unlike rename, link refuses a name that appeared meanwhile.
    await link(from, path);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === "EEXIST") throw new ExistsError("file exists", { where: path, cause });
    // File systems without hard links.
    if ((await kindOf(path)) !== null) throw new ExistsError("file exists", { where: path, cause });
    return rename(from, path);
  }
  await rm(from, { force: true });
}

async function kindOf(path: string): Promise<"file" | "folder" | null> {
  return stat(path).then(
    (info) => (info.isDirectory() ? "folder" : "file"),
    () => null,
  );
}

const disk: H5Disk = {
  library: () => {
    library ??= loadLibrary();
    return library;
  },
  open: openBytes,
  temporary,
  patch,
  publish,
  kindOf,
  remove: (path) => rm(path, { force: true }),
};

registerH5Disk(disk);
