import type { CsrBatch } from "../loader/batch.js";
import { LogNormaliser } from "../loader/normalise.js";

/** What is learned from: a DataModule of `cellarr/ml`, or anything that has these members. */

export interface Rows {
  readonly cellCount: number;
  readonly geneCount: number;
  /** Cells x genes, row after row, or compressed. */
  readonly values: Float32Array | CsrBatch;
}

/** How counts become what the network is given. */
export interface Normalisation {
  /** Whether values are log(1 + x) of counts scaled to `targetSum` for each cell. */
  readonly lognorm: boolean;
  readonly targetSum: number;
}

export interface EpochOptions {
  /** Counted from 0. */
  readonly epoch?: number | undefined;
  /** The first batch wanted, counted from 0. */
  readonly from?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Batches {
  /** Whatever is to be done before the other members are asked. */
  prepare?(options?: { readonly signal?: AbortSignal | undefined }): Promise<unknown>;
  /** Names of the columns. */
  readonly genes: readonly string[];
  readonly labelNames?: readonly string[];
  /** How the values were made, for the model to remember. */
  readonly reader?: { readonly normalisation: Normalisation };
  /** Batches of one epoch, the same ones whenever they are asked for. */
  train(options?: EpochOptions): AsyncIterable<Rows>;
  /** The same for validation; none where there is nothing to validate with. */
  val?(options?: EpochOptions): AsyncIterable<Rows>;
}

/** Cells x genes, row after row. */
export function denseValues({ cellCount, geneCount, values }: Rows): Float32Array {
  if (values instanceof Float32Array) return values;
  const dense = new Float32Array(cellCount * geneCount);
  for (let cell = 0; cell < cellCount; cell++) {
    const end = values.indptr[cell + 1]!;
    for (let at = values.indptr[cell]!; at < end; at++) {
      dense[cell * geneCount + values.indices[at]!] = values.values[at]!;
    }
  }
  return dense;
}

/** Normalises dense rows in place. */
export function normaliseRows(
  values: Float32Array,
  geneCount: number,
  { lognorm, targetSum }: Normalisation,
): void {
  if (!lognorm) return;
  const normaliser = new LogNormaliser(targetSum);
  for (let start = 0; start < values.length; start += geneCount) {
    normaliser.cell(values, start, start + geneCount, values, start, null);
  }
}
