import { Sfc32 } from "../../util/random.js";
import { concatUint32 } from "../../util/typed-arrays.js";
import type { Population } from "./cells.js";
import { encodePairs } from "./codes.js";
import { drawSome, drawWeighted } from "./draw.js";
import { type Groups, groupOf, groupRows } from "./groups.js";
import type { LoaderSettings } from "./options.js";

/**
 * Which cells are in which batch. A batch follows from the seed, its epoch and its number alone: each has random numbers
 * of its own, so that it does not matter which batches were made before or are being made.
 */

/** What random numbers are for, so that none serve twice. */
const purposes = { order: 0, cells: 1, valCells: 2 } as const;

/** Epochs and purposes share 32 bits. */
export const MAX_EPOCH = 2 ** 28 - 1;

function randomFor(purpose: keyof typeof purposes, seed: number, epoch: number, step: number): Sfc32 {
  return new Sfc32(seed, epoch + purposes[purpose] * (MAX_EPOCH + 1), step);
}

export interface BatchPlan {
  readonly batchCount: number;
  /** Cells of the largest batch. */
  readonly mostCells: number;
  /** Rows of the population that are in the batch `step`, 0 to `batchCount` - 1. */
  rows(epoch: number, step: number): Uint32Array;
}

/** `part` "val": the same batches in every epoch, samples in order, the last batch kept. */
export function planBatches(
  part: "train" | "val",
  population: Population,
  settings: LoaderSettings,
  labelCounts: Float64Array,
): BatchPlan {
  if (settings.sampling === "uniform") return new UniformPlan(part, population, settings);
  return new SamplePlan(part, population, settings, labelCounts);
}

/** Batches of whole samples or of some cells of each. */
class SamplePlan implements BatchPlan {
  readonly batchCount: number;
  readonly mostCells: number;
  readonly #isTrain: boolean;
  readonly #settings: LoaderSettings;
  readonly #groups: Groups;
  /** Groups that have cells. */
  readonly #samples: Uint32Array;
  readonly #weightOf: ((row: number) => number) | null;
  #order: { readonly epoch: number; readonly samples: Uint32Array } | undefined;

  constructor(
    part: "train" | "val",
    { labels, samples }: Population,
    settings: LoaderSettings,
    labelCounts: Float64Array,
  ) {
    const { batchSize, sampleSize, dropLast, sampling } = settings;
    this.#isTrain = part === "train";
    this.#settings = settings;
    const count = samples.reduce((most, sample) => Math.max(most, sample + 1), 0);
    this.#groups = groupRows(samples, count);
    const { starts } = this.#groups;
    const numbers = Uint32Array.from({ length: count }, (_, sample) => sample);
    this.#samples = numbers.filter((sample) => starts[sample + 1]! > starts[sample]!);
    const batches = this.#samples.length / batchSize;
    this.batchCount = dropLast && this.#isTrain ? Math.floor(batches) : Math.ceil(batches);
    this.mostCells = Math.min(batchSize, this.#samples.length) * sampleSize;
    const weights = labelCounts.map((cells) => 1 / Math.log1p(cells / 1e4));
    this.#weightOf = sampling === "class" ? (row) => weights[labels[row]!]! : null;
  }

  rows(epoch: number, step: number): Uint32Array {
    const { batchSize, seed } = this.#settings;
    const random = this.#isTrain
      ? randomFor("cells", seed, epoch, step)
      : randomFor("valCells", seed, 0, step);
    const samples = this.#orderIn(epoch).subarray(step * batchSize, (step + 1) * batchSize);
    const parts = Array.from(samples, (sample) => this.#someOf(groupOf(this.#groups, sample), random));
    return concatUint32(parts);
  }

  #orderIn(epoch: number): Uint32Array {
    if (!this.#isTrain) return this.#samples;
    if (this.#order?.epoch !== epoch) {
      const random = randomFor("order", this.#settings.seed, epoch, 0);
      this.#order = { epoch, samples: drawSome(this.#samples, this.#samples.length, random) };
    }
    return this.#order.samples;
  }

  /** All of a smaller sample, in random order: weights would not change which they are. */
  #someOf(rows: Uint32Array, random: Sfc32): Uint32Array {
    const { sampleSize } = this.#settings;
    if (this.#weightOf === null || rows.length < sampleSize) {
      return drawSome(rows, Math.min(sampleSize, rows.length), random);
    }
    return drawWeighted(rows, this.#weightOf, sampleSize, random);
  }
}

/** Batches of cells whose labels, and whose studies for each label, are all equally likely. */
class UniformPlan implements BatchPlan {
  readonly batchCount: number;
  readonly mostCells: number;
  readonly #isTrain: boolean;
  readonly #seed: number;
  /** Rows by label and study. */
  readonly #strata: Groups;
  /** Strata by label. */
  readonly #byLabel: Groups;
  /** Labels that there are. */
  readonly #labels: Uint32Array;

  constructor(part: "train" | "val", { labels, studies }: Population, settings: LoaderSettings) {
    this.#isTrain = part === "train";
    this.#seed = settings.seed;
    const studyCount = studies.reduce((most, study) => Math.max(most, study + 1), 0);
    const strata = encodePairs(labels, studies, studyCount);
    this.#strata = groupRows(strata.codes, strata.firsts.length);
    this.#labels = strata.firsts.length === 0 ? new Uint32Array(0) : Uint32Array.from(new Set(strata.firsts));
    this.#byLabel = groupRows(strata.firsts, (this.#labels.at(-1) ?? -1) + 1);
    this.mostCells = settings.batchSize * settings.sampleSize;
    const batches = labels.length / this.mostCells;
    this.batchCount = settings.dropLast && this.#isTrain ? Math.floor(batches) : Math.ceil(batches);
  }

  rows(epoch: number, step: number): Uint32Array {
    const random = this.#isTrain
      ? randomFor("cells", this.#seed, epoch, step)
      : randomFor("valCells", this.#seed, 0, step);
    const rows = new Uint32Array(this.mostCells);
    for (let at = 0; at < rows.length; at++) {
      const strata = groupOf(this.#byLabel, one(this.#labels, random));
      rows[at] = one(groupOf(this.#strata, one(strata, random)), random);
    }
    return rows;
  }
}

function one(items: Uint32Array, random: Sfc32): number {
  return items[random.below(items.length)]!;
}
