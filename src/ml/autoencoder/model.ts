import type { CellArrDatasetSlice } from "../../cellarr/slice.js";
import { ArgumentError, NotFoundError, throwIfAborted } from "../../errors.js";
import type { DenseMatrix } from "../../h5ad/matrix.js";
import { childLocation, resolveLocation } from "../../storage/resolve.js";
import type { StoreLocation } from "../../storage/types.js";
import { textValues } from "../../util/frame.js";
import type { Architecture } from "./architecture.js";
import { type Batches, denseValues, type Normalisation, normaliseRows, type Rows } from "./batches.js";
import { type Checkpoint, readCheckpoint, writeCheckpoint } from "./checkpoint.js";
import { checkFitOptions, type FitOptions, type FitResult, firstPosition, runEpochs } from "./fit.js";
import { loadJax } from "./jax.js";
import { checkGenes, type LoadOptions, modelMetadata, readModel, writeModel } from "./model-files.js";
import { AUTOENCODER, autoencoderNetwork, type NetworkOptions } from "./network.js";
import { Predictor } from "./predictor.js";
import { Trainer } from "./trainer.js";
import { checkWeights, startWeights, type Tensor, type Weights } from "./weights.js";

/** A network with its weights and what they mean: which genes, how their values were made. */

export interface AutoEncoderOptions extends NetworkOptions {
  /** Names of the columns, in order. */
  readonly genes: readonly string[];
  /** In place of Python cellarr's network. */
  readonly architecture?: Architecture | undefined;
  /** How counts become what the network is given; `fit` takes it from its batches. Default log, to a sum of 10,000. */
  readonly normalisation?: Normalisation | undefined;
  /** What weights are before training, 0 to 2^32 - 1; default 0. */
  readonly seed?: number | undefined;
  /** Weights to start from, by PyTorch's names. */
  readonly weights?: Weights | undefined;
}

export interface EncodeOptions {
  /** Of slices: the matrix to encode; default "counts", or the only one there is. */
  readonly matrix?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface SaveOptions {
  /** Whether to write `encoder.onnx` as well; default true for Python cellarr's network, which alone can be. */
  readonly onnx?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

const COUNTER = ".num_batches_tracked";

export class AutoEncoder {
  readonly architecture: Architecture;
  /** Names of the columns of what it encodes. */
  readonly genes: readonly string[];
  readonly seed: number;
  #normalisation: Normalisation;
  #labels: readonly string[];
  #weights: Map<string, Tensor>;
  /** Batches that batch norm has seen. */
  #batches: number;
  #predictor: Promise<Predictor> | undefined;
  #isTraining = false;

  /** Throws ArgumentError for sizes that make no network, and weights that are not its. */
  constructor(options: AutoEncoderOptions) {
    const { genes, architecture, seed = 0 } = options;
    this.architecture = architecture ?? autoencoderNetwork(genes.length, options);
    this.genes = [...genes];
    this.seed = seed;
    if (this.architecture.geneCount !== genes.length) {
      throw new ArgumentError(
        `the architecture takes ${this.architecture.geneCount} genes, there are ${genes.length} names`,
      );
    }
    if (new Set(genes).size !== genes.length) throw new ArgumentError("genes: a name is there twice");
    this.#normalisation = options.normalisation ?? { lognorm: true, targetSum: 1e4 };
    this.#labels = [];
    const specs = { ...this.architecture.parameters, ...this.architecture.statistics };
    checkNames(Object.keys(specs));
    const given = options.weights ?? startWeights(specs, seed);
    checkWeights(given, specs, this.architecture.name);
    this.#weights = new Map(Object.keys(specs).map((name) => [name, given.get(name)!]));
    this.#batches = batchesSeen(given);
  }

  /**
   * A model that `saveAll` has written, or the state of Python cellarr's as safetensors. Throws NotFoundError where there
   * is none, ArgumentError naming the first differences if its genes are not `genes`, FormatError for corrupt files.
   */
  static async load(place: string | StoreLocation, options: LoadOptions = {}): Promise<AutoEncoder> {
    const { labels, ...content } = await readModel(place, options);
    const model = new AutoEncoder(content);
    model.#labels = labels;
    return model;
  }

  /** How counts become what the network is given. */
  get normalisation(): Normalisation {
    return this.#normalisation;
  }

  /** Labels of the batches it was trained with. */
  get labels(): readonly string[] {
    return this.#labels;
  }

  /** All numbers by PyTorch's names: "encoder.network.0.1.weight". */
  get weights(): ReadonlyMap<string, Tensor> {
    const all = new Map(this.#weights);
    const counter = BigInt64Array.of(BigInt(this.#batches));
    for (const name of this.#weights.keys()) {
      if (!name.endsWith(".running_var")) continue;
      all.set(name.replace(".running_var", COUNTER), { shape: [], values: counter });
    }
    return all;
  }

  /**
   * Trains with mean squared error and AdamW at a constant rate. The same batches, seed and machine give the same
   * weights, also when it goes on from a checkpoint. However it ends, the model has the weights of the last step.
   * Throws ArgumentError for batches of other genes, ValueError if the loss is no number, AbortedError.
   */
  async fit(data: Batches, options: FitOptions = {}): Promise<FitResult> {
    checkFitOptions(options);
    await data.prepare?.({ signal: options.signal });
    checkGenes(this.genes, data.genes);
    if (this.#isTraining) throw new ArgumentError("the model is in training already");
    this.#isTraining = true;
    try {
      return await this.#fit(data, options);
    } finally {
      this.#isTraining = false;
    }
  }

  async #fit(data: Batches, options: FitOptions): Promise<FitResult> {
    const { seed = this.seed, learningRate = 5e-3, weightDecay = 0.01, checkpoint, signal } = options;
    const jax = await loadJax();
    this.#normalisation = data.reader?.normalisation ?? this.#normalisation;
    this.#labels = data.labelNames ?? this.#labels;
    const identity = {
      ...modelMetadata(this),
      "cellarr.fit": JSON.stringify({ seed, learningRate, weightDecay }),
    };
    const found = checkpoint?.resume
      ? await readCheckpoint(checkpoint.place, identity, this.architecture, signal)
      : null;
    const { weights, moments, position, batchesBefore } = found ?? this.#start();
    const trainer = new Trainer(jax, this.architecture, weights, { learningRate, weightDecay }, moments);
    const save = async (position: Checkpoint["position"]) => {
      const state = { weights: await trainer.weights(), moments: await trainer.moments() };
      await writeCheckpoint(checkpoint!.place, { ...state, position, batchesBefore }, identity, signal);
    };
    try {
      return await runEpochs(
        trainer,
        data,
        { ...options, seed },
        position,
        checkpoint === undefined ? null : save,
      );
    } finally {
      if (trainer.isWhole) {
        await this.#replaceWeights(await trainer.weights());
        this.#batches = batchesBefore + trainer.steps;
      }
      trainer.dispose();
    }
  }

  #start(): Omit<Checkpoint, "moments"> & { moments: undefined } {
    const weights = this.#weights;
    return { weights, moments: undefined, position: firstPosition, batchesBefore: this.#batches };
  }

  /**
   * Cells x latent. Batches are taken as they are; slices hold counts, which are normalised as in training, and must
   * have the model's genes (in any order, with others). Throws ArgumentError for other genes, NotFoundError for a gene
   * or matrix that a slice has not.
   */
  async encode(cells: Rows | CellArrDatasetSlice, options: EncodeOptions = {}): Promise<DenseMatrix> {
    const rows = "cellMetadata" in cells ? this.#rowsOf(cells, options) : cells;
    if (rows.geneCount !== this.genes.length) {
      throw new ArgumentError(`${rows.geneCount} genes, the model has ${this.genes.length}`);
    }
    const predictor = await this.#predict();
    return predictor.encode(denseValues(rows), rows.cellCount, options.signal);
  }

  /** Cells x genes, as normalised values, of cells x latent. */
  async decode(latent: DenseMatrix, options: Pick<EncodeOptions, "signal"> = {}): Promise<DenseMatrix> {
    const [cells, columns] = latent.shape;
    const { values } = latent;
    if (columns !== this.architecture.latentDim || !(values instanceof Float32Array)) {
      throw new ArgumentError(
        `${columns} columns of ${values.constructor.name}, expected ${this.architecture.latentDim} of Float32Array`,
      );
    }
    return (await this.#predict()).decode(values, cells, options.signal);
  }

  /**
   * Writes `encoder.safetensors`, `decoder.safetensors` and `encoder.onnx` into a folder; see `load`. Files of the same
   * names are replaced.
   */
  async saveAll(place: string | StoreLocation, options: SaveOptions = {}): Promise<void> {
    const { onnx = this.architecture.name === AUTOENCODER, signal } = options;
    throwIfAborted(signal);
    const file = onnx ? await this.encoderOnnx() : null;
    await writeModel(place, this, signal);
    if (file === null) return;
    const { store, path } = childLocation(resolveLocation(place), "encoder.onnx");
    await store.put(path, file, { signal });
  }

  /** The encoder as an ONNX model: input "cells" (cells x genes), output "latent". UnsupportedError for other networks. */
  async encoderOnnx(): Promise<Uint8Array> {
    const { encoderToOnnx } = await import("./onnx/encoder-onnx.js");
    return encoderToOnnx(this.architecture, this.#weights, modelMetadata(this));
  }

  /** Frees the library's memory; what is asked later takes it again. */
  async dispose(): Promise<void> {
    const predictor = this.#predictor;
    this.#predictor = undefined;
    (await predictor)?.dispose();
  }

  async #replaceWeights(weights: Map<string, Tensor>): Promise<void> {
    await this.dispose();
    this.#weights = weights;
  }

  #predict(): Promise<Predictor> {
    this.#predictor ??= loadJax().then((jax) => new Predictor(jax, this.architecture, this.#weights));
    return this.#predictor;
  }

  #rowsOf(slice: CellArrDatasetSlice, { matrix }: EncodeOptions): Rows {
    const names = slice.matrixNames;
    const { indptr, indices, data } = slice.matrix(matrix ?? (names.length === 1 ? names[0]! : "counts"));
    const columns = this.#columnsOf(textValues(slice.geneAnnotation.index));
    const [cellCount, geneCount] = [slice.length, this.genes.length];
    const values = new Float32Array(cellCount * geneCount);
    for (let cell = 0; cell < cellCount; cell++) {
      for (let at = Number(indptr[cell]!); at < Number(indptr[cell + 1]!); at++) {
        const column = columns[indices[at]!]!;
        if (column >= 0) values[cell * geneCount + column] = Number(data[at]!);
      }
    }
    normaliseRows(values, geneCount, this.#normalisation);
    return { cellCount, geneCount, values };
  }

  /** Column of the model for each gene of a slice, -1 for others. */
  #columnsOf(given: readonly (string | null)[]): Int32Array {
    const numberOf = new Map(this.genes.map((name, at) => [name, at]));
    const columns = Int32Array.from(given, (name) => numberOf.get(name ?? "") ?? -1);
    const present = new Set(given);
    const missing = this.genes.filter((name) => !present.has(name));
    if (missing.length === 0) return columns;
    const shown = missing.slice(0, 5).map((name) => `'${name}'`);
    const more = missing.length > shown.length ? ` and ${missing.length - shown.length} more` : "";
    throw new NotFoundError(`the slice lacks genes of the model: ${shown.join(", ")}${more}`);
  }
}

function batchesSeen(weights: Weights): number {
  for (const [name, { values }] of weights) if (name.endsWith(COUNTER)) return Number(values[0] ?? 0);
  return 0;
}

function checkNames(names: readonly string[]): void {
  const wrong = names.find((name) => !/^(en|de)coder\./.test(name));
  if (wrong === undefined) return;
  throw new ArgumentError(`'${wrong}': names of weights begin with "encoder." or "decoder."`);
}
