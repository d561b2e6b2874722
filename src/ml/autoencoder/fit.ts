import { ArgumentError, throwIfAborted, ValueError } from "../../errors.js";
import type { StoreLocation } from "../../storage/types.js";
import { type Batches, denseValues, type Rows } from "./batches.js";
import type { Trainer } from "./trainer.js";

/** Epochs over batches: losses, an early end, and the places at which it may be taken up again. */

export interface StepReport {
  /** Counted from 0. */
  readonly epoch: number;
  /** Batches of this epoch that are done. */
  readonly step: number;
  readonly loss: number;
  readonly cells: number;
}

export interface EpochReport {
  /** Counted from 0. */
  readonly epoch: number;
  /** Batches. */
  readonly steps: number;
  /** Mean of the batches' losses, each before its step. */
  readonly trainLoss: number;
  /** Mean of the batches' losses after the epoch; null without validation. */
  readonly valLoss: number | null;
}

export interface EarlyStop {
  /** Epochs without a loss below the best one so far after which training ends. */
  readonly patience: number;
  /** By how much a loss must be lower to count; default 0. */
  readonly minDelta?: number | undefined;
}

export interface CheckpointOptions {
  /** Folder for `checkpoint.safetensors`, rewritten after each epoch. */
  readonly place: string | StoreLocation;
  /** Also after that many batches of an epoch. */
  readonly everySteps?: number | undefined;
  /** Whether to go on from the checkpoint that is there; default false: it is overwritten. */
  readonly resume?: boolean | undefined;
}

export interface FitOptions {
  /** Default 10. With a checkpoint, those before it included. */
  readonly epochs?: number | undefined;
  /** Batches of an epoch at most. */
  readonly limitTrainBatches?: number | undefined;
  readonly limitValBatches?: number | undefined;
  /** What dropout follows from, 0 to 2^32 - 1; default the model's. */
  readonly seed?: number | undefined;
  /** Constant; default 5e-3. */
  readonly learningRate?: number | undefined;
  /** Default 0.01. */
  readonly weightDecay?: number | undefined;
  /** By the validation loss, or the training loss where there is none. Default: all epochs. */
  readonly earlyStop?: EarlyStop | undefined;
  readonly checkpoint?: CheckpointOptions | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onStep?: ((report: StepReport) => void) | undefined;
  readonly onEpoch?: ((report: EpochReport) => void) | undefined;
}

export interface FitResult {
  readonly epochs: readonly EpochReport[];
  /** Steps of the optimiser, those before a checkpoint included. */
  readonly steps: number;
  readonly stoppedEarly: boolean;
}

/** How far training has come; all that follows is determined by it, the weights, the moments and the seed. */
export interface Position {
  readonly epoch: number;
  /** Batches of the epoch that are done. */
  readonly step: number;
  /** Sum of their losses. */
  readonly lossSum: number;
  /** Batches whose loss is in it. */
  readonly lossCount: number;
  readonly history: readonly EpochReport[];
}

export const firstPosition: Position = { epoch: 0, step: 0, lossSum: 0, lossCount: 0, history: [] };

/** Keeps the state at `position`. */
export type SaveCheckpoint = (position: Position) => Promise<void>;

export async function runEpochs(
  trainer: Trainer,
  data: Batches,
  options: FitOptions & { readonly seed: number },
  start: Position,
  save: SaveCheckpoint | null,
): Promise<FitResult> {
  const { epochs = 10 } = options;
  let position = start;
  while (position.epoch < epochs && !isOver(position.history, options.earlyStop)) {
    position = await trainEpoch(trainer, data, options, position, save);
    const { epoch, step, lossSum, lossCount } = position;
    if (lossCount === 0) {
      throw new ArgumentError("no batch to train with: none has two cells or more");
    }
    const valLoss = await validate(trainer, data, options);
    const report = { epoch, steps: step, trainLoss: lossSum / lossCount, valLoss };
    position = { ...firstPosition, epoch: epoch + 1, history: [...position.history, report] };
    await save?.(position);
    options.onEpoch?.(report);
  }
  const { history } = position;
  const stoppedEarly = history.length < epochs;
  return { epochs: history, steps: trainer.steps, stoppedEarly };
}

/** Whether no epoch of the last `patience` ones was better than all before. */
function isOver(history: readonly EpochReport[], earlyStop: EarlyStop | undefined): boolean {
  if (earlyStop === undefined) return false;
  const { patience, minDelta = 0 } = earlyStop;
  let best = Number.POSITIVE_INFINITY;
  let waited = 0;
  for (const { trainLoss, valLoss } of history) {
    const loss = valLoss ?? trainLoss;
    waited = loss < best - minDelta ? 0 : waited + 1;
    best = waited === 0 ? loss : best;
  }
  return waited >= patience;
}

async function trainEpoch(
  trainer: Trainer,
  data: Batches,
  options: FitOptions & { readonly seed: number },
  start: Position,
  save: SaveCheckpoint | null,
): Promise<Position> {
  const { limitTrainBatches: limit = Number.POSITIVE_INFINITY, signal, seed, checkpoint } = options;
  let position = start;
  if (position.step >= limit) return position;
  const { epoch } = position;
  for await (const batch of data.train({ epoch, from: position.step, signal })) {
    throwIfAborted(signal);
    position = { ...position, step: position.step + 1 };
    // A single cell has no variance, by which batch norm divides.
    if (batch.cellCount > 1) {
      const loss = await trainer.step(checkedValues(batch, data), batch.cellCount, seed);
      position = { ...position, lossSum: position.lossSum + loss, lossCount: position.lossCount + 1 };
      checkLoss(loss, position);
      options.onStep?.({ epoch, step: position.step, loss, cells: batch.cellCount });
    }
    if (position.step >= limit) break;
    if (checkpoint?.everySteps && position.step % checkpoint.everySteps === 0) await save?.(position);
  }
  throwIfAborted(signal);
  return position;
}

async function validate(trainer: Trainer, data: Batches, options: FitOptions): Promise<number | null> {
  const { limitValBatches: limit = Number.POSITIVE_INFINITY, signal } = options;
  if (data.val === undefined || limit <= 0) return null;
  let sum = 0;
  let count = 0;
  for await (const batch of data.val({ signal })) {
    throwIfAborted(signal);
    if (batch.cellCount > 0) {
      sum += await trainer.evaluate(checkedValues(batch, data), batch.cellCount);
      count++;
    }
    if (count >= limit) break;
  }
  return count === 0 ? null : sum / count;
}

function checkedValues(batch: Rows, { genes }: Batches): Float32Array {
  if (batch.geneCount === genes.length) return denseValues(batch);
  throw new ArgumentError(`a batch has ${batch.geneCount} genes, expected ${genes.length}`);
}

function checkLoss(loss: number, { epoch, step }: Position): void {
  if (Number.isFinite(loss)) return;
  throw new ValueError(
    `the loss is ${loss} at batch ${step} of epoch ${epoch}, expected a number: are there values that are none, or is the learning rate too high?`,
  );
}

/** Throws ArgumentError for counts that are none. */
export function checkFitOptions(options: FitOptions): void {
  const counts = {
    epochs: options.epochs,
    limitTrainBatches: options.limitTrainBatches,
    "earlyStop.patience": options.earlyStop?.patience,
    "checkpoint.everySteps": options.checkpoint?.everySteps,
  };
  for (const [name, count] of Object.entries(counts)) {
    if (count === undefined || (Number.isSafeInteger(count) && count > 0)) continue;
    throw new ArgumentError(`${name} is ${count}, expected a whole number from 1 on`);
  }
  const { learningRate = 1, weightDecay = 0 } = options;
  if (!(learningRate > 0))
    throw new ArgumentError(`learningRate is ${learningRate}, expected a number above 0`);
  if (!(weightDecay >= 0)) throw new ArgumentError(`weightDecay is ${weightDecay}, expected 0 or more`);
}
