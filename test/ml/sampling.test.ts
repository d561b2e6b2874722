import { describe, expect, it } from "vitest";
import { planBatches } from "../../src/ml/loader/batch-plan.js";
import type { Population } from "../../src/ml/loader/cells.js";
import { drawSome, drawWeighted } from "../../src/ml/loader/draw.js";
import { type DataModuleOptions, loaderSettings } from "../../src/ml/loader/options.js";
import { Sfc32 } from "../../src/util/random.js";
import { hasPython, runPython } from "../support/python.js";
import { expectEqualInclusion, expectFrequencies } from "./chi-square.js";

/** How often cells, samples, labels and studies come, beside the exact probabilities. */

/** Probability of each ordered pair of two draws without replacement, those of the same first item together. */
function pairProbabilities(weights: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.flatMap((first, i) =>
    weights.flatMap((second, j) => (i === j ? [] : [((first / total) * second) / (total - first)])),
  );
}

function pairNumber(first: number, second: number, count: number): number {
  return first * (count - 1) + second - (second > first ? 1 : 0);
}

describe("chi-square", () => {
  it("finds frequencies that are off by a twentieth", () => {
    expect(() => expectFrequencies([52_500, 47_500], [0.5, 0.5])).toThrow("chi-square is 250.0");
    expect(() => expectFrequencies([50_100, 49_900], [0.5, 0.5])).not.toThrow();
    expect(() => expectEqualInclusion([2100, 1900, 2000], 2, 3000)).toThrow("chi-square");
  });
});

describe("drawing", () => {
  const items = Uint32Array.of(10, 11, 12, 13, 14);

  it("of equal items gives every ordered pair as often", () => {
    const random = new Sfc32(1, 2, 3);
    const counts = new Array<number>(20).fill(0);
    for (let round = 0; round < 40_000; round++) {
      const [first, second] = drawSome(items, 2, random);
      counts[pairNumber(first! - 10, second! - 10, 5)]!++;
    }
    expectFrequencies(counts, new Array(20).fill(1 / 20));
    expect([...items]).toEqual([10, 11, 12, 13, 14]);
  });

  const weights = [1, 2, 3, 0.5, 8];

  it("by weights gives ordered pairs as often as draws one after the other", () => {
    const random = new Sfc32(4, 5, 6);
    const counts = new Array<number>(20).fill(0);
    for (let round = 0; round < 100_000; round++) {
      const [first, second] = drawWeighted(items, (item) => weights[item - 10]!, 2, random);
      counts[pairNumber(first! - 10, second! - 10, 5)]!++;
    }
    expectFrequencies(counts, pairProbabilities(weights));
  });

  it.skipIf(!hasPython)("by weights is as often as in pandas", async () => {
    const counts = (await runPython(
      `
import json
import pandas as pd
frame = pd.DataFrame({"weight": ${JSON.stringify(weights)}})
counts = [0] * 20
for seed in range(10000):
    first, second = frame.sample(n=2, weights="weight", random_state=seed).index
    counts[first * 4 + second - (second > first)] += 1
print(json.dumps(counts))
`,
    )) as number[];
    expectFrequencies(counts, pairProbabilities(weights));
  });

  it("takes all where all are asked for", () => {
    const random = new Sfc32(7, 8, 9);
    expect([...drawSome(items, 5, random)].sort()).toEqual([...items]);
    expect([...drawWeighted(items, (item) => item, 5, random)].sort()).toEqual([...items]);
    expect([...drawWeighted(items, () => 1, 0, random)]).toEqual([]);
  });
});

/** Cells of the samples with the studies and labels given. */
function population(samples: readonly { study: number; labels: readonly number[] }[]): Population {
  const cells = samples.flatMap(({ study, labels }, sample) =>
    labels.map((label) => ({ study, sample, label })),
  );
  return {
    cells: Uint32Array.from(cells, (_, at) => at),
    labels: Int32Array.from(cells, ({ label }) => label),
    studies: Int32Array.from(cells, ({ study }) => study),
    samples: Int32Array.from(cells, ({ sample }) => sample),
  };
}

/** How often each row comes in all batches of so many epochs. */
function countRows(of: Population, labelCounts: number[], options: DataModuleOptions, epochs: number) {
  const plan = planBatches("train", of, loaderSettings(options), Float64Array.from(labelCounts));
  const counts = new Array<number>(of.cells.length).fill(0);
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (let step = 0; step < plan.batchCount; step++) {
      for (const row of plan.rows(epoch, step)) counts[row]!++;
    }
  }
  return counts;
}

describe("by sample", () => {
  const two = population([
    { study: 0, labels: new Array(30).fill(0) },
    { study: 1, labels: new Array(50).fill(0) },
  ]);

  it("every cell of a sample comes as often", () => {
    const counts = countRows(two, [80], { batchSize: 1, sampleSize: 10 }, 3000);
    expectEqualInclusion(counts.slice(0, 30), 10, 3000);
    expectEqualInclusion(counts.slice(30), 10, 3000);
  });

  it("every order of samples comes as often, and every sample once an epoch", () => {
    const samples = population(Array.from({ length: 4 }, (_, study) => ({ study, labels: [0] })));
    const plan = planBatches("train", samples, loaderSettings({ batchSize: 2 }), Float64Array.of(4));
    const counts = new Map<string, number>();
    for (let epoch = 0; epoch < 12_000; epoch++) {
      const order = [...plan.rows(epoch, 0), ...plan.rows(epoch, 1)].join("");
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect([...counts.keys()].every((order) => [...order].sort().join("") === "0123")).toBe(true);
    expect(counts.size).toBe(24);
    expectFrequencies([...counts.values()], new Array(24).fill(1 / 24));
  });
});

describe("by class", () => {
  it("cells come as often as their weights say, of classes counted in the whole store", () => {
    const labels = [0, 0, 0, 1, 2];
    const labelCounts = [90_000, 2000, 400];
    const weights = labels.map((label) => 1 / Math.log1p(labelCounts[label]! / 1e4));
    const counts = countRows(
      population([{ study: 0, labels }]),
      labelCounts,
      { batchSize: 1, sampleSize: 2, sampling: "class" },
      60_000,
    );
    const pairs = pairProbabilities(weights);
    const inclusion = labels.map((_, cell) =>
      labels.reduce(
        (sum, _, other) =>
          other === cell
            ? sum
            : sum + pairs[pairNumber(cell, other, 5)]! + pairs[pairNumber(other, cell, 5)]!,
        0,
      ),
    );
    for (const [cell, probability] of inclusion.entries()) {
      const deviation = Math.sqrt(60_000 * probability * (1 - probability));
      expect(Math.abs(counts[cell]! - 60_000 * probability)).toBeLessThan(5 * deviation);
    }
    // Not as if all were equal.
    expect(counts[4]!).toBeGreaterThan(5 * counts[0]!);
  });

  it("a sample that is too small comes whole", () => {
    const counts = countRows(
      population([{ study: 0, labels: [0, 1, 1] }]),
      [1, 2],
      { batchSize: 1, sampleSize: 4, sampling: "class" },
      10,
    );
    expect(counts).toEqual([10, 10, 10]);
  });
});

describe("uniformly", () => {
  it("every label comes as often, every study of a label, every cell of both", () => {
    // Label 0 in three studies, label 1 in one, label 2 in two; 1 to 40 cells of each.
    const cells = population([
      { study: 0, labels: [...new Array(40).fill(0), 2] },
      { study: 1, labels: [0, 0, 1, 1, 1] },
      { study: 2, labels: [0, ...new Array(9).fill(2)] },
    ]);
    const options = { batchSize: 4, sampleSize: 10, sampling: "uniform" } as const;
    const counts = countRows(cells, [43, 3, 10], options, 4000);
    const probabilities = Array.from(cells.labels, (label, row) => {
      const study = cells.studies[row]!;
      const studies = new Set(cells.studies.filter((_, at) => cells.labels[at] === label)).size;
      const equal = cells.labels.filter((other, at) => other === label && cells.studies[at] === study).length;
      return 1 / 3 / studies / equal;
    });
    expect(probabilities.reduce((sum, one) => sum + one, 0)).toBeCloseTo(1, 12);
    expectFrequencies(counts, probabilities);
    const sumOf = (values: readonly number[], codes: Int32Array) =>
      [0, 1, 2].map((code) =>
        values.reduce((sum, value, row) => (codes[row] === code ? sum + value : sum), 0),
      );
    expectFrequencies(sumOf(counts, cells.labels), [1 / 3, 1 / 3, 1 / 3]);
    expectFrequencies(sumOf(counts, cells.studies), sumOf(probabilities, cells.studies));
  });

  it("an epoch has as many cells as there are, in whole batches", () => {
    const cells = population([{ study: 0, labels: new Array(25).fill(0) }]);
    const plan = (options: DataModuleOptions) =>
      planBatches(
        "train",
        cells,
        loaderSettings({ sampling: "uniform", batchSize: 2, sampleSize: 5, ...options }),
        Float64Array.of(25),
      );
    expect(plan({}).batchCount).toBe(3);
    expect(plan({ dropLast: true }).batchCount).toBe(2);
    expect(plan({}).rows(0, 2)).toHaveLength(10);
  });
});

describe("random numbers", () => {
  it("are those of sfc32", () => {
    // PractRand's generator with a = 1, b = 2, c = 3 and counter 1, 15 rounds dropped: computed with big integers.
    const mask = 0xffffffffn;
    let [a, b, c, counter] = [1n, 2n, 3n, 1n];
    const next = () => {
      const result = (a + b + counter) & mask;
      counter = (counter + 1n) & mask;
      a = b ^ (b >> 9n);
      b = (c + (c << 3n)) & mask;
      c = ((((c << 21n) | (c >> 11n)) & mask) + result) & mask;
      return Number(result);
    };
    for (let round = 0; round < 15; round++) next();
    const random = new Sfc32(1, 2, 3);
    for (let round = 0; round < 100; round++) expect(random.uint32()).toBe(next());
  });

  it("are in their ranges", () => {
    const random = new Sfc32(0, 0, 0);
    for (let round = 0; round < 1000; round++) {
      for (const value of [random.uniform(), random.fineUniform()]) {
        expect(value > 0 && value < 1).toBe(true);
      }
      expect(random.below(3)).toBeLessThan(3);
    }
  });
});
