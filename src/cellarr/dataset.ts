import type { Table } from "apache-arrow";
import { ArgumentError, NotFoundError } from "../errors.js";
import type { SparseMatrix } from "../h5ad/matrix.js";
import { resolveReadable } from "../storage/resolve.js";
import type { StoreLocation } from "../storage/types.js";
import { Frame, type FrameColumn, type TextColumn, textValues } from "../util/frame.js";
import { type DatasetOptions, type DatasetParts, openParts } from "./dataset-parts.js";
import { takeRows, takeText } from "./frames/frame-parts.js";
import type { FrameReader } from "./frames/frame-reader.js";
import { matchingRows } from "./frames/matching-rows.js";
import { NameRows } from "./frames/name-rows.js";
import { pythonStrings, pythonText } from "./frames/python-text.js";
import { addedColumns } from "./layout.js";
import type { MatrixReader } from "./matrix-reader.js";
import { takeMatrixColumns } from "./matrix-views.js";
import { type DatasetPaths, openPaths } from "./query/dataset-paths.js";
import type { GeneMajorInfo, QueryOptions, SliceRows } from "./query/query-options.js";
import { readSampleRanges, type SampleRange } from "./query/sample-ranges.js";
import {
  isAscending,
  positionsIn,
  type RowSelection,
  type Rows,
  resolveRows,
  slice,
  sortedUnique,
} from "./selection.js";
import { CellArrDatasetSlice } from "./slice.js";

/** A store of many experiments, open for queries. */

interface GeneIndex {
  readonly column: FrameColumn;
  /** The same as text. */
  readonly names: TextColumn;
  readonly rows: NameRows;
}

export type { GeneMajorInfo, QueryOptions, SliceOrder, SliceRows } from "./query/query-options.js";

export class CellArrDataset {
  /** Where the store is. */
  readonly uri: string;
  readonly #genes: FrameReader;
  readonly #cells: FrameReader;
  readonly #samples: FrameReader;
  readonly #matrices: ReadonlyMap<string, MatrixReader>;
  #geneIndex: Promise<GeneIndex> | undefined;
  #sampleNames: Promise<string[]> | undefined;

  private constructor(parts: DatasetParts) {
    this.uri = parts.uri;
    this.#genes = parts.genes;
    this.#cells = parts.cells;
    this.#samples = parts.samples;
    this.#matrices = parts.matrices;
  }

  /**
   * Opens a store of ours or of Python cellarr as it is now: what is written later is not seen. Throws NotFoundError
   * naming the part that is missing, FormatError if the parts' sizes do not agree.
   */
  static async open(path: string | StoreLocation, options: DatasetOptions = {}): Promise<CellArrDataset> {
    return new CellArrDataset(await openParts(resolveReadable(path, options.storage), options));
  }

  /**
   * Opens a dataset whose parts lie anywhere. `uri` is that of the cell metadata; gene-major copies are not looked for.
   * Throws as `open` does.
   */
  static async initializeFromPaths(
    paths: DatasetPaths,
    options: Pick<DatasetOptions, "signal" | "onWarning" | "storage"> = {},
  ): Promise<CellArrDataset> {
    return new CellArrDataset(await openPaths(paths, options));
  }

  get numberOfCells(): number {
    return this.#cells.rowCount;
  }

  get numberOfFeatures(): number {
    return this.#genes.rowCount;
  }

  get numberOfSamples(): number {
    return this.#samples.rowCount;
  }

  /** Cells, genes. */
  get shape(): readonly [number, number] {
    return [this.numberOfCells, this.numberOfFeatures];
  }

  /** Cells. */
  get length(): number {
    return this.numberOfCells;
  }

  get matrixNames(): string[] {
    return [...this.#matrices.keys()];
  }

  getCellMetadataColumns(): string[] {
    return [...this.#cells.columnNames];
  }

  /** Whether a matrix has a gene-major copy, and whether queries use it. */
  async getGeneMajorCopy(matrix: string): Promise<GeneMajorInfo> {
    const copy = await this.#matrix(matrix).geneMajorCopy();
    if (copy.state !== "current") return copy;
    const bytes = copy.array.fragments.reduce((sum, one) => sum + one.bytes, 0);
    return { state: copy.state, where: copy.array.uri, bytes };
  }

  /** One column for all cells. NotFoundError if there is none of that name. */
  getCellMetadataColumn(name: string, options: QueryOptions = {}): Promise<FrameColumn> {
    return this.#cells.column(name, options.signal);
  }

  /** Rows of the cell metadata in the order asked; `columns` default to all. */
  async getCellSubset(
    cells: RowSelection,
    columns?: string | readonly string[],
    options: QueryOptions = {},
  ): Promise<Frame> {
    const wanted = this.#columns(this.#cells, columns);
    return this.#cells.rows(await this.#cellRows(cells, options), wanted, options.signal);
  }

  /** `getCellSubset` as an Apache Arrow table: `cell_index` (numbers in the store), then the columns. */
  async getCellTable(
    cells: RowSelection,
    columns?: string | readonly string[],
    options: QueryOptions = {},
  ): Promise<Table> {
    const rows = await this.#cellRows(cells, options);
    const index: [string, FrameColumn] = ["cell_index", { kind: "numeric", values: rows }];
    return asTable(await this.getCellSubset(rows, columns, options), [index]);
  }

  getGeneAnnotationColumns(): string[] {
    return [...this.#genes.columnNames];
  }

  getGeneAnnotationColumn(name: string, options: QueryOptions = {}): Promise<FrameColumn> {
    return this.#genes.column(name, options.signal);
  }

  /** Names of all genes, in the store's order. */
  async getGeneAnnotationIndex(): Promise<string[]> {
    return textValues((await this.#genesByName()).names).map((name) => name ?? "");
  }

  /** Rows of the gene annotation in the store's order, each once (see `order`); named by gene. `columns` default to all. */
  async getGeneSubset(
    genes: RowSelection,
    columns?: string | readonly string[],
    options: QueryOptions = {},
  ): Promise<Frame> {
    const wanted = this.#columns(this.#genes, columns);
    return this.#geneFrame(await this.#geneNumbers(genes, options), wanted, options);
  }

  /** `getGeneSubset` as an Apache Arrow table; the genes' names are its column `cellarr_gene_index`. */
  async getGeneTable(
    genes: RowSelection,
    columns?: string | readonly string[],
    options: QueryOptions = {},
  ): Promise<Table> {
    return asTable(await this.getGeneSubset(genes, columns, options));
  }

  getSampleMetadataColumns(): string[] {
    return [...this.#samples.columnNames];
  }

  getSampleMetadataColumn(name: string, options: QueryOptions = {}): Promise<FrameColumn> {
    return this.#samples.column(name, options.signal);
  }

  /** Names of all samples. */
  async getSampleMetadataIndex(): Promise<string[]> {
    this.#sampleNames ??= this.#samples.column(addedColumns.sample).then(pythonStrings);
    return [...(await this.#sampleNames)];
  }

  /** Rows of the sample metadata in the order asked; `columns` default to all. */
  async getSampleSubset(
    samples: RowSelection,
    columns?: string | readonly string[],
    options: QueryOptions = {},
  ): Promise<Frame> {
    const wanted = this.#columns(this.#samples, columns);
    return this.#samples.rows(await this.#sampleRows(samples, options), wanted, options.signal);
  }

  /** `getSampleSubset` as an Apache Arrow table. */
  async getSampleTable(
    samples: RowSelection,
    columns?: string | readonly string[],
    options: QueryOptions = {},
  ): Promise<Table> {
    return asTable(await this.getSampleSubset(samples, columns, options));
  }

  /** The values of each matrix, cells and genes as in `getSlice`; default all genes. */
  async getMatrixSubset(
    cells: RowSelection,
    genes: RowSelection = slice(),
    options: QueryOptions = {},
  ): Promise<ReadonlyMap<string, SparseMatrix>> {
    const rows = await this.#cellRows(cells, options);
    return this.#values(rows, await this.#geneNumbers(genes, options), options);
  }

  /** Which cells and genes a selection means, in the order in which `getSlice` gives them. */
  async getSliceRows(
    cells: RowSelection,
    genes: RowSelection = slice(),
    options: QueryOptions = {},
  ): Promise<SliceRows> {
    const [cellIndices, geneIndices] = await Promise.all([
      this.#cellRows(cells, options),
      this.#geneNumbers(genes, options),
    ]);
    return { cellIndices, geneIndices };
  }

  /**
   * Cells x genes with their metadata. Cells come in the order asked, repeats included; genes in the store's order,
   * each once, unless `order` says otherwise. Throws NotFoundError listing unknown genes, OutOfDomainError for an index
   * that does not exist.
   */
  async getSlice(
    cells: RowSelection,
    genes: RowSelection = slice(),
    options: QueryOptions = {},
  ): Promise<CellArrDatasetSlice> {
    const { cellIndices, geneIndices } = await this.getSliceRows(cells, genes, options);
    const [cellMetadata, geneAnnotation, matrices] = await Promise.all([
      this.#cells.rows(cellIndices, this.#cells.columnNames, options.signal),
      this.#geneFrame(geneIndices, this.#genes.columnNames, options),
      this.#values(cellIndices, geneIndices, options),
    ]);
    return new CellArrDatasetSlice({ cellMetadata, geneAnnotation, matrices, cellIndices, geneIndices });
  }

  /** The same as `getSlice`. */
  get(
    cells: RowSelection,
    genes: RowSelection = slice(),
    options: QueryOptions = {},
  ): Promise<CellArrDatasetSlice> {
    return this.getSlice(cells, genes, options);
  }

  /** All cells of a sample, given by its number or name. */
  async getCellsForSample(sample: number | string, options: QueryOptions = {}): Promise<CellArrDatasetSlice> {
    const [row] = await this.#sampleRows(typeof sample === "string" ? [sample] : sample, options);
    const { start, end } = (await this.getSampleRanges(options))[row!]!;
    // A sample without cells ends before it starts.
    return this.getSlice(end < start ? [] : slice(start, end), slice(), options);
  }

  /**
   * Name, first and last cell (inclusive) of each sample: as the store says, in stores of cellarr before 0.3 by its
   * cell counts. NotFoundError where it has neither.
   */
  async getSampleRanges(options: QueryOptions = {}): Promise<SampleRange[]> {
    const ranges = await readSampleRanges(this.#samples, options.signal);
    if (ranges !== null) return ranges;
    const { sampleStart, sampleEnd, cellCounts } = addedColumns;
    throw new NotFoundError(
      `sample metadata do not say which cells are whose: no columns '${sampleStart}' and '${sampleEnd}', nor '${cellCounts}'`,
      { where: this.#samples.array.uri },
    );
  }

  /** Name and cells of each sample, one after another. */
  async *iterSamples(options: QueryOptions = {}): AsyncGenerator<[name: string, cells: CellArrDatasetSlice]> {
    const names = await this.getSampleMetadataIndex();
    for (const [sample, name] of names.entries()) {
      yield [name, await this.getCellsForSample(sample, options)];
    }
  }

  /** Number and values of each cell, one after another (0.3.2 counts from 1, ours from 0 as all indices). */
  async *iterCells(options: QueryOptions = {}): AsyncGenerator<[index: number, cell: CellArrDatasetSlice]> {
    for (let cell = 0; cell < this.numberOfCells; cell++) {
      yield [cell, await this.getSlice(cell, slice(), options)];
    }
  }

  toString(): string {
    const [cells, genes] = this.shape;
    const matrices = this.matrixNames.join(", ") || "none";
    return `CellArrDataset(${cells} cells x ${genes} genes, ${this.numberOfSamples} samples; matrices: ${matrices}; at ${this.uri})`;
  }

  #columns(frame: FrameReader, columns: string | readonly string[] | undefined): readonly string[] {
    const wanted =
      columns === undefined ? frame.columnNames : typeof columns === "string" ? [columns] : columns;
    frame.checkColumns(wanted);
    return wanted;
  }

  #rows(what: string, frame: FrameReader, names: Rows["names"], options: QueryOptions): Rows {
    return {
      what,
      count: frame.rowCount,
      where: this.uri,
      names,
      matching: (condition) => matchingRows(frame, condition, options.signal),
    };
  }

  #cellRows(cells: RowSelection, options: QueryOptions): Promise<Uint32Array> {
    return resolveRows(cells, this.#rows("cell", this.#cells, null, options));
  }

  #sampleRows(samples: RowSelection, options: QueryOptions): Promise<Uint32Array> {
    const names = async () => {
      const all = await this.getSampleMetadataIndex();
      return (name: string) => all.indexOf(name);
    };
    return resolveRows(samples, this.#rows("sample", this.#samples, names, options));
  }

  async #geneNumbers(genes: RowSelection, options: QueryOptions): Promise<Uint32Array> {
    const names = async (wanted: readonly string[]) => {
      const rows = (await this.#genesByName()).rows.find(wanted);
      return (name: string) => rows.get(name) ?? -1;
    };
    const { order = "store" } = options;
    if (order !== "store" && order !== "asked") {
      throw new ArgumentError(`order '${order as string}', expected store or asked`, { where: this.uri });
    }
    const rows = await resolveRows(genes, this.#rows("gene", this.#genes, names, options));
    return order === "asked" ? rows : sortedUnique(rows);
  }

  /** The column of the genes' names, read once: it names the genes of every slice. */
  #genesByName(): Promise<GeneIndex> {
    this.#geneIndex ??= this.#genes.column(addedColumns.geneIndex).then((column) => {
      const names = pythonText(column);
      return { column, names, rows: new NameRows(names) };
    });
    return this.#geneIndex;
  }

  async #geneFrame(genes: Uint32Array, columns: readonly string[], options: QueryOptions): Promise<Frame> {
    const { geneIndex } = addedColumns;
    const stored = columns.filter((name) => name !== geneIndex);
    const [{ column, names }, frame] = await Promise.all([
      this.#genesByName(),
      stored.length === 0 ? null : this.#genes.rows(genes, stored, options.signal),
    ]);
    const isAll = genes.length === this.numberOfFeatures && isAscending(genes);
    const index = isAll ? column : takeRows(column, genes);
    const wanted = columns.map((name): [string, FrameColumn] => [
      name,
      name === geneIndex ? index : frame!.columns.get(name)!,
    ]);
    return new Frame(isAll ? names : takeText(names, genes), new Map(wanted));
  }

  #matrix(name: string): MatrixReader {
    const matrix = this.#matrices.get(name);
    if (matrix !== undefined) return matrix;
    const present = this.matrixNames.map((one) => `'${one}'`).join(", ") || "none";
    throw new NotFoundError(`no matrix '${name}'; there are: ${present}`, { where: this.uri });
  }

  async #values(
    cells: Uint32Array,
    genes: Uint32Array,
    options: QueryOptions,
  ): Promise<Map<string, SparseMatrix>> {
    const values = new Map<string, SparseMatrix>();
    const total = { cells: this.numberOfCells, genes: this.numberOfFeatures };
    const sorted = sortedUnique(genes);
    for (const name of options.matrices ?? this.#matrices.keys()) {
      const matrix = await this.#matrix(name).read(cells, sorted, total, options);
      values.set(name, sorted === genes ? matrix : takeMatrixColumns(matrix, positionsIn(sorted, genes)));
    }
    return values;
  }
}

/** Arrow is loaded at the first table. */
async function asTable(frame: Frame, leading?: readonly [string, FrameColumn][]): Promise<Table> {
  const { frameTable } = await import("./frames/frame-arrow.js");
  return frameTable(frame, leading);
}
