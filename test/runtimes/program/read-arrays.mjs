// Reads arrays over HTTP with nothing but the engine's reading half, and says what files were loaded for it.
import { locate, openArray } from "cellarr/tiledb";
import { ServedStore } from "./places.mjs";

const [url, ...names] = process.argv.slice(2);
const listed = new ServedStore(url);
const http = locate(url).store;
const store = {
  uri: url,
  isRemote: true,
  get: (key, options) => http.get(key, options),
  getRange: (key, range, options) => http.getRange(key, range, options),
  list: (prefix, options) => listed.list(prefix, options),
};
for (const path of names) {
  const array = await openArray({ store, path });
  const { cellCount } = await array.read();
  process.stdout.write(`cells ${cellCount}\n`);
}
