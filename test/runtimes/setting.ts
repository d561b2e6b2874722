import { cp, mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as h5ad from "../../src/h5ad-node.js";
import * as cellarr from "../../src/node.js";
import * as tiledb from "../../src/tiledb-node.js";
import { type FolderServer, serveFolders } from "../support/folder-server.js";
import { keptFolder } from "../support/temporary.js";
import { buildStore } from "./program/observe.mjs";
import { runProgram } from "./program/run.mjs";

/** What all runtimes share: arrays of official libraries and a store of ours, served, and the package as it is installed. */

export const root = fileURLToPath(new URL("../..", import.meta.url));
export const program = join(root, "test", "runtimes", "program");
const fixtures = join(root, "spec-fixtures", "v22");

/** Every filter but lossy pictures, and some of all else that reading takes. */
const ARRAYS = [
  /^filters\.(?!webp)/,
  /^filters\.webp\.rgba-lossless$/,
  /^(attributes\.(enumerations|text-and-bytes\.var-nullable|times)|dense-2d\.(partial|overlapping))$/,
  /^(deletes\.compare|dimension-labels|encrypted\.sparse|fragments\.(consolidated|overlapping|hilbert))$/,
  /^(metadata\.types|sparse-2d\.int-string|sparse-1d\.string|current-domain\.dense)$/,
];

/** What WebP's pictures need, which only some platforms have. */
export const PICTURES = "filters.webp.rgba-lossless";

export interface Setting {
  /** Folder with the arrays and the store `built`. */
  readonly places: string;
  /** Names of the arrays. */
  readonly arrays: readonly string[];
  readonly server: FolderServer;
  /** Where the places are served. */
  readonly url: string;
  /** A folder in which the package is installed, with the program beside. */
  readonly installed: string;
  /** A new empty folder. */
  emptyFolder(): Promise<string>;
  close(): Promise<void>;
}

export async function makeSetting(): Promise<Setting> {
  const folder = await keptFolder();
  const places = join(folder.path, "places");
  await mkdir(places);
  const names = await readdir(fixtures);
  const arrays = names.filter((name) => ARRAYS.some((pattern) => pattern.test(name)));
  for (const name of arrays) await cp(join(fixtures, name, "array"), join(places, name), { recursive: true });
  await buildStore(cellarr, join(places, "built"));
  // Over HTTP nothing can be listed.
  for (const name of [...arrays, "built"]) await cellarr.publishStore(join(places, name));
  const installed = await installPackage(join(folder.path, "installed"));
  const server = await serveFolders({ places, installed, modules: join(root, "node_modules") });
  let count = 0;
  return {
    places,
    arrays,
    server,
    url: `${server.url}/places`,
    installed,
    emptyFolder: async () => {
      const path = join(folder.path, `empty-${count++}`);
      await mkdir(path);
      return path;
    },
    close: async () => {
      await server.close();
      await folder.remove();
    },
  };
}

/** What the package's sources give in this Node. */
export function expectedHere(
  { url, arrays }: Setting,
  local?: { read: string; write: string },
): Promise<Results> {
  return runProgram({ cellarr, tiledb, h5ad }, { url, arrays, local });
}

export type Results = Readonly<Record<string, unknown>>;

/**
 * The files that npm would install, with the dependencies linked beside, so that each runtime resolves them by itself.
 *
 * @param peers optional packages to install as well
 */
export async function installPackage(folder: string, peers: readonly string[] = []): Promise<string> {
  const modules = join(folder, "node_modules");
  await mkdir(join(modules, "cellarr"), { recursive: true });
  await cp(join(root, "dist"), join(modules, "cellarr", "dist"), { recursive: true });
  await cp(join(root, "package.json"), join(modules, "cellarr", "package.json"));
  const { dependencies } = (await import("../../package.json", { with: { type: "json" } })).default;
  for (const name of [...Object.keys(dependencies), ...peers]) {
    await mkdir(join(modules, name, ".."), { recursive: true });
    await symlink(join(root, "node_modules", name), join(modules, name), "junction");
  }
  await cp(program, folder, { recursive: true });
  await writeFile(
    join(folder, "package.json"),
    JSON.stringify({ private: true, type: "module", dependencies: { cellarr: "*" } }),
  );
  return folder;
}
