// Opens the store at argv[2], reads a slice of it, and prints what was loaded for that, a file: or node: URL a line.
import { writeSync } from "node:fs";
import { register } from "node:module";

const hooks = `
  import { writeSync } from "node:fs";
  export async function load(url, context, next) {
    writeSync(1, url + "\\n");
    return next(url, context);
  }`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);

const { CellArrDataset, slice } = await import("../../dist/node.js");
const dataset = await CellArrDataset.open(process.argv[2]);
const [gene] = await dataset.getGeneAnnotationIndex();
const part = await dataset.get(slice(0, 1), [gene]);
writeSync(1, `shape ${part.shape}\n`);
