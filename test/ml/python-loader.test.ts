import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { divideCells } from "../../src/ml/loader/cells.js";
import { loaderSettings } from "../../src/ml/loader/options.js";
import { DataModule, type DataModuleOptions } from "../../src/ml.js";
import type { CellArrDataset } from "../../src/node.js";
import { hasPython, runPython } from "../support/python.js";
import { columns, drawLabels, type SampleInput, storeOf } from "./stores.js";

/** Beside Python cellarr's loader on the same store. */

interface Reference {
  readonly train: readonly number[];
  readonly val: readonly number[];
  readonly labels: readonly string[];
  readonly samples: readonly number[];
  readonly sampleNames: readonly (readonly [study: string, sample: string])[];
  readonly weights: Readonly<Record<string, number>>;
  readonly values: readonly (readonly number[])[];
  readonly studies: readonly string[];
  readonly sampleOf: readonly string[];
}

const LABELS = ["T cell", "B cell", "NK", "Zelle ß", "nan"];
const samples: readonly SampleInput[] = [
  { study: "one", sample: "a", labels: drawLabels(40, LABELS, 1) },
  { study: "one", sample: "b", labels: [...drawLabels(30, LABELS, 2), "alone"] },
  { study: "two", sample: "a", labels: drawLabels(8, LABELS, 3) },
  { study: "three", sample: "c", labels: [...drawLabels(25, LABELS, 4), "only three", "only three"] },
  { study: "three", sample: "d", labels: ["only three", "T cell", "alone"] },
];

/** Options here and in Python. */
const choices: readonly (readonly [DataModuleOptions, Record<string, unknown>])[] = [
  [{}, {}],
  [{ valStudies: ["three"] }, { val_studies: ["three"] }],
  [{ removeSingletonClasses: true }, { remove_singleton_classes: true }],
  [
    { removeSingletonClasses: true, valStudies: ["three"], nanString: "NK" },
    { remove_singleton_classes: true, val_studies: ["three"], nan_string: "NK" },
  ],
  // Study "two" has one sample, which is too small and whose name a large one of study "one" has: Python drops it too,
  // since it has no other of study "two".
  [{ minSampleSize: 10 }, { min_sample_size: 10 }],
];
const forms: typeof choices = [
  [{}, {}],
  [{ targetSum: 50 }, { target_sum: 50 }],
  [{ lognorm: false }, { lognorm: false }],
  [{ geneOrder: ["gene_5", "gene_1", "gene_12"] }, { gene_order: ["gene_5", "gene_1", "gene_12"] }],
];
const weighted = { sampling_by_class: true, val_studies: ["three"] };

describe.skipIf(!hasPython)("Python cellarr's loader on the same store", () => {
  let folder: string;
  let dataset: CellArrDataset;
  let labelled: number[];
  let answers: readonly Reference[];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "cellarr-"));
    const store = join(folder, "store");
    dataset = await storeOf(samples, undefined, { outputPath: store, metadata: "python" });
    const { trainCellIndices } = await DataModule.open(dataset, columns);
    labelled = [...trainCellIndices].filter((cell) => cell % 3 !== 1).reverse();
    const names = { label_column_name: "label", study_column_name: "study", sample_column_name: "sample" };
    const requests = [
      ...choices.map(([, options]) => ({ options: { ...names, ...options } })),
      ...forms.map(([, options]) => ({ options: { ...names, ...options }, cells: labelled })),
      { options: { ...names, ...weighted } },
    ];
    // One process for all: to start it takes longer than the answers.
    answers = (await runPython("loader_reference.py", { store, requests })) as Reference[];
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each(choices.map(([options], at) => [options, at] as const))(
    "keeps the same cells for training and validation: %o",
    async (options, at) => {
      const module = await DataModule.open(dataset, { ...columns, ...options });
      const reference = answers[at]!;
      expect([...module.trainCellIndices]).toEqual(reference.train);
      expect([...module.valCellIndices]).toEqual(reference.val);
      expect(module.labelNames).toEqual(reference.labels);
      const sizes = new Map<string, number>();
      for await (const { studies, samples } of module.train()) {
        for (const [row, sample] of samples.entries()) {
          const name = `${module.studyNames[studies[row]!]} ${module.sampleNames[sample]}`;
          sizes.set(name, (sizes.get(name) ?? 0) + 1);
        }
      }
      const expected = reference.sampleNames.map(([study, sample], i) => [
        `${study} ${sample}`,
        reference.samples[i],
      ]);
      expect(Object.fromEntries(sizes)).toEqual(Object.fromEntries(expected));
    },
  );

  it("weighs classes the same, validation counted in", async () => {
    const { weights } = answers.at(-1)!;
    const settings = loaderSettings({ ...columns, sampling: "class", valStudies: ["three"] });
    const { labelNames, labelCounts } = await divideCells(dataset, settings, undefined);
    expect(Object.keys(weights).sort()).toEqual([...labelNames]);
    for (const [label, name] of labelNames.entries()) {
      expect(1 / Math.log1p(labelCounts[label]! / 1e4) / weights[name]!).toBeCloseTo(1, 12);
    }
  });

  it.each(forms.map(([options], at) => [options, at] as const))(
    "makes the same of the cells, to float32's rounding: %o",
    async (options, at) => {
      const module = await DataModule.open(dataset, { ...columns, ...options });
      const ours = await module.reader.read(Uint32Array.from(labelled));
      const flat = answers[choices.length + at]!.values.flat();
      expect(ours.values).toHaveLength(flat.length);
      for (const [i, value] of (ours.values as Float32Array).entries()) {
        expect(Math.abs(value - flat[i]!)).toBeLessThanOrEqual(2e-6 * Math.abs(flat[i]!));
      }
    },
  );
});
