import type { TypedArray, TypedArrayConstructor } from "./typed-arrays.js";

/**
 * Memory for arrays that are needed again and again, one for each name: large arrays cost more to get, cleared page by
 * page, and to collect than to fill.
 */
export class ReusedArrays {
  readonly #arrays = new Map<string, TypedArray>();

  /** An array of that length, not cleared; what was taken by the name before is overwritten with it. */
  take<T extends TypedArray>(name: string, type: TypedArrayConstructor<T>, length: number): T {
    const kept = this.#arrays.get(name);
    if (kept instanceof type && kept.length >= length) return kept.subarray(0, length) as T;
    const array = new type(length);
    this.#arrays.set(name, array);
    return array;
  }
}
