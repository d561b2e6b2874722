import type { CellArrDataset } from "../cellarr/dataset.js";
import { ArgumentError, throwIfAborted } from "../errors.js";
import { ReusedArrays } from "../util/reused-arrays.js";
import type { Batch } from "./loader/batch.js";
import { type BatchPlan, MAX_EPOCH, planBatches } from "./loader/batch-plan.js";
import { CellReader } from "./loader/cell-reader.js";
import { type Division, divideCells, type Population } from "./loader/cells.js";
import {
  type DataModuleOptions,
  type LoaderSettings,
  loaderSettings,
  wholeNumber,
} from "./loader/options.js";
import { prefetched } from "./loader/prefetch.js";
import { windowOf, windows } from "./loader/window.js";

/** Batches of cells of a store, for training and validation. */

export type { Batch, CellValues, CsrBatch } from "./loader/batch.js";
export type { CellReaderOptions, DataModuleOptions, Sampling } from "./loader/options.js";

export interface BatchesOptions {
  /** Number of the first batch, default 0: goes on in the middle of an epoch. */
  readonly from?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface TrainOptions extends BatchesOptions {
  /** Default 0; each epoch has batches of its own. */
  readonly epoch?: number | undefined;
  /** Epochs that follow one another without a pause, default 1: what comes next is read ahead over their ends. */
  readonly epochs?: number | undefined;
}

/** What is known once the cell metadata are read. */
interface Prepared {
  readonly reader: CellReader;
  readonly division: Division;
  readonly train: BatchPlan;
  readonly val: BatchPlan;
}

/** Batches that are wanted of a part of the cells. */
interface Wanted {
  readonly plan: BatchPlan;
  readonly population: Population;
  readonly epoch: number;
  readonly epochs: number;
  /** Of the first epoch. */
  readonly from: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Batches of a store's cells. `open` reads the columns that say which cells are meant; a module made by `new` does so at
 * the first batch, and its properties are there after `prepare`.
 */
export class DataModule {
  readonly dataset: CellArrDataset;
  readonly #options: DataModuleOptions;
  readonly #settings: LoaderSettings;
  #preparing: Promise<Prepared> | undefined;
  #prepared: Prepared | undefined;

  /** Throws ArgumentError for options that are wrong in themselves. */
  constructor(dataset: CellArrDataset, options: DataModuleOptions = {}) {
    this.dataset = dataset;
    this.#options = options;
    this.#settings = loaderSettings(options);
  }

  /**
   * A module that is prepared. Throws NotFoundError for columns, genes, a matrix or validation studies that are not
   * there, and where no cell is left to train with; LimitError for batches that no array holds.
   */
  static async open(
    dataset: CellArrDataset,
    options: DataModuleOptions = {},
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<DataModule> {
    return new DataModule(dataset, options).prepare({ signal });
  }

  /** Reads what the properties tell; done once. Throws as `open`. */
  async prepare({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<this> {
    await this.#prepare(signal);
    return this;
  }

  /** One epoch, or several. What cells a batch has depends on the seed, the epoch and its number only. */
  async *train(options: TrainOptions = {}): AsyncGenerator<Batch, void, void> {
    const { epoch = 0, epochs = 1, from = 0, signal } = options;
    wholeNumber("epoch", epoch, 0, MAX_EPOCH);
    wholeNumber("epochs", epochs, 0, MAX_EPOCH + 1 - epoch);
    const { train, division, reader } = await this.#prepare(signal);
    const wanted = { plan: train, population: division.train, epoch, epochs, from, signal };
    yield* this.#batches(reader, wanted);
  }

  /** The batches of validation, the same every time; none without `valStudies`. Their epoch is 0. */
  async *val({ from = 0, signal }: BatchesOptions = {}): AsyncGenerator<Batch, void, void> {
    const { val, division, reader } = await this.#prepare(signal);
    yield* this.#batches(reader, {
      plan: val,
      population: division.val,
      epoch: 0,
      epochs: 1,
      from,
      signal,
    });
  }

  /** Labels of training, sorted by code points; validation has no others. */
  get labelNames(): readonly string[] {
    return this.#ready.division.labelNames;
  }

  /** Studies of training and validation, sorted. */
  get studyNames(): readonly string[] {
    return this.#ready.division.studyNames;
  }

  /** Samples of training and validation, sorted by study and name; a name comes once for each study that has it. */
  get sampleNames(): readonly string[] {
    return this.#ready.division.sampleNames;
  }

  /** Names of the columns of a batch. */
  get genes(): readonly string[] {
    return this.#ready.reader.genes;
  }

  /** Reads any cells in the same form. */
  get reader(): CellReader {
    return this.#ready.reader;
  }

  /** Number of cells to train with. */
  get trainCells(): number {
    return this.#ready.division.train.cells.length;
  }

  /** Number of cells for validation. */
  get valCells(): number {
    return this.#ready.division.val.cells.length;
  }

  /** Numbers in the store of the cells to train with, ascending. */
  get trainCellIndices(): Uint32Array {
    return this.#ready.division.train.cells.slice();
  }

  /** Numbers in the store of the cells for validation, ascending. */
  get valCellIndices(): Uint32Array {
    return this.#ready.division.val.cells.slice();
  }

  /** Batches of training in one epoch. */
  get batchesPerEpoch(): number {
    return this.#ready.train.batchCount;
  }

  /** Batches of validation. */
  get valBatches(): number {
    return this.#ready.val.batchCount;
  }

  /** What Node's console shows. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  toString(): string {
    if (this.#prepared === undefined) return `DataModule(not prepared; at ${this.dataset.uri})`;
    const { trainCells, valCells, genes, labelNames } = this;
    return `DataModule(${trainCells} cells to train with, ${valCells} for validation, ${genes.length} genes, ${labelNames.length} labels; at ${this.dataset.uri})`;
  }

  get #ready(): Prepared {
    if (this.#prepared !== undefined) return this.#prepared;
    throw new ArgumentError("the module is not prepared: use DataModule.open, or wait for prepare() first");
  }

  #prepare(signal: AbortSignal | undefined): Promise<Prepared> {
    if (this.#preparing === undefined) {
      this.#preparing = this.#load(signal);
      this.#preparing.catch(() => {
        this.#preparing = undefined;
      });
    }
    return this.#preparing;
  }

  async #load(signal: AbortSignal | undefined): Promise<Prepared> {
    const [reader, division] = await Promise.all([
      CellReader.open(this.dataset, this.#options),
      divideCells(this.dataset, this.#settings, signal),
    ]);
    const plan = (part: "train" | "val") =>
      planBatches(part, division[part], this.#settings, division.labelCounts);
    const prepared = { reader, division, train: plan("train"), val: plan("val") };
    for (const { batchCount, mostCells } of [prepared.train, prepared.val]) {
      if (batchCount > 0) reader.checkSize(mostCells);
    }
    this.#prepared = prepared;
    return prepared;
  }

  async *#batches(
    reader: CellReader,
    { plan, population, epoch, epochs, from, signal }: Wanted,
  ): AsyncGenerator<Batch, void, void> {
    wholeNumber("from", from, 0);
    const { batchCount, mostCells } = plan;
    const placeOf = (batch: number) => ({
      epoch: epoch + Math.floor(batch / batchCount),
      step: batch % batchCount,
    });
    const fetch = async ([first, end]: readonly [number, number], signal: AbortSignal) => {
      const places = Array.from({ length: end - first }, (_, at) => placeOf(first + at));
      const rows = places.map(({ epoch, step }) => plan.rows(epoch, step));
      const cells = rows.map((own) => own.map((row) => population.cells[row]!));
      const fetched = await reader.fetchTogether(cells, { signal });
      return places.map((place, at) => ({ place, rows: rows[at]!, fetched: fetched[at]! }));
    };
    const { together, ahead } = windowOf(this.#settings, mostCells * reader.bytesPerCell);
    const reads = windows(Math.min(from, batchCount), epochs * batchCount, together);
    const memory = this.#settings.reuseValues ? new ReusedArrays() : undefined;
    for await (const batches of prefetched(reads, { ahead, signal }, fetch)) {
      for (const { place, rows, fetched } of batches) {
        throwIfAborted(signal);
        yield { ...reader.finish(fetched, memory), ...codesOf(population, rows), ...place };
      }
    }
  }
}

function codesOf({ labels, studies, samples }: Population, rows: Uint32Array) {
  const codes = (of: Int32Array) => Int32Array.from(rows, (row) => of[row]!);
  return { labels: codes(labels), studies: codes(studies), samples: codes(samples) };
}
