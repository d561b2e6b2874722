import "../node-platform.js";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { CellArrDataset } from "../cellarr/dataset.js";
import { ExistsError } from "../errors.js";
import type { EpochReport, FitResult } from "../ml/autoencoder/fit.js";
import { loadJax } from "../ml/autoencoder/jax.js";
import { AutoEncoder } from "../ml/autoencoder/model.js";
import { DataModule } from "../ml/data-module.js";
import { textValues } from "../util/frame.js";
import type { CommandContext } from "./context.js";
import { isUri, openStore } from "./open-store.js";
import { withTextSink } from "./output.js";
import { parseChoice, parseCount, parseNames } from "./parse.js";
import { type ProgressBar, withProgressBar } from "./progress.js";
import { type GeneOptions, selectGenes } from "./select-genes.js";
import { plural } from "./table.js";
import { UsageError } from "./usage.js";

/** `cellarr train`: an autoencoder of a store's cells. */

export interface TrainCommandOptions extends GeneOptions {
  readonly out: string;
  readonly label: string;
  readonly study: string;
  readonly sample: string;
  readonly valStudy: readonly string[];
  readonly matrix?: string;
  readonly lognorm: boolean;
  readonly targetSum: string;
  readonly latent: string;
  readonly hidden: string;
  readonly dropout: string;
  readonly inputDropout: string;
  readonly residual?: boolean;
  readonly batchSize: string;
  readonly sampleSize: string;
  readonly sampling: string;
  readonly epochs: string;
  readonly limitBatches?: string;
  readonly learningRate: string;
  readonly patience?: string;
  readonly seed: string;
  readonly checkpoint?: string;
  readonly resume?: boolean;
  readonly overwrite?: boolean;
  readonly json?: boolean;
}

export async function runTrain(
  store: string,
  options: TrainCommandOptions,
  context: CommandContext,
): Promise<void> {
  const settings = parseOptions(options);
  await checkTarget(options);
  await loadJax();
  const dataset = await openStore(store, context);
  const { signal } = context;
  const geneOrder = await geneNames(dataset, options, signal);
  const data = await DataModule.open(dataset, { ...settings.loader, geneOrder }, { signal });
  const model = new AutoEncoder({ genes: data.genes, ...settings.network });
  await withTextSink(undefined, signal, async (sink) => {
    const say = (text: string) => (options.json ? undefined : sink.write(`${text}\n`));
    await say(
      `${plural(data.trainCells, "cell")} to train with, ${data.valCells} for validation, ${plural(data.genes.length, "gene")}`,
    );
    const result = await withProgressBar((bar) => trainModel(model, data, settings, signal, bar, say));
    await model.saveAll(options.out, { signal });
    const summary = { model: options.out, genes: data.genes.length, ...result };
    await sink.write(options.json ? `${JSON.stringify(summary)}\n` : `${closing(result)}: ${options.out}\n`);
  });
}

type Settings = ReturnType<typeof parseOptions>;

/** Lines of epochs are printed in their order, after each other. */
async function trainModel(
  model: AutoEncoder,
  data: DataModule,
  { fit: options }: Settings,
  signal: AbortSignal,
  bar: ProgressBar,
  say: (text: string) => Promise<void> | undefined,
): Promise<FitResult> {
  let printed: Promise<void> | undefined = Promise.resolve();
  const batches = Math.min(data.batchesPerEpoch, options.limitTrainBatches ?? data.batchesPerEpoch);
  const result = await model.fit(data, {
    ...options,
    signal,
    onStep: ({ epoch, step, loss }) =>
      bar.update(
        `epoch ${epoch + 1}, loss ${loss.toPrecision(3)}`,
        epoch * batches + step,
        options.epochs * batches,
      ),
    onEpoch: (report) => {
      printed = printed?.then(() => say(epochLine(report)));
    },
  });
  await printed;
  return result;
}

function epochLine({ epoch, trainLoss, valLoss }: EpochReport): string {
  const validation = valLoss === null ? "" : `, validation ${valLoss.toPrecision(6)}`;
  return `epoch ${epoch + 1}: loss ${trainLoss.toPrecision(6)}${validation}`;
}

function closing({ epochs, steps, stoppedEarly }: FitResult): string {
  const early = stoppedEarly ? ", the loss did not fall any more" : "";
  return `trained ${plural(epochs.length, "epoch")}, ${plural(steps, "step")}${early}`;
}

function parseOptions(options: TrainCommandOptions) {
  if (options.resume && options.checkpoint === undefined) {
    throw new UsageError("--resume needs --checkpoint: the folder of the state to go on from");
  }
  const count = (text: string | undefined, option: string) =>
    text === undefined ? undefined : parseCount(text, option, 1);
  const seed = parseCount(options.seed, "--seed");
  const patience = count(options.patience, "--patience");
  return {
    network: {
      latentDim: parseCount(options.latent, "--latent", 1),
      hiddenDim: parseNames(options.hidden, "--hidden").map((size) => parseCount(size, "--hidden", 1)),
      dropout: parseNumber(options.dropout, "--dropout"),
      inputDropout: parseNumber(options.inputDropout, "--input-dropout"),
      residual: options.residual ?? false,
      seed,
    },
    loader: {
      labelColumnName: options.label,
      studyColumnName: options.study,
      sampleColumnName: options.sample,
      valStudies: options.valStudy,
      matrix: options.matrix,
      lognorm: options.lognorm,
      targetSum: parseNumber(options.targetSum, "--target-sum"),
      batchSize: parseCount(options.batchSize, "--batch-size", 1),
      sampleSize: parseCount(options.sampleSize, "--sample-size", 1),
      sampling: parseChoice(options.sampling, ["sample", "class", "uniform"], "--sampling"),
      seed,
    },
    fit: {
      epochs: parseCount(options.epochs, "--epochs", 1),
      limitTrainBatches: count(options.limitBatches, "--limit-batches"),
      learningRate: parseNumber(options.learningRate, "--learning-rate"),
      earlyStop: patience === undefined ? undefined : { patience },
      checkpoint:
        options.checkpoint === undefined
          ? undefined
          : { place: options.checkpoint, resume: options.resume ?? false },
    },
  };
}

function parseNumber(text: string, option: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value)) return value;
  throw new UsageError(`${option} ${text}: expected a number`);
}

async function checkTarget({ out, overwrite }: TrainCommandOptions): Promise<void> {
  if (overwrite || isUri(out)) return;
  const isThere = await stat(join(out, "encoder.safetensors")).then(
    () => true,
    () => false,
  );
  if (isThere) throw new ExistsError("there is a model; --overwrite replaces it", { where: out });
}

/** Undefined for all genes. */
async function geneNames(
  dataset: CellArrDataset,
  options: TrainCommandOptions,
  signal: AbortSignal,
): Promise<string[] | undefined> {
  const selection = selectGenes(options);
  if (Array.isArray(selection)) return selection as string[];
  if (typeof selection !== "string") return undefined;
  const { index } = await dataset.getGeneSubset(selection, [], { signal });
  return textValues(index).map((name) => name ?? "");
}
