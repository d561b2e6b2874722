import { ArgumentError } from "../../errors.js";
import type { Architecture } from "./architecture.js";
import type { JaxArray } from "./jax.js";
import { allSpecs, batchNorm, type LayerSpecs, type Layers, linear, prelu } from "./layers.js";
import type { Weights } from "./weights.js";

/**
 * Python cellarr's autoencoder, with its names. Encoder: blocks of dropout, linear, batch norm and PReLU, a linear layer
 * to the latent space, rows of length 1. Decoder: its mirror image, without dropout in the first block.
 *
 *     encoder.network.0.{1,2,3}   genes to hidden[0]; 1 linear, 2 batch norm, 3 PReLU (0 is dropout)
 *     encoder.network.i.{1,2,3}   hidden[i - 1] to hidden[i]
 *     encoder.network.n           linear, to the latent space
 *     decoder.network.0.{0,1,2}   latent to hidden[n - 1]
 *     decoder.network.i.{1,2,3}
 *     decoder.network.n           linear, to genes
 */

export const AUTOENCODER = "cellarr-autoencoder";

export interface NetworkOptions {
  /** Default 128. */
  readonly latentDim?: number | undefined;
  /** Sizes of the encoder's hidden layers; the decoder has them in reverse. Default [1024, 1024]. */
  readonly hiddenDim?: readonly number[] | undefined;
  /** Share of a hidden layer's inputs that a step of training goes without; default 0.5. */
  readonly dropout?: number | undefined;
  /** The same of the genes; default 0.4. */
  readonly inputDropout?: number | undefined;
  /** Whether inner blocks add to their input rather than replace it; all hidden layers are then of one size. */
  readonly residual?: boolean | undefined;
}

/** A block: dropout before it (0: the block has none), and the names of its layers. */
interface Block {
  readonly dropout: number;
  readonly linear: string;
  readonly norm: string;
  readonly prelu: string;
  readonly isInner: boolean;
}

interface Part {
  readonly blocks: readonly Block[];
  readonly last: string;
  readonly specs: readonly LayerSpecs[];
}

/** Throws ArgumentError for sizes and rates that make no network. */
export function autoencoderNetwork(geneCount: number, options: NetworkOptions = {}): Architecture {
  const settings = checkOptions(geneCount, options);
  const { latentDim, hiddenDim, dropout, inputDropout, residual } = settings;
  const encoder = part("encoder", [geneCount, ...hiddenDim, latentDim], [inputDropout, dropout], true);
  const decoder = part("decoder", [latentDim, ...hiddenDim.toReversed(), geneCount], [0, dropout], false);
  return {
    name: AUTOENCODER,
    geneCount,
    latentDim,
    options: { ...settings },
    ...allSpecs([...encoder.specs, ...decoder.specs]),
    encode: (layers, x) => layers.normalize(through(layers, encoder, residual, x)),
    decode: (layers, z) => through(layers, decoder, residual, z),
  };
}

function part(
  name: string,
  sizes: readonly number[],
  [first, others]: readonly [number, number],
  startsWithDropout: boolean,
): Part {
  const blocks = sizes.slice(1, -1).map((_, at): Block => {
    const start = at === 0 && !startsWithDropout ? 0 : 1;
    const layer = (offset: number) => `${name}.network.${at}.${start + offset}`;
    const dropout = at === 0 ? first : others;
    return { dropout, linear: layer(0), norm: layer(1), prelu: layer(2), isInner: at > 0 };
  });
  const last = `${name}.network.${blocks.length}`;
  const specs = blocks.flatMap((block, at) => [
    linear(block.linear, sizes[at]!, sizes[at + 1]!),
    batchNorm(block.norm, sizes[at + 1]!),
    prelu(block.prelu),
  ]);
  return { blocks, last, specs: [...specs, linear(last, sizes.at(-2)!, sizes.at(-1)!)] };
}

function through(layers: Layers, { blocks, last }: Part, residual: boolean, input: JaxArray): JaxArray {
  let x = input;
  for (const block of blocks) {
    const isAdded = residual && block.isInner;
    const before = isAdded ? x.ref : null;
    x = layers.linear(block.linear, layers.dropout(block.dropout, x));
    x = layers.prelu(block.prelu, layers.batchNorm(block.norm, x));
    if (before !== null) x = x.add(before);
  }
  return layers.linear(last, x);
}

export interface NetworkSettings {
  readonly latentDim: number;
  readonly hiddenDim: readonly number[];
  readonly dropout: number;
  readonly inputDropout: number;
  readonly residual: boolean;
}

function checkOptions(geneCount: number, options: NetworkOptions): NetworkSettings {
  const { latentDim = 128, hiddenDim = [1024, 1024], residual = false } = options;
  const { dropout = 0.5, inputDropout = 0.4 } = options;
  checkSize("genes", geneCount);
  checkSize("latentDim", latentDim);
  if (hiddenDim.length === 0) throw new ArgumentError("hiddenDim is empty, expected the size of a layer");
  for (const size of hiddenDim) checkSize("hiddenDim", size);
  checkRate("dropout", dropout);
  checkRate("inputDropout", inputDropout);
  if (residual && new Set(hiddenDim).size > 1) {
    throw new ArgumentError(
      `hiddenDim is [${hiddenDim.join(", ")}], expected one size for all layers of a residual network`,
    );
  }
  return { latentDim, hiddenDim: [...hiddenDim], dropout, inputDropout, residual };
}

function checkSize(name: string, size: number): void {
  if (Number.isSafeInteger(size) && size > 0) return;
  throw new ArgumentError(`${name}: ${size}, expected a whole number from 1 on`);
}

function checkRate(name: string, rate: number): void {
  if (rate >= 0 && rate < 1) return;
  throw new ArgumentError(`${name}: ${rate}, expected a number from 0 to below 1`);
}

/** Sizes of the network that has these weights. Throws ArgumentError if none of ours has. */
export function sizesOf(
  weights: Weights,
  where: string,
): { geneCount: number } & Pick<NetworkSettings, "latentDim" | "hiddenDim"> {
  const sizes: number[] = [];
  for (let at = 0; ; at++) {
    const shape = weights.get(`encoder.network.${at}.1.weight`)?.shape;
    if (shape === undefined) break;
    if (at === 0) sizes.push(shape[1] ?? 0);
    sizes.push(shape[0] ?? 0);
  }
  const last = weights.get(`encoder.network.${sizes.length - 1}.weight`)?.shape;
  if (sizes.length < 2 || last === undefined) {
    throw new ArgumentError("the weights are not those of Python cellarr's autoencoder", { where });
  }
  return { geneCount: sizes[0]!, hiddenDim: sizes.slice(1), latentDim: last[0] ?? 0 };
}
