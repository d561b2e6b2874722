// Queries a store over HTTP, and says what files were loaded for it.
import { CellArrDataset, locate, slice } from "cellarr";
import { ServedStore } from "./places.mjs";

const [url, path] = process.argv.slice(2);
const listed = new ServedStore(url);
const http = locate(url).store;
const store = {
  uri: url,
  isRemote: true,
  get: (key, options) => http.get(key, options),
  getRange: (key, range, options) => http.getRange(key, range, options),
  list: (prefix, options) => listed.list(prefix, options),
};
const dataset = await CellArrDataset.open({ store, path });
const part = await dataset.get(slice(0, 9), ["gene_1", "gene_4"]);
process.stdout.write(`cells ${part.shape[0]}\n`);
