import type * as JaxModule from "@jax-js/jax";
import { UnsupportedError } from "../../errors.js";

/**
 * The autodiff library: an optional peer dependency, loaded with the first network that is trained or asked.
 *
 * Its arrays are counted references: a function consumes the arrays that it is given, `.ref` is one more reference.
 * Forgotten ones stay in memory for good.
 */

export type Jax = typeof JaxModule;

/** An array of the library, or what stands for one while a function is traced. */
export type JaxArray = JaxModule.Array;

/** "wasm", "webgpu", "cpu". */
export type Device = JaxModule.Device;

/** Arrays by name. */
export type JaxArrays = Record<string, JaxArray>;

let loaded: Promise<Jax> | undefined;

/** Throws UnsupportedError where the package is not installed. */
export function loadJax(): Promise<Jax> {
  loaded ??= import("@jax-js/jax").catch((cause: unknown) => {
    loaded = undefined;
    throw new UnsupportedError("the autoencoder needs the package @jax-js/jax: npm install @jax-js/jax", {
      cause,
    });
  });
  return loaded;
}

/**
 * A float32 array of the library with these values. All that is computed of it stays on that device, whatever becomes the
 * default one: the library would move arrays of others there without waiting, which from WebGPU gave wrong values.
 */
export function toJax(jax: Jax, values: Float32Array, shape: readonly number[], device: Device): JaxArray {
  // The library refers to what it is given until it is needed: the caller may write there before.
  return jax.numpy.array(values.slice(), { device }).reshape([...shape]);
}

/** The values of an array, which is consumed. */
export async function fromJax(array: JaxArray): Promise<Float32Array<ArrayBuffer>> {
  return (await array.data()).slice() as Float32Array<ArrayBuffer>;
}

/** Gives up one reference of each array. */
export function disposeAll(arrays: Readonly<JaxArrays>): void {
  for (const array of Object.values(arrays)) array.dispose();
}

/** One more reference of each array. */
export function refAll(arrays: Readonly<JaxArrays>): JaxArrays {
  return Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, array.ref]));
}
