import type { Jax, JaxArray, JaxArrays } from "./jax.js";
import type { TensorSpecs } from "./weights.js";

/** Layers as PyTorch has them: what they learn, and what they do. */

/** Added to variances. */
export const BATCH_NORM_EPSILON = 1e-5;
/** Share of a batch in the running statistics. */
const BATCH_NORM_MOMENTUM = 0.1;
const PRELU_START = 0.25;
/** The smallest length that is divided by. */
export const NORMALIZE_EPSILON = 1e-12;

/** What a layer, or a network, learns by gradients (`parameters`) and what it keeps of the batches it has seen. */
export interface LayerSpecs {
  readonly parameters: TensorSpecs;
  readonly statistics: TensorSpecs;
}

/** PyTorch's default: uniform within 1 / sqrt(inputs), weights and bias. */
export function linear(name: string, inputs: number, outputs: number): LayerSpecs {
  const start = { bound: 1 / Math.sqrt(inputs) };
  return {
    parameters: {
      [`${name}.weight`]: { shape: [outputs, inputs], start },
      [`${name}.bias`]: { shape: [outputs], start },
    },
    statistics: {},
  };
}

export function batchNorm(name: string, size: number): LayerSpecs {
  const all = (value: number) => ({ shape: [size], start: { value } });
  return {
    parameters: { [`${name}.weight`]: all(1), [`${name}.bias`]: all(0) },
    statistics: { [`${name}.running_mean`]: all(0), [`${name}.running_var`]: all(1) },
  };
}

/** One weight for all values. */
export function prelu(name: string): LayerSpecs {
  return {
    parameters: { [`${name}.weight`]: { shape: [1], start: { value: PRELU_START } } },
    statistics: {},
  };
}

export function allSpecs(layers: readonly LayerSpecs[]): LayerSpecs {
  return {
    parameters: Object.assign({}, ...layers.map(({ parameters }) => parameters)),
    statistics: Object.assign({}, ...layers.map(({ statistics }) => statistics)),
  };
}

/** What one pass through a network is given: its numbers, and whether it is training. Arrays given to it are consumed. */
export class Layers {
  readonly jax: Jax;
  readonly isTraining: boolean;
  readonly #parameters: Readonly<JaxArrays>;
  readonly #statistics: JaxArrays;
  #key: JaxArray | null;

  /** Takes the arrays over. `key` is for dropout, in training. */
  constructor(
    jax: Jax,
    parameters: Readonly<JaxArrays>,
    statistics: Readonly<JaxArrays>,
    key: JaxArray | null,
  ) {
    this.jax = jax;
    this.isTraining = key !== null;
    this.#parameters = parameters;
    this.#statistics = { ...statistics };
    this.#key = key;
  }

  /** A parameter; the caller's to consume. */
  parameter(name: string): JaxArray {
    const array = this.#parameters[name];
    if (array === undefined) throw new TypeError(`the architecture has no parameter '${name}'`);
    return array.ref;
  }

  /** x W^T + b. */
  linear(name: string, x: JaxArray): JaxArray {
    const weight = this.parameter(`${name}.weight`).transpose();
    return this.jax.numpy.matmul(x, weight).add(this.parameter(`${name}.bias`));
  }

  /** By the batch's own mean and variance in training, by the running ones else. */
  batchNorm(name: string, x: JaxArray): JaxArray {
    const [mean, variance] = this.isTraining ? this.#batchMoments(name, x.ref) : this.#runningMoments(name);
    const scale = this.parameter(`${name}.weight`).div(this.jax.numpy.sqrt(variance.add(BATCH_NORM_EPSILON)));
    return x
      .sub(mean)
      .mul(scale)
      .add(this.parameter(`${name}.bias`));
  }

  prelu(name: string, x: JaxArray): JaxArray {
    const negative = x.ref.mul(this.parameter(`${name}.weight`));
    return this.jax.numpy.where(x.ref.greater(0), x, negative);
  }

  /** In training each value becomes 0 with probability `rate`, the others grow by 1 / (1 - rate). */
  dropout(rate: number, x: JaxArray): JaxArray {
    if (this.#key === null || rate === 0) return x;
    const [next, key] = this.jax.random.split(this.#key, 2) as unknown as [JaxArray, JaxArray];
    this.#key = next;
    const kept = this.jax.random.bernoulli(key, 1 - rate, [...x.shape]);
    return this.jax.numpy.where(kept, x.mul(1 / (1 - rate)), 0);
  }

  /** Rows of length 1. */
  normalize(x: JaxArray): JaxArray {
    const { numpy } = this.jax;
    const squares = numpy.square(x.ref).sum(1, { keepdims: true });
    // Bounded before the root, whose slope at 0 is infinite.
    return x.div(numpy.sqrt(numpy.maximum(squares, NORMALIZE_EPSILON ** 2)));
  }

  /** Gives the parameters up; the running statistics as the pass has left them are the caller's. */
  finish(): JaxArrays {
    for (const array of Object.values(this.#parameters)) array.dispose();
    this.#key?.dispose();
    return this.#statistics;
  }

  #runningMoments(name: string): [JaxArray, JaxArray] {
    return [this.#statistics[`${name}.running_mean`]!.ref, this.#statistics[`${name}.running_var`]!.ref];
  }

  #batchMoments(name: string, x: JaxArray): [JaxArray, JaxArray] {
    const rows = x.shape[0]!;
    const mean = x.ref.mean(0);
    const variance = this.jax.numpy.square(x.sub(mean.ref)).mean(0);
    this.#keepRunning(`${name}.running_mean`, mean.ref);
    // Without bias, unlike the one that values are divided by.
    this.#keepRunning(`${name}.running_var`, variance.ref.mul(rows / (rows - 1)));
    return [mean, variance];
  }

  #keepRunning(name: string, value: JaxArray): void {
    const before = this.#statistics[name]!;
    const now = this.jax.lax.stopGradient(value).mul(BATCH_NORM_MOMENTUM);
    this.#statistics[name] = before.mul(1 - BATCH_NORM_MOMENTUM).add(now);
  }
}
