import type { TileDBArray } from "../array/open.js";
import { FormatError, NotFoundError, throwIfAborted } from "../errors.js";
import type { SparseMatrix } from "../h5ad/matrix.js";
import type { TypedArray } from "../util/typed-arrays.js";
import { isCopyCheaper, type MatrixRequest, mayNeedCopy } from "./by-gene/choose.js";
import type { GeneMajorCopy } from "./by-gene/gene-major-state.js";
import { compressRows } from "./by-gene/transpose.js";
import { takeMatrixRows } from "./matrix-views.js";
import { readDenseMatrix } from "./query/dense-matrix.js";
import { isAscending, positionsIn, runsOf, sortedUnique } from "./selection.js";

/** From which of a matrix's arrays to read; "auto": the one that answers cheaper. */
export type MatrixSource = "auto" | "cell-major" | "gene-major";

export interface MatrixReadOptions {
  readonly source?: MatrixSource | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A matrix of cells x genes in a sparse or dense array, and its gene-major copy where there is one. */
export class MatrixReader {
  readonly array: TileDBArray;
  readonly #cells: string;
  readonly #genes: string;
  readonly #attribute: string;
  readonly #openCopy: (() => Promise<GeneMajorCopy>) | null;
  readonly #threads: number;
  #copy: Promise<GeneMajorCopy> | undefined;

  /**
   * Throws FormatError unless the array has two dimensions and an attribute. `openCopy` looks for the
   * gene-major copy; it is called once, by the first read that may profit. `threads` decode, the calling one included.
   */
  constructor(array: TileDBArray, openCopy: (() => Promise<GeneMajorCopy>) | null = null, threads = 1) {
    const { schema, uri } = array;
    const [cells, genes, ...others] = schema.dimensions;
    const [attribute] = schema.attributes;
    const isMatrix = cells !== undefined && genes !== undefined && others.length === 0;
    if (!isMatrix || attribute === undefined) {
      throw new FormatError(
        `not a matrix: expected an array of two dimensions with an attribute, found a ${schema.arrayType} one of ${schema.dimensions.length} with ${schema.attributes.length} attributes`,
        { where: uri },
      );
    }
    this.array = array;
    this.#threads = threads;
    this.#openCopy = schema.arrayType === "sparse" ? openCopy : null;
    this.#cells = cells.name;
    this.#genes = genes.name;
    this.#attribute = attribute.name;
  }

  /**
   * Throws FormatError if the matrix has values beyond the cells and genes of the store. It may have fewer: the last
   * cells and genes can be without values (Python 0.3.2 refuses such stores): returns how many cells and genes it has
   * up to the last value.
   */
  checkShape(cells: number, genes: number): readonly [cells: number, genes: number] {
    const domain = this.array.nonEmptyDomain();
    if (domain === null) return [0, 0];
    const last = [Number(domain[0]![1]), Number(domain[1]![1])] as const;
    if (last[0] < cells && last[1] < genes) return [last[0] + 1, last[1] + 1];
    throw new FormatError(
      `matrix has values up to cell ${last[0]} and gene ${last[1]}, the store has ${cells} cells and ${genes} genes`,
      { where: this.array.uri },
    );
  }

  /**
   * The values of `cells` x `genes` as CSR: a row per cell in the order given, repeats included, and a column per gene;
   * `genes` are strictly ascending. Columns ascend within rows. Read from the matrix or from its gene-major copy,
   * whichever answers cheaper.
   */
  async read(
    cells: Uint32Array,
    genes: Uint32Array,
    total: { readonly cells: number; readonly genes: number },
    options: MatrixReadOptions = {},
  ): Promise<SparseMatrix> {
    const ascending = isAscending(cells);
    const sorted = ascending ? cells : sortedUnique(cells);
    const matrix = this.isDense
      ? await this.#readDense(sorted, genes, options)
      : ((await this.#readCopy(sorted, genes, total, options)) ??
        (await this.#readCompressed(sorted, genes, total.genes, options.signal)) ??
        (await this.#readGeneral(sorted, genes, total, options.signal)));
    return ascending ? matrix : takeMatrixRows(matrix, positionsIn(sorted, cells));
  }

  /** Whether it is the requests that take the time of a read. */
  get isRemote(): boolean {
    return this.array.isRemote;
  }

  get isDense(): boolean {
    return this.array.schema.arrayType === "dense";
  }

  async #readDense(
    cells: Uint32Array,
    genes: Uint32Array,
    { source, signal }: MatrixReadOptions,
  ): Promise<SparseMatrix> {
    if (source === "gene-major") {
      throw new NotFoundError("no gene-major copy to read from: dense matrices have none", {
        where: this.array.uri,
      });
    }
    const fields = { cells: this.#cells, genes: this.#genes, attribute: this.#attribute };
    return readDenseMatrix(this.array, fields, cells, genes, signal);
  }

  /** Whether there is a gene-major copy, and whether it holds what the matrix does; looked up once. */
  geneMajorCopy(): Promise<GeneMajorCopy> {
    if (this.#copy === undefined) {
      this.#copy = this.#openCopy?.() ?? Promise.resolve({ state: "none" });
      this.#copy.catch(() => {
        this.#copy = undefined;
      });
    }
    return this.#copy;
  }

  /** From the copy; null where the matrix is the one to read. */
  async #readCopy(
    cells: Uint32Array,
    genes: Uint32Array,
    total: { readonly cells: number; readonly genes: number },
    options: MatrixReadOptions,
  ): Promise<SparseMatrix | null> {
    const copy = await this.#copyFor({ cells: runsOf(cells), genes: runsOf(genes), total }, options);
    if (copy === null) return null;
    const byGene = await copy.readCompressed({
      rows: genes,
      columns: cells.length === total.cells ? null : cells,
      columnCount: total.cells,
      attribute: this.#attribute,
      signal: options.signal,
      threads: this.#threads,
    });
    if (byGene === null) return null;
    const { indptr, indices, values } = compressRows(byGene, cells.length);
    return { format: "csr", shape: [cells.length, genes.length], indptr, indices, data: values };
  }

  /** The copy to read from, or null for the matrix itself. */
  async #copyFor(
    request: MatrixRequest,
    { source = "auto", signal }: MatrixReadOptions,
  ): Promise<TileDBArray | null> {
    if (source === "cell-major" || (source === "auto" && !mayNeedCopy(this.array, request))) return null;
    const copy = await this.geneMajorCopy();
    throwIfAborted(signal);
    if (copy.state === "current") {
      const chosen =
        source === "gene-major" || (await isCopyCheaper(this.array, copy.array, request, signal));
      return chosen ? copy.array : null;
    }
    if (source === "auto") return null;
    const reason = copy.state === "none" ? "there is none" : copy.reason;
    throw new NotFoundError(`no gene-major copy to read from: ${reason}`, { where: this.array.uri });
  }

  /** Null where the array is none that can be read so. */
  async #readCompressed(
    cells: Uint32Array,
    genes: Uint32Array,
    geneCount: number,
    signal: AbortSignal | undefined,
  ): Promise<SparseMatrix | null> {
    if (this.array.schema.cellOrder !== "row-major") return null;
    const columns = genes.length === geneCount ? null : genes;
    const attribute = this.#attribute;
    const read = await this.array.readCompressed({
      rows: cells,
      columns,
      columnCount: geneCount,
      attribute,
      signal,
      threads: this.#threads,
    });
    if (read === null) return null;
    const { indptr, indices, values } = read;
    return { format: "csr", shape: [cells.length, genes.length], indptr, indices, data: values };
  }

  async #readGeneral(
    sorted: Uint32Array,
    genes: Uint32Array,
    total: { readonly cells: number; readonly genes: number },
    signal: AbortSignal | undefined,
  ): Promise<SparseMatrix> {
    const ranges = {
      ...(sorted.length === total.cells ? {} : { [this.#cells]: runsOf(sorted) }),
      ...(genes.length === total.genes ? {} : { [this.#genes]: runsOf(genes) }),
    };
    const read = await this.array.read({
      ranges,
      attributes: [this.#attribute],
      order: "row-major",
      signal,
    });
    const rows = fixedValues(read.columns[this.#cells]);
    const columns = fixedValues(read.columns[this.#genes]);
    const data = fixedValues(read.columns[this.#attribute]);
    return {
      format: "csr",
      shape: [sorted.length, genes.length],
      indptr: rowStarts(rows, sorted),
      indices: renumber(columns, genes, total.genes),
      data,
    };
  }

  /** Name of the values' attribute. */
  get attribute(): string {
    return this.#attribute;
  }
}

function fixedValues(column: { readonly kind: string } | undefined): TypedArray {
  if (column !== undefined && "values" in column) return column.values as TypedArray;
  throw new NotFoundError("matrix values are not of a fixed size");
}

/** Position of each row's first value, and the end; `rows` are sorted store numbers, all among `sorted`. */
function rowStarts(rows: TypedArray, sorted: Uint32Array): Uint32Array {
  const starts = new Uint32Array(sorted.length + 1);
  let at = 0;
  for (let row = 0; row < sorted.length; row++) {
    starts[row] = at;
    const number = sorted[row]!;
    while (at < rows.length && Number(rows[at]) === number) at++;
  }
  starts[sorted.length] = at;
  return starts;
}

/** Store numbers of genes as columns of the slice. */
function renumber(columns: TypedArray, genes: Uint32Array, total: number): Int32Array {
  const places = new Int32Array(total);
  for (let at = 0; at < genes.length; at++) places[genes[at]!] = at;
  const renumbered = new Int32Array(columns.length);
  for (let at = 0; at < columns.length; at++) renumbered[at] = places[Number(columns[at])]!;
  return renumbered;
}
