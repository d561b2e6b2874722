import { buildCellArrDataset } from "../../src/cellarr/build/build.js";
import type { BuildOptions } from "../../src/cellarr/build/options.js";
import { AnnData } from "../../src/h5ad/anndata.js";
import type { SparseMatrix } from "../../src/h5ad/matrix.js";
import { MemoryStore } from "../../src/storage/memory.js";
import { textColumn } from "../../src/util/frame.js";
import { frame } from "./samples.js";

/** A store whose matrix has two million values, in memory: large enough that what is asked for can be too much. */

export const CELLS = 8000;
export const GENES = 2000;
const PER_CELL = 250;

export const geneNames = Array.from({ length: GENES }, (_, gene) => `gene_${String(gene).padStart(4, "0")}`);

export async function largeStore(files: number, options: Partial<BuildOptions> = {}): Promise<MemoryStore> {
  const store = new MemoryStore(`mem://large-${files}-${Math.random()}`);
  const cells = CELLS / files;
  await buildCellArrDataset({
    outputPath: { store, path: "store" },
    files: Array.from({ length: files }, (_, file) => experiment(file * cells, cells)),
    optimize: files === 1,
    geneMajor: false,
    ...options,
  });
  return store;
}

function experiment(firstCell: number, cells: number): AnnData {
  const names = Array.from({ length: cells }, (_, cell) => `cell_${firstCell + cell}`);
  const kinds = ["B cell", "T cell", "monocyte"];
  return new AnnData({
    obs: frame(names, {
      tissue: textColumn(names.map((_, cell) => (cell % 7 < 3 ? "lung" : "liver"))),
      kind: textColumn(names.map((_, cell) => kinds[cell % 3]!)),
      n_counts: { kind: "numeric", values: Int32Array.from(names, (_, cell) => 1000 + ((cell * 37) % 991)) },
      score: { kind: "numeric", values: Float64Array.from(names, (_, cell) => Math.sin(cell)) },
    }),
    var: frame(geneNames, { symbol: textColumn(geneNames.map((name) => name.toUpperCase())) }),
    layers: { counts: matrix(firstCell, cells) },
  });
}

function matrix(firstCell: number, cells: number): SparseMatrix {
  const indptr = Int32Array.from({ length: cells + 1 }, (_, row) => row * PER_CELL);
  const indices = new Int32Array(cells * PER_CELL);
  const data = new Float32Array(cells * PER_CELL);
  for (let row = 0; row < cells; row++) {
    for (let step = 0; step < PER_CELL; step++) {
      const at = row * PER_CELL + step;
      const gene = step * 8 + (((firstCell + row) * 7919 + step * 104729) % 8);
      indices[at] = gene;
      data[at] = valueAt(firstCell + row, gene);
    }
  }
  return { format: "csr", shape: [cells, GENES], indptr, indices, data };
}

/** What a stored value is. */
export function valueAt(cell: number, gene: number): number {
  return 1 + ((cell * 31 + gene * 17) % 61);
}
