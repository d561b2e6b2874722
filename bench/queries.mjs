// The questions of the benchmark. `column` is a metadata column whose values are compared with the answer's.
import { Random } from "../dist/cli/random.js";

/** Questions about a store of cells x genes, by the keys that targets.mjs uses. */
export function makeQueries({ cellCount, cells, genes, common, cellTypes, seed }) {
  const random = new Random(seed);
  const many = Math.min(1000, Math.floor(cellCount / 2));
  const start = Math.max(0, Math.floor(cellCount / 2) - Math.floor(many / 2));
  const hundred = sample(genes.length, Math.min(100, genes.length), random).map((i) => genes[i]);
  const column = "cell_type";
  return {
    neighbours: {
      name: `${many} neighbouring cells, all genes`,
      column,
      cells: [start, start + many - 1],
    },
    random: { name: `${many} random cells, all genes`, column, list: sample(cellCount, many, random) },
    gene: { name: "1 gene, all cells", column, genes: [common] },
    genes: { name: `${hundred.length} genes, all cells`, column, genes: hundred },
    sample: { name: "1 whole sample", column, sample: 0, cellsOfSample: cells },
    filter: {
      name: "cells by condition, 100 genes",
      column,
      where: `cell_type == '${cellTypes[0]}'`,
      genes: hundred,
    },
    all: { name: "all cells, all genes", column },
  };
}

/** 11 cells x 3 genes from the middle of the store. */
export function firstSlice({ cellCount, genes, seed }) {
  const start = Math.floor(cellCount / 2);
  const chosen = sample(genes.length, 3, new Random(seed)).map((i) => genes[i]);
  return { cells: [start, start + 10], genes: chosen };
}

/** `count` different numbers below `limit`, ascending. */
function sample(limit, count, random) {
  const chosen = new Set();
  while (chosen.size < count) chosen.add(random.below(limit));
  return [...chosen].sort((a, b) => a - b);
}
