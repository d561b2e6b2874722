import { ArgumentError, FormatError } from "../../errors.js";
import { childLocation, locationUri, resolveLocation } from "../../storage/resolve.js";
import type { StoreLocation } from "../../storage/types.js";
import { firstPosition, type Position } from "./fit.js";
import type { LayerSpecs } from "./layers.js";
import { readSafetensors, writeSafetensors } from "./safetensors.js";
import type { Moments } from "./trainer.js";
import { checkWeights, type Tensor, type Weights } from "./weights.js";

/** A training in the middle, as one file: weights, the optimiser's moments, and how far it has come. */

export const CHECKPOINT_FILE = "checkpoint.safetensors";
const FIRST = "optimizer.first.";
const SECOND = "optimizer.second.";
const STATE = "cellarr.training";

export interface Checkpoint {
  readonly weights: Weights;
  readonly moments: Moments;
  readonly position: Position;
  /** Batches that batch norm had seen before this training. */
  readonly batchesBefore: number;
}

/** What must be the same for a training to go on: as text that is compared. */
export type Identity = Readonly<Record<string, string>>;

export async function writeCheckpoint(
  place: string | StoreLocation,
  { weights, moments, position, batchesBefore }: Checkpoint,
  identity: Identity,
  signal?: AbortSignal,
): Promise<void> {
  const tensors = new Map(weights);
  for (const [name, tensor] of moments.first) tensors.set(FIRST + name, tensor);
  for (const [name, tensor] of moments.second) tensors.set(SECOND + name, tensor);
  const state = JSON.stringify({ ...position, optimizerSteps: moments.steps, batchesBefore });
  const { store, path } = childLocation(resolveLocation(place), CHECKPOINT_FILE);
  await store.put(path, writeSafetensors(tensors, { ...identity, [STATE]: state }), { signal });
}

/** Null where there is none. Throws ArgumentError for the checkpoint of another training. */
export async function readCheckpoint(
  place: string | StoreLocation,
  identity: Identity,
  { parameters, statistics }: LayerSpecs,
  signal?: AbortSignal,
): Promise<Checkpoint | null> {
  const location = childLocation(resolveLocation(place), CHECKPOINT_FILE);
  const where = locationUri(location);
  const bytes = await location.store.get(location.path, { signal });
  if (bytes === undefined) return null;
  const { tensors, metadata } = readSafetensors(bytes, where);
  for (const [name, expected] of Object.entries(identity)) {
    if (metadata.get(name) === expected) continue;
    throw new ArgumentError(`the checkpoint is of another training: its ${name} differs`, { where });
  }
  const weights = new Map<string, Tensor>();
  const first = new Map<string, Tensor>();
  const second = new Map<string, Tensor>();
  for (const [name, tensor] of tensors) {
    if (name.startsWith(FIRST)) first.set(name.slice(FIRST.length), tensor);
    else if (name.startsWith(SECOND)) second.set(name.slice(SECOND.length), tensor);
    else weights.set(name, tensor);
  }
  checkWeights(weights, { ...parameters, ...statistics }, where);
  checkWeights(first, parameters, where);
  checkWeights(second, parameters, where);
  const { optimizerSteps: steps, batchesBefore, ...position } = parseState(metadata.get(STATE), where);
  return { weights, moments: { first, second, steps }, position, batchesBefore };
}

interface State extends Position {
  readonly optimizerSteps: number;
  readonly batchesBefore: number;
}

function parseState(text: string | undefined, where: string): State {
  const state = JSON.parse(text ?? "null") as Partial<State> | null;
  const names = [...Object.keys(firstPosition), "optimizerSteps", "batchesBefore"];
  const isWhole = state !== null && names.every((name) => name in state);
  if (!isWhole) throw new FormatError("the checkpoint does not say how far training had come", { where });
  return state as State;
}
