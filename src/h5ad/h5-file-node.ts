import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync, writeSync } from "node:fs";
import { link, open, rename, rm, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join, resolve } from "node:path";
import { ExistsError, NotFoundError, StorageError } from "../errors.js";
import {
  type H5Disk,
  H5Library,
  type H5Module,
  type ReadAt,
  registerH5Disk,
  type WriteAt,
} from "./h5-file.js";

/** Files on disk: h5wasm's Node build reads and writes them in place, so no file is held in memory whole. */

let library: Promise<H5Library> | undefined;

const PLUGINS = pluginFolder();

/** Decompression beyond HDF5's own gzip and szip (lzf, zstd, blosc, ...), where the plugin package is installed. */
function pluginFolder(): string | undefined {
  try {
    return join(dirname(createRequire(import.meta.url).resolve("h5wasm-plugins")), "plugins");
  } catch {
    return undefined;
  }
}

async function loadLibrary(): Promise<H5Library> {
  const h5wasm = await import("h5wasm/node");
  const module = await h5wasm.ready;
  if (PLUGINS !== undefined) module.insert_plugin_search_path(PLUGINS, 0);
  return new H5Library(module);
}

const MEMORY_PLUGIN_FOLDER = "/usr/local/hdf5/lib/plugin";

function installMemoryPlugins(module: H5Module): void {
  if (PLUGINS === undefined || !existsSync(PLUGINS)) return;
  const files = module.FS as unknown as { mkdirTree(path: string): void };
  files.mkdirTree(MEMORY_PLUGIN_FOLDER);
  for (const name of readdirSync(PLUGINS)) {
    module.FS.writeFile(`${MEMORY_PLUGIN_FOLDER}/${name}`, readFileSync(join(PLUGINS, name)));
  }
}

async function head(path: string, length: number): Promise<{ bytes: Uint8Array; size: number }> {
  const file = await open(path, "r").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT" || cause.code === "ENOTDIR") {
      throw new NotFoundError("no such file", { where: path, cause });
    }
    throw new StorageError(`cannot open: ${cause.message}`, { where: path, cause });
  });
  try {
    const info = await file.stat();
    if (!info.isFile()) throw new NotFoundError("not a file", { where: path });
    const bytes = new Uint8Array(Math.min(length, info.size));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
    return { bytes: bytes.subarray(0, bytesRead), size: info.size };
  } finally {
    await file.close();
  }
}

function temporary(path: string): string {
  const unique = `${process.pid}-${crypto.randomUUID().slice(0, 8)}`;
  return join(dirname(resolve(path)), `.${basename(path)}.${unique}.tmp`);
}

function patch(path: string, edit: (read: ReadAt, write: WriteAt) => void): void {
  const file = openSync(path, "r+");
  try {
    edit(
      (offset, length) => {
        const bytes = new Uint8Array(length);
        return bytes.subarray(0, readSync(file, bytes, 0, length, offset));
      },
      (offset, bytes) => {
        writeSync(file, bytes, 0, bytes.length, offset);
      },
    );
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
    if (await exists(path)) throw new ExistsError("file exists", { where: path, cause });
    return rename(from, path);
  }
  await rm(from, { force: true });
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

const disk: H5Disk = {
  library: () => {
    library ??= loadLibrary();
    return library;
  },
  head,
  temporary,
  patch,
  publish,
  exists,
  remove: (path) => rm(path, { force: true }),
};

registerH5Disk(disk, installMemoryPlugins);
