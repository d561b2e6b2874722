import { beforeAll, describe, expect, it } from "vitest";
import { type Batch, DataModule } from "../../src/ml.js";
import type { CellArrDataset } from "../../src/node.js";
import { collect, columns, drawLabels, storeOf } from "./stores.js";

/** The test of Python cellarr's loader, under its name and with its sizes. */

const LABELS = [...Array.from({ length: 10 }, (_, label) => `label_${label}`), "nan"];

let dataset: CellArrDataset;
beforeAll(async () => {
  dataset = await storeOf([
    { study: "test1", sample: "a", labels: drawLabels(1000, LABELS, 1), genes: 100 },
    { study: "test2", sample: "b", labels: drawLabels(100, LABELS, 2), genes: 1000 },
    { study: "test3", sample: "c", labels: drawLabels(100, LABELS, 3), genes: 100 },
    { study: "test4", sample: "d", labels: drawLabels(1000, LABELS, 4), genes: 100 },
  ]);
});

describe("test_dataloader.py", () => {
  it.each(["sample", "class", "uniform"] as const)("test_dataloader, sampling by %s", async (sampling) => {
    const module = await DataModule.open(dataset, {
      ...columns,
      valStudies: ["test3"],
      batchSize: 3,
      sampleSize: 10,
      lognorm: true,
      targetSum: 1e4,
      sampling,
      removeSingletonClasses: true,
    });
    const studies = async (cells: Uint32Array) => new Set((await collect(studyOf(cells))).sort());
    expect(await studies(module.trainCellIndices)).toEqual(new Set(["test1", "test2", "test4"]));
    expect(await studies(module.valCellIndices)).toEqual(new Set(["test3"]));
    expect(module.labelNames).toEqual(LABELS.slice(0, 10));
    const { value } = await module.train().next();
    const batch = value as Batch;
    expect([batch.cellCount, batch.geneCount]).toEqual([30, module.genes.length]);
    expect(module.genes).toHaveLength(1000);
    expect(batch.values).toHaveLength(30 * 1000);
    expect(batch.labels).toHaveLength(30);
    expect(new Set(batch.samples).size).toBe(3);
  });
});

async function* studyOf(cells: Uint32Array): AsyncGenerator<string> {
  const all = await dataset.getCellSubset(cells, "study");
  const { textValues } = await import("../../src/util/frame.js");
  const column = all.columns.get("study")!;
  if (column.kind === "text") yield* textValues(column).map(String);
}
