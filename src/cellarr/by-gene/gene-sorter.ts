import { ReusedArrays } from "../../util/reused-arrays.js";
import { bytesOf, type TypedArray } from "../../util/typed-arrays.js";
import type { RunFile, RunPart, SortedRun } from "./run-file.js";

/**
 * Brings cells that come in row-major order into gene-major order with bounded memory: runs of RUN_CELLS cells are
 * sorted by counting genes and written out; then the runs' parts of some genes at a time are put one behind the other.
 * A matrix of one run is never written out. No cell is compared with another.
 *
 * Memory: 2 x (RUN_CELLS x (4 + value) bytes) + RUN_CELLS x 4 bytes while runs are made (128 MB for 16 bits a value
 * less what it doubles for small matrices), BLOCK_CELLS x 2 x (8 + value) while they are merged, and 4 bytes a gene and
 * run: 60 KB for each 4 million cells of 15,000 genes.
 */

/** Cells of a run: 64 MB with 16 bits a value. Runs twice as long were no faster. */
export const RUN_CELLS = 1 << 22;
/** Cells of a block of the result. */
const BLOCK_CELLS = 1 << 20;

/** Cells sorted by gene, then by cell. `values` are bytes, as many a cell as the values take. */
export interface GeneBlock {
  readonly cells: Uint32Array;
  readonly genes: Uint32Array;
  readonly values: Uint8Array;
}

export interface SorterOptions {
  readonly geneCount: number;
  /** Bytes of a value. */
  readonly valueBytes: number;
  /** Where runs are written if there are several. */
  readonly runs: RunFile;
  /** Default RUN_CELLS. */
  readonly runCells?: number | undefined;
  /** Default BLOCK_CELLS. */
  readonly blockCells?: number | undefined;
}

export class GeneSorter {
  readonly #options: SorterOptions;
  readonly #runCells: number;
  readonly #blockCells: number;
  readonly #runs: SortedRun[] = [];
  /** Sorted runs on their way to the file, and blocks of the result. */
  #memory = new ReusedArrays();
  #cells = new Uint32Array(0);
  #genes = new Uint32Array(0);
  #values = new Uint8Array(0);
  #count = 0;
  #total = 0;
  /** The last run's way to the file. */
  #writing: Promise<void> = Promise.resolve();

  constructor(options: SorterOptions) {
    this.#options = options;
    this.#runCells = options.runCells ?? RUN_CELLS;
    this.#blockCells = options.blockCells ?? BLOCK_CELLS;
  }

  /** Cells appended so far. */
  get cellCount(): number {
    return this.#total;
  }

  /** Takes cells that follow the ones before in row-major order. Copies them. */
  async append(cells: Uint32Array, genes: Uint32Array, values: TypedArray): Promise<void> {
    const width = this.#options.valueBytes;
    const bytes = bytesOf(values);
    for (let at = 0; at < cells.length; ) {
      const taken = Math.min(cells.length - at, this.#runCells - this.#count);
      this.#reserve(this.#count + taken);
      this.#cells.set(cells.subarray(at, at + taken), this.#count);
      this.#genes.set(genes.subarray(at, at + taken), this.#count);
      this.#values.set(bytes.subarray(at * width, (at + taken) * width), this.#count * width);
      this.#count += taken;
      at += taken;
      if (this.#count === this.#runCells) await this.#writeRun();
    }
    this.#total += cells.length;
  }

  /** Waits for what is being written, however that ends: nothing is written afterwards unless more is appended. */
  async settled(): Promise<void> {
    await this.#writing.catch(() => undefined);
  }

  /** All cells in gene-major order; once, after the last `append`. Blocks may be reused by the next one. */
  async *sorted(): AsyncGenerator<GeneBlock, void, undefined> {
    await this.#writing;
    if (this.#runs.length === 0) {
      const run = this.#sortRun();
      this.#free();
      yield* this.#blocksOf(run);
      return;
    }
    if (this.#count > 0) await this.#writeRun();
    await this.#writing;
    this.#free();
    this.#memory = new ReusedArrays();
    await this.#options.runs.finish();
    yield* this.#merged();
  }

  #reserve(cells: number): void {
    if (cells <= this.#cells.length) return;
    const size = Math.min(this.#runCells, Math.max(cells, this.#cells.length * 4));
    this.#cells = grown(this.#cells, new Uint32Array(size));
    this.#genes = grown(this.#genes, new Uint32Array(size));
    this.#values = grown(this.#values, new Uint8Array(size * this.#options.valueBytes));
  }

  #free(): void {
    this.#cells = new Uint32Array(0);
    this.#genes = new Uint32Array(0);
    this.#values = new Uint8Array(0);
    this.#count = 0;
  }

  #sortRun(): SortedCells {
    const { geneCount, valueBytes } = this.#options;
    const genes = this.#genes.subarray(0, this.#count);
    const starts = geneStarts(genes, geneCount);
    const targets = targetsOf(genes, starts);
    const cells = this.#memory.take("cells", Uint32Array, this.#count);
    scatter(this.#cells, targets, cells);
    const values = this.#memory.take("values", Uint8Array, this.#count * valueBytes);
    scatterValues(this.#values, targets, values, valueBytes);
    return { starts, cells, values };
  }

  /** Sorts a run and starts to write it: its memory is free again when the next one is to be sorted. */
  async #writeRun(): Promise<void> {
    await this.#writing;
    const { starts, cells, values } = this.#sortRun();
    this.#writing = this.#options.runs.add(starts, cells, values).then((run) => {
      this.#runs.push(run);
    });
    // A failure comes up where it is waited for.
    this.#writing.catch(() => undefined);
    this.#count = 0;
  }

  *#blocksOf({ starts, cells, values }: SortedCells): Generator<GeneBlock, void, undefined> {
    const width = this.#options.valueBytes;
    for (let from = 0; from < cells.length; from += this.#blockCells) {
      const to = Math.min(cells.length, from + this.#blockCells);
      yield {
        cells: cells.subarray(from, to),
        genes: genesBetween(starts, from, to, 0, this.#memory.take("genes", Uint32Array, to - from)),
        values: values.subarray(from * width, to * width),
      };
    }
  }

  /** While a block is worked on, the cells of the next one are read. */
  async *#merged(): AsyncGenerator<GeneBlock, void, undefined> {
    const groups = this.#groups();
    const read = (group: GeneGroup | undefined) =>
      group === undefined || group.cells > this.#blockCells ? null : this.#parts(group);
    let ahead = read(groups[0]);
    for (const [at, group] of groups.entries()) {
      const parts = await ahead;
      ahead = read(groups[at + 1]);
      // A failure comes up where it is waited for.
      ahead?.catch(() => undefined);
      if (parts === null) yield* this.#largeGene(group.first);
      else yield this.#mergeGenes(group, parts);
    }
  }

  /** Neighbouring genes whose cells make a block, in all runs; one that is larger stands alone. */
  #groups(): GeneGroup[] {
    const { geneCount } = this.#options;
    const groups: GeneGroup[] = [];
    for (let first = 0; first < geneCount; ) {
      let end = first;
      let cells = 0;
      for (; end < geneCount; end++) {
        const more = this.#runs.reduce((sum, { starts }) => sum + starts[end + 1]! - starts[end]!, 0);
        if (end > first && cells + more > this.#blockCells) break;
        cells += more;
      }
      if (cells > 0) groups.push({ first, end, cells });
      first = end;
    }
    return groups;
  }

  /** The group's cells in each run. */
  #parts({ first, end }: GeneGroup): Promise<RunPart[]> {
    const { runs } = this.#options;
    return Promise.all(this.#runs.map((run) => runs.read(run, run.starts[first]!, run.starts[end]!)));
  }

  /** The cells of a group that fits a block. */
  #mergeGenes({ first, end, cells: count }: GeneGroup, parts: readonly RunPart[]): GeneBlock {
    const width = this.#options.valueBytes;
    const starts = new Uint32Array(end - first + 1);
    for (const run of this.#runs) {
      for (let gene = first; gene < end; gene++) {
        starts[gene - first + 1]! += run.starts[gene + 1]! - run.starts[gene]!;
      }
    }
    for (let at = 1; at < starts.length; at++) starts[at]! += starts[at - 1]!;
    const next = starts.slice();
    const cells = this.#memory.take("cells", Uint32Array, count);
    const values = this.#memory.take("values", Uint8Array, count * width);
    for (const [r, run] of this.#runs.entries()) {
      const start = run.starts[first]!;
      const part = parts[r]!;
      for (let gene = first; gene < end; gene++) {
        const from = run.starts[gene]! - start;
        const to = run.starts[gene + 1]! - start;
        if (from === to) continue;
        const target = next[gene - first]!;
        cells.set(part.cells.subarray(from, to), target);
        values.set(part.values.subarray(from * width, to * width), target * width);
        next[gene - first] = target + to - from;
      }
    }
    const genes = this.#memory.take("genes", Uint32Array, count);
    return { cells, genes: genesBetween(starts, 0, count, first, genes), values };
  }

  /** The cells of a gene that has more than a block holds: runs follow one another in cell order. */
  async *#largeGene(gene: number): AsyncGenerator<GeneBlock, void, undefined> {
    for (const run of this.#runs) {
      const end = run.starts[gene + 1]!;
      for (let from = run.starts[gene]!; from < end; from += this.#blockCells) {
        const part = await this.#options.runs.read(run, from, Math.min(end, from + this.#blockCells));
        yield { ...part, genes: new Uint32Array(part.cells.length).fill(gene) };
      }
    }
  }
}

/** Genes from the first, inclusive, to the last, exclusive, and their cells in all runs. */
interface GeneGroup {
  readonly first: number;
  readonly end: number;
  readonly cells: number;
}

interface SortedCells {
  /** First cell of each gene, and the end. */
  readonly starts: Uint32Array;
  readonly cells: Uint32Array;
  readonly values: Uint8Array;
}

function grown<T extends Uint32Array | Uint8Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

function geneStarts(genes: Uint32Array, geneCount: number): Uint32Array {
  const starts = new Uint32Array(geneCount + 1);
  for (let at = 0; at < genes.length; at++) starts[genes[at]! + 1]!++;
  for (let gene = 0; gene < geneCount; gene++) starts[gene + 1]! += starts[gene]!;
  return starts;
}

/** Where each cell goes, written over its gene. */
function targetsOf(genes: Uint32Array, starts: Uint32Array): Uint32Array {
  const next = starts.slice();
  for (let at = 0; at < genes.length; at++) genes[at] = next[genes[at]!]!++;
  return genes;
}

type Words = Uint8Array | Uint16Array | Uint32Array;

function scatter<T extends Words>(from: T, targets: Uint32Array, to: T): void {
  for (let at = 0; at < targets.length; at++) to[targets[at]!] = from[at]!;
}

/** By the bits of the values: numbers of 64 bits as two words, so that no NaN changes and no BigInt is made. */
function scatterValues(from: Uint8Array, targets: Uint32Array, to: Uint8Array, width: number): void {
  if (width === 1) scatter(from, targets, to);
  else if (width === 2) scatter(new Uint16Array(from.buffer), targets, new Uint16Array(to.buffer));
  else if (width === 4) scatter(new Uint32Array(from.buffer), targets, new Uint32Array(to.buffer));
  else scatterPairs(new Uint32Array(from.buffer), targets, new Uint32Array(to.buffer));
}

function scatterPairs(from: Uint32Array, targets: Uint32Array, to: Uint32Array): void {
  for (let at = 0; at < targets.length; at++) {
    const target = 2 * targets[at]!;
    to[target] = from[2 * at]!;
    to[target + 1] = from[2 * at + 1]!;
  }
}

/** Writes the gene of each cell from `from` to `to`; `starts` begin with gene `first`. */
function genesBetween(
  starts: Uint32Array,
  from: number,
  to: number,
  first: number,
  genes: Uint32Array,
): Uint32Array {
  for (let gene = geneAt(starts, from); gene < starts.length - 1 && starts[gene]! < to; gene++) {
    genes.fill(first + gene, Math.max(0, starts[gene]! - from), Math.min(to, starts[gene + 1]!) - from);
  }
  return genes;
}

/** The gene of cell `at`. */
function geneAt(starts: Uint32Array, at: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (starts[middle + 1]! <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}
