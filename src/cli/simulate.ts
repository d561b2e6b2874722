import { AnnData } from "../h5ad/anndata.js";
import type { SparseMatrix } from "../h5ad/matrix.js";
import { Frame, type FrameColumn, type TextColumn, textColumn } from "../util/frame.js";
import { AliasTable, Random } from "./random.js";

/**
 * Simulated single-cell counts: gene means are log-normal with sigma 2, library sizes log-normal with sigma 0.35,
 * counts are Poisson. Each sample measures its own random part of the genes.
 */

export interface SimulationOptions {
  /** Cells of one sample. */
  readonly cells: number;
  /** Genes over all samples, default 15,000. */
  readonly genes?: number;
  /** Mean number of non-zeros of a cell, default 9 % of the genes (1,350 of 15,000). */
  readonly nonZerosPerCell?: number;
  /** Part of the genes that one sample measures, default 0.95. */
  readonly geneFraction?: number;
  /** Same seed, same data; default 1. */
  readonly seed?: number;
  /** Adds a layer "log-norm": counts per 10,000 of the cell, log(1 + x), float32. */
  readonly logNorm?: boolean;
}

const GENE_SIGMA = 2;
const LIBRARY_SIGMA = 0.35;
const tissues = ["lung", "liver", "blood", "kidney", "skin", "heart"];
const cellTypes = ["T cell", "B cell", "monocyte", "NK cell", "fibroblast", "endothelial"];

/** Samples that share their genes. Each is made when asked for and depends on nothing but options and its number. */
export class Simulator {
  readonly #options: Required<SimulationOptions>;
  readonly #geneWeights: Float64Array;
  /** Mean of the log of library sizes. */
  readonly #logLibrary: number;

  constructor(options: SimulationOptions) {
    const genes = options.genes ?? 15_000;
    this.#options = {
      cells: options.cells,
      genes,
      nonZerosPerCell: options.nonZerosPerCell ?? 0.09 * genes,
      geneFraction: options.geneFraction ?? 0.95,
      seed: options.seed ?? 1,
      logNorm: options.logNorm ?? false,
    };
    const random = new Random(this.#options.seed);
    this.#geneWeights = Float64Array.from({ length: genes }, () => Math.exp(GENE_SIGMA * random.normal()));
    this.#logLibrary = solveLogLibrary(
      normalised(this.#geneWeights),
      this.#options.nonZerosPerCell / this.#options.geneFraction,
    );
  }

  /** Sample number `index`, from 0 on, with its counts as the layer "counts" (float32, as files usually have them). */
  sample(index: number): AnnData {
    const { cells, seed, logNorm } = this.#options;
    const random = new Random(seed + 0x1_0000_0000 * (index + 1));
    const genes = this.#measuredGenes(random);
    const counts = this.#counts(genes, cells, random);
    const layers: Record<string, SparseMatrix> = { counts };
    if (logNorm) layers["log-norm"] = logNormalised(counts);
    return new AnnData({
      name: `sample_${index + 1}`,
      obs: cellFrame(counts, index, random),
      var: geneFrame(genes),
      layers,
    });
  }

  #measuredGenes(random: Random): Uint32Array {
    const { genes, geneFraction } = this.#options;
    const all = Uint32Array.from({ length: genes }, (_, i) => i);
    const kept = Math.max(1, Math.round(genes * geneFraction));
    for (let i = 0; i < kept; i++) {
      const other = i + random.below(genes - i);
      [all[i], all[other]] = [all[other]!, all[i]!];
    }
    return all.subarray(0, kept).sort();
  }

  /** Row after row: a Poisson number of molecules, each given to a gene, is a Poisson count for every gene. */
  #counts(genes: Uint32Array, cells: number, random: Random): SparseMatrix {
    const weights = Float64Array.from(genes, (gene) => this.#geneWeights[gene]!);
    const table = new AliasTable(weights);
    const share = sum(weights) / sum(this.#geneWeights);
    const builder = new CsrBuilder(genes.length, Math.ceil(cells * this.#options.nonZerosPerCell * 1.1));
    for (let cell = 0; cell < cells; cell++) {
      const library = Math.exp(this.#logLibrary + LIBRARY_SIGMA * random.normal()) * share;
      for (let left = random.poisson(library); left > 0; left--) builder.add(table.draw(random));
      builder.endRow();
    }
    return builder.finish();
  }
}

/** Collects counts row by row; memory grows with the non-zeros, not with rows x columns. */
class CsrBuilder {
  readonly #row: Uint32Array;
  readonly #indptr: number[] = [0];
  #indices: Int32Array;
  #data: Float32Array;
  #stored = 0;

  constructor(columns: number, expected: number) {
    this.#row = new Uint32Array(columns);
    this.#indices = new Int32Array(Math.max(expected, 16));
    this.#data = new Float32Array(this.#indices.length);
  }

  add(column: number): void {
    this.#row[column]!++;
  }

  endRow(): void {
    if (this.#stored + this.#row.length > this.#indices.length) this.#grow();
    for (let column = 0; column < this.#row.length; column++) {
      const count = this.#row[column]!;
      if (count === 0) continue;
      this.#indices[this.#stored] = column;
      this.#data[this.#stored++] = count;
    }
    this.#row.fill(0);
    this.#indptr.push(this.#stored);
  }

  #grow(): void {
    const size = Math.ceil(this.#indices.length * 1.5) + this.#row.length;
    const indices = new Int32Array(size);
    const data = new Float32Array(size);
    indices.set(this.#indices);
    data.set(this.#data);
    this.#indices = indices;
    this.#data = data;
  }

  finish(): SparseMatrix {
    const indptr = Int32Array.from(this.#indptr);
    const shape = [indptr.length - 1, this.#row.length] as const;
    const indices = this.#indices.slice(0, this.#stored);
    return { format: "csr", shape, indptr, indices, data: this.#data.slice(0, this.#stored) };
  }
}

function logNormalised(counts: SparseMatrix): SparseMatrix {
  const data = new Float32Array(counts.data.length);
  for (let row = 0; row < counts.shape[0]; row++) {
    const total = rowTotal(counts, row);
    for (let i = counts.indptr[row]!; i < counts.indptr[row + 1]!; i++) {
      data[i] = Math.log1p((Number(counts.data[i]) / total) * 10_000);
    }
  }
  return { ...counts, data };
}

function rowTotal(counts: SparseMatrix, row: number): number {
  let total = 0;
  for (let i = counts.indptr[row]!; i < counts.indptr[row + 1]!; i++) total += Number(counts.data[i]);
  return total;
}

function cellFrame(counts: SparseMatrix, sample: number, random: Random): Frame {
  const cells = counts.shape[0];
  const ids = textColumn(Array.from({ length: cells }, (_, cell) => barcode(sample, cell)));
  const perCell = <T>(value: (cell: number) => T): T[] =>
    Array.from({ length: cells }, (_, cell) => value(cell));
  const columns = new Map<string, FrameColumn>([
    ["cellids", ids],
    ["tissue", categorical([tissues[sample % tissues.length]!], new Int32Array(cells))],
    ["cell_type", categorical(cellTypes, Int32Array.from(perCell(() => random.below(cellTypes.length))))],
    ["n_counts", { kind: "numeric", values: Int32Array.from(perCell((cell) => rowTotal(counts, cell))) }],
    [
      "n_genes",
      {
        kind: "numeric",
        values: Int32Array.from(perCell((cell) => counts.indptr[cell + 1]! - counts.indptr[cell]!)),
      },
    ],
  ]);
  return new Frame(ids, columns, null);
}

/** As sequencers name cells: 16 bases, different for each cell, and the number of the sample. */
function barcode(sample: number, cell: number): string {
  // An odd factor makes it a permutation of the 32-bit numbers.
  const bits = (Math.imul(cell + 1, 0x9e3779b1) ^ Math.imul(sample + 1, 0x85ebca6b)) >>> 0;
  let text = "";
  for (let base = 0; base < 16; base++) text += "ACGT"[(bits >>> (2 * base)) & 3];
  return `${text}-${sample + 1}`;
}

function categorical(names: readonly string[], codes: Int32Array): FrameColumn {
  return { kind: "categorical", codes, categories: textColumn(names), ordered: false };
}

function geneFrame(genes: Uint32Array): Frame {
  const names: TextColumn = textColumn(Array.from(genes, (gene) => `gene_${gene + 1}`));
  return new Frame(names, new Map<string, FrameColumn>([["names", names]]), null);
}

/** The mean log library size at which a cell has `nonZeros` non-zeros on average, by bisection. */
function solveLogLibrary(shares: Float64Array, nonZeros: number): number {
  let low = 0;
  let high = 30;
  const target = Math.min(nonZeros, shares.length * 0.99);
  for (let step = 0; step < 40; step++) {
    const middle = (low + high) / 2;
    if (expectedNonZeros(shares, middle) < target) low = middle;
    else high = middle;
  }
  return low;
}

/** Nodes and weights that integrate over a normal distribution (Gauss and Hermite, 3 points). */
const quadrature = [
  [-Math.sqrt(3), 1 / 6],
  [0, 2 / 3],
  [Math.sqrt(3), 1 / 6],
] as const;

function expectedNonZeros(shares: Float64Array, logLibrary: number): number {
  let expected = 0;
  for (const [node, weight] of quadrature) {
    const library = Math.exp(logLibrary + LIBRARY_SIGMA * node);
    for (const share of shares) expected -= weight * Math.expm1(-library * share);
  }
  return expected;
}

function normalised(weights: Float64Array): Float64Array {
  const total = sum(weights);
  return weights.map((weight) => weight / total);
}

function sum(values: Float64Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
