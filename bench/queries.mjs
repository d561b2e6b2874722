// The questions of the benchmark. `column` is a metadata column whose values are compared with the answer's.
import { Random } from "../dist/cli/random.js";

export function makeQueries({ cellCount, genes, common, cellTypes, seed }) {
  const random = new Random(seed);
  const middle = Math.floor(cellCount / 2);
  const many = Math.min(1000, Math.floor(cellCount / 2));
  const start = Math.max(0, middle - Math.floor(many / 2));
  const hundred = sample(genes.length, Math.min(100, genes.length), random).map((i) => genes[i]);
  const column = "cell_type";
  return [
    {
      name: "first slice (11 cells x 3 genes)",
      column,
      cells: [0, 10],
      genes: hundred.slice(0, 3),
      fromStart: true,
    },
    { name: `${many} neighbouring cells, all genes`, column, cells: [start, start + many - 1] },
    { name: `${many} random cells, all genes`, column, list: sample(cellCount, many, random) },
    { name: "1 gene, all cells", column, genes: [common] },
    { name: `${hundred.length} genes, all cells`, column, genes: hundred },
    { name: "1 whole sample", column, sample: 0 },
    { name: "metadata filter, 100 genes", column, where: `cell_type == '${cellTypes[0]}'`, genes: hundred },
    { name: "all cells, all genes", column },
  ];
}

/** `count` different numbers below `limit`, ascending. */
function sample(limit, count, random) {
  const chosen = new Set();
  while (chosen.size < count) chosen.add(random.below(limit));
  return [...chosen].sort((a, b) => a - b);
}
