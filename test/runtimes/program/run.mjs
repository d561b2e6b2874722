import { observeReading, observeWriting } from "./observe.mjs";
import { copyToMemory, ServedStore } from "./places.mjs";

/**
 * Runs the whole program.
 *
 * @param task { url: where the places are served, arrays, local: { read, write } | undefined: folders }
 */
export async function runProgram(modules, { url, arrays, local }) {
  const { tiledb } = modules;
  const served = new ServedStore(url);
  const memory = await copyToMemory(tiledb, url);
  const written = new tiledb.MemoryStore();
  const result = {
    memory: await observeReading(modules, (path) => ({ store: memory, path }), arrays),
    http: await observeReading(modules, (path) => ({ store: served, path }), arrays),
    written: await observeWriting(modules, (path) => ({ store: written, path })),
  };
  if (local === undefined) return result;
  return {
    ...result,
    localRead: await observeReading(modules, (name) => `${local.read}/${name}`, arrays),
    localWritten: await observeWriting(modules, (name) => `${local.write}/${name}`),
  };
}
