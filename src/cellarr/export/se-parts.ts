import type { TypedArray } from "../../util/typed-arrays.js";
import type { Place } from "./place.js";

/** What assays and data frames of the form share. */

export async function writeJson({ store, path }: Place, value: unknown): Promise<void> {
  await store.put(path, new TextEncoder().encode(`${JSON.stringify(value)}\n`));
}

/** Whether all values of the type fit R's integers. */
export function isInt32(values: TypedArray): boolean {
  if (values instanceof Float32Array || values instanceof Float64Array) return false;
  return values.BYTES_PER_ELEMENT < 4 || values instanceof Int32Array;
}
