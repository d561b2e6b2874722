/**
 * `cellarr/ml/autoencoder`: a network that learns a latent space of cells, and what it takes to make others. Needs the
 * package @jax-js/jax. In Node, import resolves to the twin that also takes paths.
 */
export type { Architecture, JsonValue } from "./ml/autoencoder/architecture.js";
export type { Batches, EpochOptions, Normalisation, Rows } from "./ml/autoencoder/batches.js";
export {
  type EmbedOptions,
  embedDataset,
  type WriteEmbeddingOptions,
  withEmbedding,
  writeEmbedding,
} from "./ml/autoencoder/embed-store.js";
export type {
  CheckpointOptions,
  EarlyStop,
  EpochReport,
  FitOptions,
  FitResult,
  StepReport,
} from "./ml/autoencoder/fit.js";
export {
  allSpecs,
  batchNorm,
  type LayerSpecs,
  type Layers,
  linear,
  prelu,
} from "./ml/autoencoder/layers.js";
export {
  AutoEncoder,
  type AutoEncoderOptions,
  type EncodeOptions,
  type SaveOptions,
} from "./ml/autoencoder/model.js";
export type { LoadOptions } from "./ml/autoencoder/model-files.js";
export { autoencoderNetwork, type NetworkOptions } from "./ml/autoencoder/network.js";
export {
  readSafetensors,
  type SafetensorsFile,
  writeSafetensors,
} from "./ml/autoencoder/safetensors.js";
export type { Tensor, TensorSpec, TensorSpecs, Weights } from "./ml/autoencoder/weights.js";
