import type { JaxArray } from "./jax.js";
import type { LayerSpecs, Layers } from "./layers.js";

/** What training, saving and embedding know of a network: any that encodes and decodes will do. */

export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

export interface Architecture extends LayerSpecs {
  /** Names of parameters and statistics begin with "encoder." or "decoder.": that is the file they are saved in. */
  readonly name: string;
  /** Columns of what is encoded. */
  readonly geneCount: number;
  /** Columns of what is decoded. */
  readonly latentDim: number;
  /** Saved with the weights, and compared when they are loaded. */
  readonly options: Readonly<Record<string, JsonValue>>;
  /** Cells x genes to cells x latent. Consumes `x`. */
  encode(layers: Layers, x: JaxArray): JaxArray;
  /** Cells x latent to cells x genes. Consumes `z`. */
  decode(layers: Layers, z: JaxArray): JaxArray;
  /** What training makes small, a single number. Consumes what it is given. Default: the mean squared error. */
  loss?(layers: Layers, x: JaxArray, reconstruction: JaxArray, latent: JaxArray): JaxArray;
}
