import { asNumbers } from "../../cellarr/build/fit-values.js";
import type { CellArrDataset } from "../../cellarr/dataset.js";
import { positionsIn, slice, sortedUnique } from "../../cellarr/selection.js";
import { ArgumentError, LimitError, NotFoundError, throwIfAborted } from "../../errors.js";
import { datatypeInfo } from "../../format/datatype.js";
import type { ReusedArrays } from "../../util/reused-arrays.js";
import { concatUint32, type NumberArray } from "../../util/typed-arrays.js";
import type { CellValues, CsrBatch } from "./batch.js";
import { CellCache, type CellRows } from "./cell-cache.js";
import { LogNormaliser } from "./normalise.js";
import { type CellReaderOptions, type ReaderSettings, readerSettings } from "./options.js";

/**
 * Cells of a store as a network takes them: chosen genes in a chosen order, log-normalised, as float32.
 */

export interface ReadOptions {
  readonly signal?: AbortSignal | undefined;
}

/** Cells as they are stored, of which values are made when they are needed: they take less memory so. */
export interface FetchedCells {
  readonly cells: Uint32Array;
  /** Row of `matrix` of each cell. */
  readonly rows: Uint32Array;
  readonly matrix: ReadRows;
}

/** Rows with the columns of the result; ascending only where the genes are in the store's order. */
interface ReadRows {
  readonly indptr: CellRows["indptr"];
  readonly columns: Int32Array | Uint32Array;
  readonly values: NumberArray;
}

/** What a typed array holds in every engine of today. */
const MAX_VALUES = 2 ** 32;

interface GeneChoice {
  readonly names: readonly string[];
  /** Numbers in the store, ascending; null for all genes. */
  readonly read: Uint32Array | null;
  /** Column of the result for each gene that is read; null where it is the same. */
  readonly columns: Uint32Array | null;
}

export class CellReader {
  readonly #dataset: CellArrDataset;
  readonly #matrix: string;
  readonly #settings: ReaderSettings;
  readonly #genes: GeneChoice;
  readonly #normaliser: LogNormaliser | null;
  readonly #cache: CellCache | null;

  private constructor(dataset: CellArrDataset, matrix: string, settings: ReaderSettings, genes: GeneChoice) {
    this.#dataset = dataset;
    this.#matrix = matrix;
    this.#settings = settings;
    this.#genes = genes;
    this.#normaliser = settings.lognorm ? new LogNormaliser(settings.targetSum) : null;
    this.#cache = settings.cacheBytes > 0 ? cacheFor(dataset, matrix, settings.cacheBytes) : null;
  }

  /** Throws NotFoundError for a matrix or genes that are not there, ArgumentError for genes given twice. */
  static async open(dataset: CellArrDataset, options: CellReaderOptions = {}): Promise<CellReader> {
    const settings = readerSettings(options);
    const matrix = matrixName(dataset, settings.matrix);
    const genes = await chooseGenes(dataset, settings);
    return new CellReader(dataset, matrix, settings, genes);
  }

  /** Names of the columns. */
  get genes(): readonly string[] {
    return this.#genes.names;
  }

  /** Whether and to what sum values are normalised. */
  get normalisation(): { readonly lognorm: boolean; readonly targetSum: number } {
    const { lognorm, targetSum } = this.#settings;
    return { lognorm, targetSum };
  }

  /** The cells of these numbers in that order, repeats included; tiles that hold several are read once. */
  async read(cells: Uint32Array, options: ReadOptions = {}): Promise<CellValues> {
    this.checkSize(cells.length);
    return this.finish(await this.fetch(cells, options));
  }

  /** Throws LimitError if that many cells are more than an array holds. */
  checkSize(cells: number): void {
    const genes = this.genes.length;
    if (this.#settings.sparse || cells * genes <= MAX_VALUES) return;
    throw new LimitError(
      `a dense batch of ${cells} cells x ${genes} genes, at most ${MAX_VALUES} values are held: ask for smaller batches or sparse`,
    );
  }

  /** Bytes that a cell takes between `fetch` and `finish`, about. */
  get bytesPerCell(): number {
    const { dtype } = this.#dataset.getMatrixInfo(this.#matrix);
    const values = Math.min(valuesPerCell(this.#dataset, this.#matrix), this.genes.length);
    return values * (4 + datatypeInfo(dtype).bytes) + 4;
  }

  /** What `finish` makes the values of. */
  async fetch(cells: Uint32Array, options: ReadOptions = {}): Promise<FetchedCells> {
    return (await this.fetchTogether([cells], options))[0]!;
  }

  /** The same for several batches: what cells of more than one need is read once. */
  async fetchTogether(
    batches: readonly Uint32Array[],
    { signal }: ReadOptions = {},
  ): Promise<FetchedCells[]> {
    const sorted = sortedUnique(concatUint32(batches));
    const read = (wanted: Uint32Array) => this.#read(wanted, signal);
    const stored = this.#cache === null ? await read(sorted) : await this.#cache.fetch(sorted, read);
    throwIfAborted(signal);
    const matrix = this.#readRows(stored);
    return batches.map((cells) => ({ cells, rows: positionsIn(sorted, cells), matrix }));
  }

  /** Stored values of cells in ascending order, each once. */
  async #read(cells: Uint32Array, signal: AbortSignal | undefined): Promise<CellRows> {
    const options = { matrices: [this.#matrix], signal };
    const matrices = await this.#dataset.getMatrixSubset(cells, this.#genes.read ?? slice(), options);
    return matrices.get(this.#matrix)!;
  }

  /** `memory`: where dense values are put, in place of what was there; new memory by default. */
  finish({ cells, rows, matrix }: FetchedCells, memory?: ReusedArrays): CellValues {
    const values = this.#settings.sparse ? this.#sparse(rows, matrix) : this.#dense(rows, matrix, memory);
    return { cellCount: cells.length, geneCount: this.genes.length, values, cellIndices: cells };
  }

  #dense(
    rows: Uint32Array,
    { indptr, columns, values }: ReadRows,
    memory: ReusedArrays | undefined,
  ): Float32Array {
    const geneCount = this.genes.length;
    const size = rows.length * geneCount;
    const dense = memory?.take("values", Float32Array, size).fill(0) ?? new Float32Array(size);
    for (let cell = 0; cell < rows.length; cell++) {
      const [from, to] = [indptr[rows[cell]!]!, indptr[rows[cell]! + 1]!];
      this.#put(values, from, to, dense, cell * geneCount, columns);
    }
    return dense;
  }

  #sparse(rows: Uint32Array, { indptr, columns, values }: ReadRows): CsrBatch {
    const starts = new Uint32Array(rows.length + 1);
    for (let cell = 0; cell < rows.length; cell++) {
      starts[cell + 1] = starts[cell]! + indptr[rows[cell]! + 1]! - indptr[rows[cell]!]!;
    }
    const batch = {
      indptr: starts,
      indices: new Int32Array(starts[rows.length]!),
      values: new Float32Array(starts[rows.length]!),
    };
    for (let cell = 0; cell < rows.length; cell++) {
      const [from, to] = [indptr[rows[cell]!]!, indptr[rows[cell]! + 1]!];
      this.#put(values, from, to, batch.values, starts[cell]!, null);
      batch.indices.set(columns.subarray(from, to), starts[cell]);
      if (this.#genes.columns !== null) sortRow(batch, starts[cell]!, starts[cell + 1]!);
    }
    return batch;
  }

  #put(
    values: NumberArray,
    from: number,
    to: number,
    out: Float32Array,
    start: number,
    columns: Int32Array | Uint32Array | null,
  ): void {
    if (this.#normaliser !== null) this.#normaliser.cell(values, from, to, out, start, columns);
    else if (columns === null) out.set(values.subarray(from, to), start);
    else for (let at = from; at < to; at++) out[start + columns[at]!] = values[at]!;
  }

  #readRows({ indptr, indices, data }: CellRows): ReadRows {
    const { columns: places } = this.#genes;
    const values = asNumbers(data);
    if (places === null) return { indptr, columns: indices, values };
    const columns = new Int32Array(indices.length);
    for (let at = 0; at < columns.length; at++) columns[at] = places[indices[at]!]!;
    return { indptr, columns, values };
  }
}

function cacheFor(dataset: CellArrDataset, matrix: string, bytes: number): CellCache {
  return new CellCache(bytes, dataset.numberOfCells, valuesPerCell(dataset, matrix));
}

function valuesPerCell(dataset: CellArrDataset, matrix: string): number {
  return dataset.getMatrixInfo(matrix).storedValues / Math.max(1, dataset.numberOfCells);
}

function matrixName(dataset: CellArrDataset, wanted: string | undefined): string {
  const names = dataset.matrixNames;
  const name = wanted ?? (names.length === 1 ? names[0]! : "counts");
  if (names.includes(name)) return name;
  const present = names.map((one) => `'${one}'`).join(", ") || "none";
  throw new NotFoundError(`no matrix '${name}'; there are: ${present}`, { where: dataset.uri });
}

async function chooseGenes(
  dataset: CellArrDataset,
  { geneOrder, missingGenes }: ReaderSettings,
): Promise<GeneChoice> {
  const all = await dataset.getGeneAnnotationIndex();
  if (geneOrder === undefined) return { names: all, read: null, columns: null };
  if (new Set(geneOrder).size !== geneOrder.length) {
    const twice = geneOrder.find((name, at) => geneOrder.indexOf(name) !== at);
    throw new ArgumentError(`geneOrder has '${twice}' twice`);
  }
  const numberOf = new Map(all.map((name, number) => [name, number]));
  const missing = geneOrder.filter((name) => !numberOf.has(name));
  if (missing.length > 0 && missingGenes === "error") throw missingError(missing, dataset.uri);
  const names = geneOrder.filter((name) => numberOf.has(name));
  if (names.length === 0)
    throw new NotFoundError("geneOrder has no gene of the store", { where: dataset.uri });
  const numbers = Uint32Array.from(names, (name) => numberOf.get(name)!);
  const read = numbers.slice().sort();
  const columns = new Uint32Array(read.length);
  for (const [column, place] of positionsIn(read, numbers).entries()) columns[place] = column;
  const inOrder = columns.every((column, place) => column === place);
  return { names, read: read.length === all.length ? null : read, columns: inOrder ? null : columns };
}

function missingError(missing: readonly string[], where: string): NotFoundError {
  const shown = missing.slice(0, 20).map((name) => `'${name}'`);
  const more = missing.length > shown.length ? ` and ${missing.length - shown.length} more` : "";
  return new NotFoundError(`no gene of that name: ${shown.join(", ")}${more}`, { where });
}

/** Puts the columns of a row in order. */
function sortRow({ indices, values }: CsrBatch, from: number, to: number): void {
  const columns = indices.slice(from, to);
  const row = values.slice(from, to);
  const order = Uint32Array.from(columns, (_, at) => at).sort((a, b) => columns[a]! - columns[b]!);
  for (const [at, other] of order.entries()) {
    indices[from + at] = columns[other]!;
    values[from + at] = row[other]!;
  }
}
