// This package: one slice of a store in a bucket, cold; milliseconds without loading the package itself.
import { CellArrDataset } from "cellarr";
import { openArray } from "cellarr/tiledb";

const { uri, config, cells, genes, columns, geneCount, what, index } = JSON.parse(process.argv[2]);
const storage = { config, ...(index && { index }) };
const before = process.cpuUsage();
const start = performance.now();
const values = what === "matrix" ? await ofMatrix() : await ofDataset();
const ms = performance.now() - start;
const { user, system } = process.cpuUsage(before);
const cpu = (user + system) / 1000;
process.stdout.write(`${JSON.stringify({ ms, cpu, text: JSON.stringify(Array.from(values, Number)) })}\n`);

async function ofMatrix() {
  const array = await openArray(`${uri}/assays/counts`, { storage });
  const rows = Uint32Array.from({ length: cells[1] - cells[0] + 1 }, (_, at) => cells[0] + at);
  const query = { rows, columns: Uint32Array.from(columns), columnCount: geneCount, attribute: "data" };
  return (await array.readCompressed(query)).values;
}

async function ofDataset() {
  const dataset = await CellArrDataset.open(uri, { storage });
  const rows = Array.from({ length: cells[1] - cells[0] + 1 }, (_, at) => cells[0] + at);
  return (await dataset.getSlice(rows, genes)).matrix("counts").data;
}
