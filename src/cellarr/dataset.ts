import type { Table } from "apache-arrow";
import { ArgumentError, NotFoundError } from "../errors.js";
import type { SparseMatrix } from "../h5ad/matrix.js";
import { resolveReadable } from "../storage/resolve.js";
import type { StoreLocation } from "../storage/types.js";
import { mapBounded } from "../util/concurrency.js";
import type { Frame, FrameColumn } from "../util/frame.js";
import { pause } from "../util/pause.js";
import { type DatasetOptions, type DatasetParts, openParts } from "./dataset-parts.js";
import { addedColumns } from "./layout.js";
import type { MatrixReader } from "./matrix-reader.js";
import { takeMatrixColumns } from "./matrix-views.js";
import { type DatasetPaths, openPaths } from "./query/dataset-paths.js";
import { datasetState } from "./query/dataset-state.js";
import { MetadataTable } from "./query/metadata-table.js";
import type { GeneMajorInfo, MatrixInfo, QueryOptions, SliceRows } from "./query/query-options.js";
import { GeneNames, SampleNames } from "./query/row-names.js";
import { readSampleRanges, type SampleRange } from "./query/sample-ranges.js";
import { positionsIn, type RowSelection, slice, sortedUnique } from "./selection.js";
import { CellArrDatasetSlice } from "./slice.js";

/** A store of many experiments, open for queries. */

export type {
  GeneMajorInfo,
  MatrixInfo,
  QueryOptions,
  SliceOrder,
  SliceRows,
} from "./query/query-options.js";

export class CellArrDataset {
  /** Where the store is. */
  readonly uri: string;
  /** The same as long as nothing was written that a query sees: tells whether the store, opened again, has changed. */
  readonly state: string;
  readonly #genes: MetadataTable;
  readonly #cells: MetadataTable;
  readonly #samples: MetadataTable;
  readonly #geneNames: GeneNames;
  readonly #sampleNames: SampleNames;
  readonly #matrices: ReadonlyMap<string, MatrixReader>;

  private constructor(parts: DatasetParts) {
    const { uri, genes, cells, samples, matrices } = parts;
    this.uri = uri;
    this.state = datasetState(parts);
    this.#geneNames = new GeneNames(genes);
    this.#sampleNames = new SampleNames(samples);
    this.#genes = new MetadataTable("gene", genes, uri, (wanted) => this.#geneNames.rowOf(wanted));
    this.#samples = new MetadataTable("sample", samples, uri, () => this.#sampleNames.rowOf());
    this.#cells = new MetadataTable("cell", cells, uri);
    this.#matrices = matrices;
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
    return this.#cells.columnNames;
  }

  /** What a matrix is, by what its array says of itself. NotFoundError if there is none of that name. */
  getMatrixInfo(name: string): MatrixInfo {
    const { array } = this.#matrix(name);
    const { schema, fragments } = array;
    const total = (of: "cellCount" | "bytes") => fragments.reduce((sum, one) => sum + one[of], 0);
    return {
      name,
      where: array.uri,
      arrayType: schema.arrayType,
      dtype: schema.attributes[0]!.datatype,
      storedValues: total("cellCount"),
      fragments: fragments.length,
      bytes: total("bytes"),
    };
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
    return this.#cells.reader.column(name, options.signal);
  }

  /** Rows of the cell metadata in the order asked; `columns` default to all. */
  getCellSubset(
    cells: RowSelection,
    columns?: string | readonly string[],
    options: QueryOptions = {},
  ): Promise<Frame> {
    return this.#cells.subset(cells, columns, options.signal);
  }

  /** `getCellSubset` as an Apache Arrow table: `cell_index` (numbers in the store), then the columns. */
  async getCellTable(
    cells: RowSelection,
    columns?: string | readonly string[],
    options: QueryOptions = {},
  ): Promise<Table> {
    const rows = await this.#cells.resolve(cells, options.signal);
    const index: [string, FrameColumn] = ["cell_index", { kind: "numeric", values: rows }];
    return asTable(await this.getCellSubset(rows, columns, options), [index]);
  }

  getGeneAnnotationColumns(): string[] {
    return this.#genes.columnNames;
  }

  getGeneAnnotationColumn(name: string, options: QueryOptions = {}): Promise<FrameColumn> {
    return this.#genes.reader.column(name, options.signal);
  }

  /** Names of all genes, in the store's order. */
  getGeneAnnotationIndex(): Promise<string[]> {
    return this.#geneNames.all();
  }

  /** Rows of the gene annotation in the store's order, each once (see `order`); named by gene. `columns` default to all. */
  async getGeneSubset(
    genes: RowSelection,
    columns?: string | readonly string[],
    options: QueryOptions = {},
  ): Promise<Frame> {
    const wanted = this.#genes.wantedColumns(columns);
    return this.#geneNames.frame(await this.#geneNumbers(genes, options), wanted, options.signal);
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
    return this.#samples.columnNames;
  }

  getSampleMetadataColumn(name: string, options: QueryOptions = {}): Promise<FrameColumn> {
    return this.#samples.reader.column(name, options.signal);
  }

  /** Names of all samples. */
  getSampleMetadataIndex(): Promise<string[]> {
    return this.#sampleNames.all();
  }

  /** Rows of the sample metadata in the order asked; `columns` default to all. */
  getSampleSubset(
    samples: RowSelection,
    columns?: string | readonly string[],
    options: QueryOptions = {},
  ): Promise<Frame> {
    return this.#samples.subset(samples, columns, options.signal);
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
    const { cellIndices, geneIndices } = await this.getSliceRows(cells, genes, options);
    return this.#values(cellIndices, geneIndices, options);
  }

  /** Which cells and genes a selection means, in the order in which `getSlice` gives them. */
  async getSliceRows(
    cells: RowSelection,
    genes: RowSelection = slice(),
    options: QueryOptions = {},
  ): Promise<SliceRows> {
    const [cellIndices, geneIndices] = await Promise.all([
      this.#cells.resolve(cells, options.signal),
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
    const values = this.#values(cellIndices, geneIndices, options);
    if (this.#cells.reader.array.isRemote) {
      // A failure comes up where it is waited for.
      values.catch(() => {});
      // What of the metadata is here already is decoded while the requests for the values are under way.
      await pause(0, options.signal);
    }
    const [matrices, cellMetadata, geneAnnotation] = await Promise.all([
      values,
      this.#cells.reader.rows(cellIndices, this.#cells.columnNames, options.signal),
      this.#geneNames.frame(geneIndices, this.#genes.columnNames, options.signal),
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
    const wanted = typeof sample === "string" ? [sample] : sample;
    const [row] = await this.#samples.resolve(wanted, options.signal);
    const { start, end } = (await this.getSampleRanges(options))[row!]!;
    // A sample without cells ends before it starts.
    return this.getSlice(end < start ? [] : slice(start, end), slice(), options);
  }

  /**
   * Name, first and last cell (inclusive) of each sample: as the store says, in stores of cellarr before 0.3 by its
   * cell counts. NotFoundError where it has neither.
   */
  async getSampleRanges(options: QueryOptions = {}): Promise<SampleRange[]> {
    const ranges = await readSampleRanges(this.#samples.reader, options.signal);
    if (ranges !== null) return ranges;
    const { sampleStart, sampleEnd, cellCounts } = addedColumns;
    throw new NotFoundError(
      `sample metadata do not say which cells are whose: no columns '${sampleStart}' and '${sampleEnd}', nor '${cellCounts}'`,
      { where: this.#samples.reader.array.uri },
    );
  }

  /** Name and cells of each sample, one after another. */
  async *iterSamples(options: QueryOptions = {}): AsyncGenerator<[name: string, cells: CellArrDatasetSlice]> {
    const names = await this.getSampleMetadataIndex();
    for (const [sample, name] of names.entries()) {
      yield [name, await this.getCellsForSample(sample, options)];
    }
  }

  /**
   * Number and values of each cell, one after another (0.3.2 counts from 1, ours from 0 as all indices). Cells share
   * the memory of their gene annotation.
   */
  async *iterCells(options: QueryOptions = {}): AsyncGenerator<[index: number, cell: CellArrDatasetSlice]> {
    const { eachCell } = await import("./query/each-cell.js");
    yield* eachCell(this, options);
  }

  /** What Node's console shows. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  toString(): string {
    const [cells, genes] = this.shape;
    const matrices = this.matrixNames.join(", ") || "none";
    return `CellArrDataset(${cells} cells x ${genes} genes, ${this.numberOfSamples} samples; matrices: ${matrices}; at ${this.uri})`;
  }

  async #geneNumbers(genes: RowSelection, options: QueryOptions): Promise<Uint32Array> {
    const { order = "store" } = options;
    if (order !== "store" && order !== "asked") {
      throw new ArgumentError(`order '${order as string}', expected store or asked`, { where: this.uri });
    }
    const rows = await this.#genes.resolve(genes, options.signal);
    return order === "asked" ? rows : sortedUnique(rows);
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
    const total = { cells: this.numberOfCells, genes: this.numberOfFeatures };
    const sorted = sortedUnique(genes);
    const names = [...(options.matrices ?? this.#matrices.keys())];
    const matrices = names.map((name) => this.#matrix(name));
    // One after the other is quicker where it is decoding that takes the time.
    const atOnce = matrices.some(({ isRemote }) => isRemote) ? names.length : 1;
    const read = await mapBounded(matrices, Math.max(1, atOnce), (matrix) =>
      matrix.read(cells, sorted, total, options),
    );
    const wanted = (matrix: SparseMatrix) =>
      sorted === genes ? matrix : takeMatrixColumns(matrix, positionsIn(sorted, genes));
    return new Map(names.map((name, at) => [name, wanted(read[at]!)]));
  }
}

/** Arrow is loaded at the first table. */
async function asTable(frame: Frame, leading?: readonly [string, FrameColumn][]): Promise<Table> {
  const { frameTable } = await import("./frames/frame-arrow.js");
  return frameTable(frame, leading);
}
