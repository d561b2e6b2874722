import { throwIfAborted } from "../../errors.js";
import type { DenseMatrix } from "../../h5ad/matrix.js";
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
import { upload } from "./trainer.js";
import type { Weights } from "./weights.js";

/**
 * A network that is only asked: without dropout, batch norm by the running statistics. It stays on the device that is the
 * default one when it is made.
 */

/** Rows that are computed together at most. */
const MOST_ROWS = 256;

type Half = (layers: Layers, input: JaxArray) => JaxArray;

export class Predictor {
  readonly #jax: Jax;
  readonly #device: Device;
  readonly #architecture: Architecture;
  readonly #parameters: JaxArrays;
  readonly #statistics: JaxArrays;
  readonly #encode: ReturnType<typeof compile>;
  readonly #decode: ReturnType<typeof compile>;

  constructor(jax: Jax, architecture: Architecture, weights: Weights) {
    this.#jax = jax;
    this.#device = jax.defaultDevice();
    this.#architecture = architecture;
    this.#parameters = upload(jax, architecture.parameters, weights, this.#device);
    this.#statistics = upload(jax, architecture.statistics, weights, this.#device);
    this.#encode = compile(jax, (layers, x) => architecture.encode(layers, x));
    this.#decode = compile(jax, (layers, z) => architecture.decode(layers, z));
  }

  encode(values: Float32Array, rows: number, signal: AbortSignal | undefined): Promise<DenseMatrix> {
    const { geneCount, latentDim } = this.#architecture;
    return this.#inBlocks(this.#encode, values, rows, [geneCount, latentDim], signal);
  }

  decode(values: Float32Array, rows: number, signal: AbortSignal | undefined): Promise<DenseMatrix> {
    const { geneCount, latentDim } = this.#architecture;
    return this.#inBlocks(this.#decode, values, rows, [latentDim, geneCount], signal);
  }

  dispose(): void {
    disposeAll(this.#parameters);
    disposeAll(this.#statistics);
    this.#encode.dispose();
    this.#decode.dispose();
  }

  async #inBlocks(
    run: ReturnType<typeof compile>,
    values: Float32Array,
    rows: number,
    [inputs, outputs]: readonly [number, number],
    signal: AbortSignal | undefined,
  ): Promise<DenseMatrix> {
    const result = new Float32Array(rows * outputs);
    for (let start = 0; start < rows; start += MOST_ROWS) {
      throwIfAborted(signal);
      const count = Math.min(MOST_ROWS, rows - start);
      const padded = paddedRows(count);
      const block = new Float32Array(padded * inputs);
      block.set(values.subarray(start * inputs, (start + count) * inputs));
      const x = toJax(this.#jax, block, [padded, inputs], this.#device);
      const output = await fromJax(run(refAll(this.#parameters), refAll(this.#statistics), x));
      result.set(output.subarray(0, count * outputs), start * outputs);
    }
    return { format: "dense", shape: [rows, outputs], values: result };
  }
}

/** Rows of zeros are added up to a power of two: a function is compiled for each number of rows. */
function paddedRows(count: number): number {
  let rows = 1;
  while (rows < count) rows *= 2;
  return rows;
}

function compile(jax: Jax, half: Half) {
  return jax.jit((parameters: JaxArrays, statistics: JaxArrays, input: JaxArray) => {
    const layers = new Layers(jax, parameters, statistics, null);
    const output = half(layers, input);
    disposeAll(layers.finish());
    return output;
  });
}
