import type { NumberArray } from "../../util/typed-arrays.js";

/** Log-normalised values: log(1 + x) of counts that add up to a target sum in each cell. */

/** Small whole numbers are most counts: the logarithm of each is taken once a cell. */
const TABLE_SIZE = 256;

/**
 * Writes the values of one cell after another as float32, computed as float64; cells whose values add up to 0 are not
 * scaled, as in Python cellarr and scanpy.
 */
export class LogNormaliser {
  readonly #targetSum: number;
  readonly #table = new Float64Array(TABLE_SIZE);
  readonly #cells = new Float64Array(TABLE_SIZE);
  #cell = 0;

  constructor(targetSum: number) {
    this.#targetSum = targetSum;
  }

  /** The values from `from` to `to`, normalised together, put where `place` says, or one after another. */
  cell(
    values: NumberArray,
    from: number,
    to: number,
    out: Float32Array,
    start: number,
    columns: ArrayLike<number> | null,
  ): void {
    let sum = 0;
    for (let at = from; at < to; at++) sum += values[at]!;
    const scale = this.#targetSum / (sum === 0 ? 1 : sum);
    const table = this.#table;
    const cells = this.#cells;
    const cell = ++this.#cell;
    for (let at = from; at < to; at++) {
      const value = values[at]!;
      const whole = value | 0;
      let logarithm: number;
      if (whole === value && whole >= 0 && whole < TABLE_SIZE) {
        if (cells[whole] !== cell) {
          cells[whole] = cell;
          table[whole] = Math.log1p(whole * scale);
        }
        logarithm = table[whole]!;
      } else logarithm = Math.log1p(value * scale);
      out[start + (columns === null ? at - from : columns[at]!)] = logarithm;
    }
  }
}
