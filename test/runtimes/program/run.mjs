import { observeReading, observeWriting } from "./observe.mjs";
import { copyToMemory, ServedStore } from "./places.mjs";

/**
 * Runs the whole program.
 *
 * @param task { url: where the places are served, with index files; arrays, local: { read, write } | undefined: folders }
 */
export async function runProgram(modules, { url, arrays, local }) {
  const { tiledb } = modules;
  const memory = await copyToMemory(tiledb, url);
  const written = new tiledb.MemoryStore();
  const result = {
    memory: await observeReading(modules, (path) => ({ store: memory, path }), arrays),
    http: await observeReading(modules, (path) => `${url}/${path}`, arrays),
    written: await observeWriting(modules, (path) => ({ store: written, path })),
  };
  if (local === undefined) return result;
  return {
    ...result,
    localRead: await observeReading(modules, (name) => `${local.read}/${name}`, arrays),
    localWritten: await observeWriting(modules, (name) => `${local.write}/${name}`),
  };
}

/**
 * The same of a bucket of S3: what is served is put there, and read from there; an array and a store are written.
 *
 * @param task { url: where the places are served, uri: s3://..., config: TileDB's settings, arrays }
 */
export async function runBucket(modules, { url, uri, config, arrays }) {
  const place = (path) => modules.tiledb.locate(`${uri}/${path}`, { config });
  const served = new ServedStore(url);
  const { store } = place("");
  const entries = await served.list("");
  const pending = [...entries];
  const take = async () => {
    for (let entry = pending.pop(); entry !== undefined; entry = pending.pop()) {
      await store.put(entry.key, await served.get(entry.key));
    }
  };
  await Promise.all(Array.from({ length: 6 }, take));
  const listed = (await store.list("")).map(({ key, size }) => ({ key, size }));
  return {
    listed: JSON.stringify(listed) === JSON.stringify(entries),
    read: await observeReading(modules, place, arrays),
    written: await observeWriting(modules, (path) => place(`made/${path}`)),
  };
}
