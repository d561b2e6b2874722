/** A growing list of doubles without an object per value: tile offsets, sizes, counts. */
export class GrowingNumbers {
  #values = new Float64Array(64);
  #length = 0;

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const values = new Float64Array(this.#length * 2);
      values.set(this.#values);
      this.#values = values;
    }
    this.#values[this.#length++] = value;
  }

  get length(): number {
    return this.#length;
  }

  /** What was pushed; a view that later pushes may leave behind. */
  view(): Float64Array {
    return this.#values.subarray(0, this.#length);
  }
}
