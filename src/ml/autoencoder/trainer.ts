import type { Architecture } from "./architecture.js";
import {
  type Device,
  disposeAll,
  fromJax,
  type Jax,
  type JaxArray,
  type JaxArrays,
  refAll,
  toJax,
} from "./jax.js";
import { Layers } from "./layers.js";
import type { Tensor, TensorSpecs, Weights } from "./weights.js";

/**
 * A network in training: its numbers and AdamW's moments lie on the device that is the default one when training begins,
 * a step is one compiled function.
 * Sums are as PyTorch has them: p - lr * decay * p, then - lr / (1 - b1^t) * m / (sqrt(v) / sqrt(1 - b2^t) + eps).
 */

const BETA_1 = 0.9;
const BETA_2 = 0.999;
const EPSILON = 1e-8;

export interface Optimizer {
  /** Default 5e-3, constant. */
  readonly learningRate: number;
  /** Default 0.01, of all parameters. */
  readonly weightDecay: number;
}

/** AdamW's memory: moments by parameter, and how many steps they are of. */
export interface Moments {
  readonly first: Weights;
  readonly second: Weights;
  readonly steps: number;
}

type State = {
  parameters: JaxArrays;
  statistics: JaxArrays;
  first: JaxArrays;
  second: JaxArrays;
};

/** What changes from step to step without being an array of the network. */
type Scales = { stepSize: JaxArray; secondRoot: JaxArray; kept: JaxArray };

export class Trainer {
  readonly #jax: Jax;
  readonly #device: Device;
  readonly #architecture: Architecture;
  readonly #optimizer: Optimizer;
  readonly #step: ReturnType<typeof compileStep>;
  readonly #evaluate: ReturnType<typeof compileLoss>;
  #state: State;
  #isWhole = true;
  #steps: number;

  constructor(
    jax: Jax,
    architecture: Architecture,
    weights: Weights,
    optimizer: Optimizer,
    moments?: Moments,
  ) {
    this.#jax = jax;
    this.#device = jax.defaultDevice();
    this.#architecture = architecture;
    this.#optimizer = optimizer;
    const { parameters, statistics } = architecture;
    const place = (specs: TensorSpecs, values: Weights | undefined) =>
      values === undefined ? zeros(jax, specs, this.#device) : upload(jax, specs, values, this.#device);
    this.#state = {
      parameters: place(parameters, weights),
      statistics: place(statistics, weights),
      first: place(parameters, moments?.first),
      second: place(parameters, moments?.second),
    };
    this.#steps = moments?.steps ?? 0;
    this.#step = compileStep(jax, architecture);
    this.#evaluate = compileLoss(jax, architecture);
  }

  /** Steps that AdamW's moments are of. */
  get steps(): number {
    return this.#steps;
  }

  /** False after a step that failed, which has used the arrays up. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** One step on dense rows; the loss before it. `seed` is what dropout follows from, with the number of the step. */
  async step(values: Float32Array, cells: number, seed: number): Promise<number> {
    const jax = this.#jax;
    const { learningRate, weightDecay } = this.#optimizer;
    const time = this.#steps + 1;
    const here = { device: this.#device };
    const scales = {
      stepSize: jax.numpy.array(learningRate / (1 - BETA_1 ** time), here),
      secondRoot: jax.numpy.array(Math.sqrt(1 - BETA_2 ** time), here),
      kept: jax.numpy.array(1 - learningRate * weightDecay, here),
    };
    const x = toJax(jax, values, [cells, this.#architecture.geneCount], this.#device);
    const key = jax.numpy.array(Uint32Array.of(seed, time), here);
    this.#isWhole = false;
    const [loss, state] = this.#step(this.#state, x, key, scales);
    this.#state = state;
    this.#isWhole = true;
    this.#steps = time;
    return (await fromJax(loss))[0]!;
  }

  /** The loss of dense rows, without dropout and by the running statistics. */
  async evaluate(values: Float32Array, cells: number): Promise<number> {
    const x = toJax(this.#jax, values, [cells, this.#architecture.geneCount], this.#device);
    const { parameters, statistics } = this.#state;
    return (await fromJax(this.#evaluate(refAll(parameters), refAll(statistics), x)))[0]!;
  }

  async weights(): Promise<Map<string, Tensor>> {
    const { parameters, statistics } = this.#architecture;
    const ours = await download(this.#state.parameters, parameters);
    for (const [name, tensor] of await download(this.#state.statistics, statistics)) ours.set(name, tensor);
    return ours;
  }

  async moments(): Promise<Moments> {
    const { parameters } = this.#architecture;
    const first = await download(this.#state.first, parameters);
    return { first, second: await download(this.#state.second, parameters), steps: this.#steps };
  }

  /** Frees the library's memory. */
  dispose(): void {
    if (this.#isWhole) for (const arrays of Object.values(this.#state)) disposeAll(arrays);
    this.#step.dispose();
    this.#evaluate.dispose();
  }
}

/** The loss of a pass, and the running statistics after it. Consumes all arrays. */
export function pass(
  { numpy }: Jax,
  architecture: Architecture,
  layers: Layers,
  x: JaxArray,
): [JaxArray, JaxArrays] {
  const latent = architecture.encode(layers, x.ref);
  const reconstruction = architecture.decode(layers, latent.ref);
  if (architecture.loss !== undefined) {
    return [architecture.loss(layers, x, reconstruction, latent), layers.finish()];
  }
  latent.dispose();
  // By cells first: one sum of all values in float32, one after the other, loses digits in WebAssembly.
  return [numpy.square(reconstruction.sub(x)).mean(1).mean(), layers.finish()];
}

function compileLoss(jax: Jax, architecture: Architecture) {
  return jax.jit((parameters: JaxArrays, statistics: JaxArrays, x: JaxArray) => {
    const [loss, after] = pass(jax, architecture, new Layers(jax, parameters, statistics, null), x);
    disposeAll(after);
    return loss;
  });
}

function compileStep(jax: Jax, architecture: Architecture) {
  const lossOf = (parameters: JaxArrays, statistics: JaxArrays, x: JaxArray, key: JaxArray) =>
    pass(jax, architecture, new Layers(jax, parameters, statistics, key), x);
  const gradient = jax.valueAndGrad(lossOf, { hasAux: true });
  return jax.jit((state: State, x: JaxArray, key: JaxArray, scales: Scales): [JaxArray, State] => {
    const { parameters, statistics, first, second } = state;
    const [[loss, after], slopes] = gradient(refAll(parameters), statistics, x, key) as unknown as [
      [JaxArray, JaxArrays],
      JaxArrays,
    ];
    const next: State = { parameters: {}, statistics: after, first: {}, second: {} };
    for (const [name, slope] of Object.entries(slopes)) {
      const moment = first[name]!.mul(BETA_1).add(slope.ref.mul(1 - BETA_1));
      const square = second[name]!.mul(BETA_2).add(jax.numpy.square(slope).mul(1 - BETA_2));
      const root = jax.numpy.sqrt(square.ref).div(scales.secondRoot.ref).add(EPSILON);
      const change = moment.ref.div(root).mul(scales.stepSize.ref);
      next.parameters[name] = parameters[name]!.mul(scales.kept.ref).sub(change);
      next.first[name] = moment;
      next.second[name] = square;
    }
    disposeAll(scales);
    return [loss, next];
  });
}

/** The arrays of `specs` on a device. */
export function upload(jax: Jax, specs: TensorSpecs, weights: Weights, device: Device): JaxArrays {
  const arrays: JaxArrays = {};
  for (const [name, { shape }] of Object.entries(specs)) {
    arrays[name] = toJax(jax, weights.get(name)!.values as Float32Array, shape, device);
  }
  return arrays;
}

function zeros(jax: Jax, specs: TensorSpecs, device: Device): JaxArrays {
  const arrays: JaxArrays = {};
  for (const [name, { shape }] of Object.entries(specs)) {
    arrays[name] = jax.numpy.zeros([...shape], { device });
  }
  return arrays;
}

async function download(arrays: Readonly<JaxArrays>, specs: TensorSpecs): Promise<Map<string, Tensor>> {
  const weights = new Map<string, Tensor>();
  for (const [name, { shape }] of Object.entries(specs)) {
    weights.set(name, { shape, values: await fromJax(arrays[name]!.ref) });
  }
  return weights;
}
