// This package: start, open, one slice, print, as a user's own script would.
import { CellArrDataset, slice } from "cellarr";

const { store, cells, genes } = JSON.parse(process.argv[2]);
const dataset = await CellArrDataset.open(store);
const part = await dataset.get(slice(...cells), genes);
const { indptr, indices, data } = part.matrix("counts");
const rows = [];
for (let row = 0; row + 1 < indptr.length; row++) {
  for (let i = indptr[row]; i < indptr[row + 1]; i++) rows.push([row, indices[i], data[i]]);
}
const text = JSON.stringify(rows.map(([, , value]) => value));
process.stdout.write(`${text}\n`);
const { user, system } = process.cpuUsage();
process.stdout.write(`${JSON.stringify({ cpu: (user + system) / 1e6, text })}\n`);
