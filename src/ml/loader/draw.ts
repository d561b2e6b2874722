import type { Sfc32 } from "../../util/random.js";

/** Drawing without replacement. */

/** `count` of the items, all equally likely, in random order (Fisher and Yates). At most all of them. */
export function drawSome(items: Uint32Array, count: number, random: Sfc32): Uint32Array {
  const left = items.slice();
  for (let at = 0; at < count; at++) {
    const other = at + random.below(left.length - at);
    const chosen = left[other]!;
    left[other] = left[at]!;
    left[at] = chosen;
  }
  return left.subarray(0, count);
}

/**
 * `count` of the items in the order in which they are drawn: each draw takes one of those that are left, as likely as
 * its weight says. So draws pandas' `sample(weights=...)`, by NumPy's `choice(replace=False)`: it draws with replacement
 * and drops what it has already, which is the same. Here each item waits for an exponential time with its weight as
 * rate, and those that come first are taken (Efraimidis and Spirakis): the same again, with one number an item however
 * unequal the weights are. Weights are above 0.
 */
export function drawWeighted(
  items: Uint32Array,
  weightOf: (item: number) => number,
  count: number,
  random: Sfc32,
): Uint32Array {
  const first = new FirstFew(count);
  for (let at = 0; at < items.length; at++) {
    first.offer(-Math.log(random.fineUniform()) / weightOf(items[at]!), at);
  }
  return first.positions().map((position) => items[position]!);
}

/** Keeps the earliest few: a heap with the latest of them on top. */
class FirstFew {
  readonly #times: Float64Array;
  readonly #positions: Uint32Array;
  #count = 0;

  constructor(limit: number) {
    this.#times = new Float64Array(limit);
    this.#positions = new Uint32Array(limit);
  }

  offer(time: number, position: number): void {
    if (this.#count < this.#times.length) this.#rise(this.#count++, time, position);
    else if (time < this.#times[0]!) this.#sink(time, position);
  }

  /** Earliest first. */
  positions(): Uint32Array {
    const times = this.#times;
    const order = Uint32Array.from({ length: this.#count }, (_, at) => at);
    order.sort((a, b) => times[a]! - times[b]!);
    return order.map((at) => this.#positions[at]!);
  }

  #put(at: number, time: number, position: number): void {
    this.#times[at] = time;
    this.#positions[at] = position;
  }

  #rise(from: number, time: number, position: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (this.#times[parent]! >= time) break;
      this.#put(at, this.#times[parent]!, this.#positions[parent]!);
      at = parent;
    }
    this.#put(at, time, position);
  }

  /** In place of the top. */
  #sink(time: number, position: number): void {
    let at = 0;
    for (let child = 1; child < this.#count; child = 2 * at + 1) {
      if (child + 1 < this.#count && this.#times[child + 1]! > this.#times[child]!) child++;
      if (this.#times[child]! <= time) break;
      this.#put(at, this.#times[child]!, this.#positions[child]!);
      at = child;
    }
    this.#put(at, time, position);
  }
}
