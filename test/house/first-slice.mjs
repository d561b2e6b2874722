// Opens the store at argv[2], with argv[3] as storage options, reads a slice of it, and prints what was loaded for that:
// a file: or node: URL a line, what Node has loaded of its own behind "internal".
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
const storage = JSON.parse(process.argv[3] ?? "{}");
const dataset = await CellArrDataset.open(process.argv[2], { storage });
const [gene] = await dataset.getGeneAnnotationIndex();
const part = await dataset.get(slice(0, 1), [gene]);
for (const name of process.moduleLoadList) writeSync(1, `internal ${name}\n`);
const done = performance.now();
process.on("exit", () => writeSync(1, `ended after ${Math.round(performance.now() - done)} ms\n`));
writeSync(1, `shape ${part.shape}\n`);
