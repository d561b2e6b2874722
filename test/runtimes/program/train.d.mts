import type { Device } from "@jax-js/jax";
import type { AutoEncoder } from "../../../src/autoencoder.js";

export interface TrainTask {
  readonly geneCount: number;
  /** Of a batch. */
  readonly cellCount: number;
  readonly hiddenDim: readonly number[];
  readonly latentDim: number;
  /** Of all layers. */
  readonly dropout: number;
  /** Of an epoch. */
  readonly steps: number;
}

export interface Asked {
  readonly latent: readonly number[];
  readonly decoded: readonly number[];
}

export interface Trained extends Asked {
  readonly losses: readonly number[];
  readonly valLosses: readonly number[];
  /** Values by name. */
  readonly weights: readonly (readonly [string, readonly number[]])[];
}

export function train(modules: { AutoEncoder: typeof AutoEncoder }, task: TrainTask): Promise<Trained>;

export function ask(model: AutoEncoder, cellCount: number): Promise<Asked>;

export interface Switched {
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly again: readonly number[];
  readonly steady: readonly number[];
  readonly switched: readonly number[];
}

export function switchDevices(
  modules: { AutoEncoder: typeof AutoEncoder; defaultDevice: (device: Device) => unknown },
  task: { readonly from: Device; readonly to: Device },
): Promise<Switched>;
