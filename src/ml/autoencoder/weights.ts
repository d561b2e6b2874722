import { ArgumentError } from "../../errors.js";
import { Sfc32 } from "../../util/random.js";

/** Numbers of a network by PyTorch's names. */

export interface Tensor {
  /** Empty for a single number. */
  readonly shape: readonly number[];
  /** Row-major. BigInt64Array for counters. */
  readonly values: Float32Array | BigInt64Array;
}

export type Weights = ReadonlyMap<string, Tensor>;

/** A parameter or running statistic of a network, and what it is before training. */
export interface TensorSpec {
  readonly shape: readonly number[];
  /** Uniform between -`bound` and `bound`, or all `value`. */
  readonly start: { readonly bound: number } | { readonly value: number };
}

export type TensorSpecs = Readonly<Record<string, TensorSpec>>;

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Weights before training: those of the same seed are the same, whatever else the network has. */
export function startWeights(specs: TensorSpecs, seed: number): Map<string, Tensor> {
  const entries = Object.entries(specs).map(([name, { shape, start }]): [string, Tensor] => {
    const values = new Float32Array(elementCount(shape));
    if ("value" in start) values.fill(start.value);
    else fillUniform(values, start.bound, new Sfc32(seed, hashName(name), 0));
    return [name, { shape, values }];
  });
  return new Map(entries);
}

function fillUniform(values: Float32Array, bound: number, random: Sfc32): void {
  for (let at = 0; at < values.length; at++) values[at] = (2 * random.uniform() - 1) * bound;
}

/** FNV-1a. */
function hashName(name: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
  return hash;
}

/** Throws ArgumentError unless `weights` has all names of `specs` with their shapes. Others are no error. */
export function checkWeights(weights: Weights, specs: TensorSpecs, where: string): void {
  for (const [name, { shape }] of Object.entries(specs)) {
    const tensor = weights.get(name);
    if (tensor === undefined) throw new ArgumentError(`no weights '${name}'`, { where });
    if (tensor.shape.length !== shape.length || tensor.shape.some((size, axis) => size !== shape[axis])) {
      throw new ArgumentError(
        `weights '${name}' have shape ${tensor.shape.join(" x ")}, expected ${shape.join(" x ")}`,
        { where },
      );
    }
    if (!(tensor.values instanceof Float32Array)) {
      throw new ArgumentError(`weights '${name}' are integers, expected float32`, { where });
    }
  }
}
