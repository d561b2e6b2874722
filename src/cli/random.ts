import { Sfc32 } from "../util/random.js";

/** The draws that the simulator needs, from a seed: simulated data are the same on every machine. */

export class Random extends Sfc32 {
  constructor(seed: number) {
    super(seed, Math.floor(seed / 0x1_0000_0000), 0x9e3779b9);
  }

  /** Mean 0, standard deviation 1 (Box and Muller). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Exact at any mean: a sum of Poisson counts whose means are small enough for the product of uniforms. */
  poisson(mean: number): number {
    let count = 0;
    for (let left = mean; left > 0; left -= 500) {
      const limit = Math.exp(-Math.min(left, 500));
      for (let product = this.uniform(); product > limit; product *= this.uniform()) count++;
    }
    return count;
  }
}

/** Draws from a discrete distribution in constant time (Walker's alias method). */
export class AliasTable {
  readonly #threshold: Float64Array;
  readonly #alias: Uint32Array;

  /** `weights` are non-negative and not all zero; they need not add up to 1. */
  constructor(weights: Float64Array) {
    const count = weights.length;
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    this.#threshold = weights.map((weight) => (weight * count) / total);
    this.#alias = Uint32Array.from({ length: count }, (_, i) => i);
    const small: number[] = [];
    const large: number[] = [];
    for (let i = 0; i < count; i++) (this.#threshold[i]! < 1 ? small : large).push(i);
    while (small.length > 0 && large.length > 0) {
      const low = small.pop()!;
      const high = large.at(-1)!;
      this.#alias[low] = high;
      this.#threshold[high]! -= 1 - this.#threshold[low]!;
      if (this.#threshold[high]! < 1) small.push(large.pop()!);
    }
    // What is left is 1 but for rounding.
    for (const i of small) this.#threshold[i] = 1;
  }

  draw(random: Random): number {
    const i = random.below(this.#alias.length);
    return random.uniform() < this.#threshold[i]! ? i : this.#alias[i]!;
  }
}
