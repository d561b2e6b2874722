import type { Datatype } from "../../format/datatype.js";
import type { NumberArray } from "../../util/typed-arrays.js";

/** Totals of each gene in one pass: 20 to 28 bytes a gene, whatever the number of cells. */

export interface GeneColumns {
  readonly total: Float64Array;
  readonly mean: Float64Array;
  readonly variance: Float64Array;
  readonly detected: Uint32Array;
}

export interface GeneTotals {
  /** A value per gene index. */
  add(genes: Uint32Array, values: NumberArray): void;
  /** The totals over `cellCount` cells, those without a value included. */
  columns(cellCount: number): GeneColumns;
}

/**
 * For a matrix of that type. Goes on from `before`, the columns of genes with the same numbers over `cellCount` cells;
 * genes that are not among them start with nothing.
 */
export function geneTotals(
  dtype: Datatype,
  geneCount: number,
  before?: { readonly columns: GeneColumns; readonly cellCount: number },
): GeneTotals {
  return isShort(dtype) ? new ExactTotals(geneCount, before) : new RunningTotals(geneCount, before);
}

/** Integers whose squares add up without rounding: 2 million cells of the largest value. */
function isShort(dtype: Datatype): boolean {
  return dtype === "int8" || dtype === "uint8" || dtype === "int16" || dtype === "uint16";
}

type Before = Parameters<typeof geneTotals>[2];

/** Sums of values and of squares. */
class ExactTotals implements GeneTotals {
  readonly #sums: Float64Array;
  readonly #squares: Float64Array;
  readonly #detected: Uint32Array;

  constructor(geneCount: number, before: Before) {
    this.#sums = grown(before?.columns.total, Float64Array, geneCount);
    this.#detected = grown(before?.columns.detected, Uint32Array, geneCount);
    this.#squares = new Float64Array(geneCount);
    if (before === undefined) return;
    const { columns, cellCount } = before;
    for (let gene = 0; gene < columns.total.length; gene++) {
      const sum = columns.total[gene]!;
      this.#squares[gene] =
        Math.round(squaredDeviations(columns, gene, cellCount) + (sum * sum) / cellCount) || 0;
    }
  }

  add(genes: Uint32Array, values: NumberArray): void {
    const sums = this.#sums;
    const squares = this.#squares;
    const detected = this.#detected;
    for (let at = 0; at < genes.length; at++) {
      const value = values[at]!;
      if (value === 0) continue;
      const gene = genes[at]!;
      sums[gene] = sums[gene]! + value;
      squares[gene] = squares[gene]! + value * value;
      detected[gene] = detected[gene]! + 1;
    }
  }

  columns(cellCount: number): GeneColumns {
    const squares = this.#squares;
    return columnsOf(this.#sums, this.#detected, cellCount, (gene, sum) => {
      // The difference of two large numbers: as integers, so that nothing of it is rounded off.
      const scaled = BigInt(cellCount) * BigInt(squares[gene]!) - BigInt(sum) ** 2n;
      return Number(scaled) / cellCount;
    });
  }
}

/** Welford's way over the values that are not zero; the zeros are put in at the end. */
class RunningTotals implements GeneTotals {
  readonly #sums: Float64Array;
  readonly #means: Float64Array;
  readonly #deviations: Float64Array;
  readonly #detected: Uint32Array;

  constructor(geneCount: number, before: Before) {
    this.#sums = grown(before?.columns.total, Float64Array, geneCount);
    this.#detected = grown(before?.columns.detected, Uint32Array, geneCount);
    this.#means = new Float64Array(geneCount);
    this.#deviations = new Float64Array(geneCount);
    if (before === undefined) return;
    const { columns, cellCount } = before;
    for (let gene = 0; gene < columns.total.length; gene++) {
      const count = columns.detected[gene]!;
      if (count === 0) continue;
      const mean = columns.total[gene]! / count;
      this.#means[gene] = mean;
      const all = squaredDeviations(columns, gene, cellCount);
      this.#deviations[gene] = all - ofZeros(mean, count, cellCount);
    }
  }

  add(genes: Uint32Array, values: NumberArray): void {
    const sums = this.#sums;
    const means = this.#means;
    const deviations = this.#deviations;
    const detected = this.#detected;
    for (let at = 0; at < genes.length; at++) {
      const value = values[at]!;
      if (value === 0) continue;
      const gene = genes[at]!;
      const count = detected[gene]! + 1;
      detected[gene] = count;
      sums[gene] = sums[gene]! + value;
      const away = value - means[gene]!;
      const mean = means[gene]! + away / count;
      means[gene] = mean;
      deviations[gene] = deviations[gene]! + away * (value - mean);
    }
  }

  columns(cellCount: number): GeneColumns {
    return columnsOf(this.#sums, this.#detected, cellCount, (gene) => {
      const zeros = ofZeros(this.#means[gene]!, this.#detected[gene]!, cellCount);
      return this.#deviations[gene]! + zeros;
    });
  }
}

/** What zeros add to the squared deviations of `count` values around their mean, up to `cellCount` values. */
function ofZeros(mean: number, count: number, cellCount: number): number {
  return count === 0 ? 0 : (mean * mean * count * (cellCount - count)) / cellCount;
}

function squaredDeviations({ variance, mean }: GeneColumns, gene: number, cellCount: number): number {
  // The variance of a single cell is NaN whatever its value.
  return cellCount < 2 && Number.isFinite(mean[gene]!) ? 0 : variance[gene]! * (cellCount - 1);
}

function columnsOf(
  sums: Float64Array,
  detected: Uint32Array,
  cellCount: number,
  deviations: (gene: number, sum: number) => number,
): GeneColumns {
  const total = sums.slice();
  const mean = total.map((sum) => sum / cellCount);
  const variance = total.map((sum, gene) =>
    cellCount < 2 ? Number.NaN : deviations(gene, sum) / (cellCount - 1),
  );
  return { total, mean, variance, detected: detected.slice() };
}

function grown<T extends Float64Array | Uint32Array>(
  from: T | undefined,
  type: { new (length: number): T },
  length: number,
): T {
  const array = new type(length);
  if (from !== undefined) array.set(from);
  return array;
}
