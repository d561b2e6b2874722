import { slotsFor } from "./byte-string-set.js";

/** A set of 64-bit keys, each as two 32-bit halves: asking costs the same whatever its size, and takes no memory. */
export class IntegerSet {
  /** Open addressing: halves of the keys side by side; at most half of the slots are used. */
  readonly #keys: Int32Array;
  readonly #used: Uint8Array;

  /** `halves`: low and high half of each key. */
  constructor(halves: Int32Array) {
    const slots = slotsFor(halves.length / 2);
    this.#keys = new Int32Array(2 * slots);
    this.#used = new Uint8Array(slots);
    for (let i = 0; i < halves.length; i += 2) {
      const slot = this.#slotOf(halves[i]!, halves[i + 1]!);
      this.#keys[2 * slot] = halves[i]!;
      this.#keys[2 * slot + 1] = halves[i + 1]!;
      this.#used[slot] = 1;
    }
  }

  has(low: number, high: number): boolean {
    return this.#used[this.#slotOf(low, high)] === 1;
  }

  /** Where the key stands, or the free slot that it would take. */
  #slotOf(low: number, high: number): number {
    const keys = this.#keys;
    const used = this.#used;
    const mask = used.length - 1;
    let slot = mix(low, high) & mask;
    while (used[slot] === 1 && (keys[2 * slot] !== low || keys[2 * slot + 1] !== high)) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }
}

/** Neighbouring keys come far apart: multiplication spreads, shifts bring the spread bits down. */
function mix(low: number, high: number): number {
  let hash = Math.imul(low ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0xc2b2ae35);
  return hash ^ (hash >>> 13);
}
