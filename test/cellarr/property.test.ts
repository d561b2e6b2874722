import fc from "fast-check";
import { expect, it } from "vitest";
import { buildCellArrDataset } from "../../src/cellarr/build/build.js";
import { slice } from "../../src/cellarr/selection.js";
import { MemoryStore } from "../../src/storage/memory.js";
import { collections, denseRows, expectedStore, experiment } from "./samples.js";

it("a store gives back what its files hold, for any cells and genes", async () => {
  await fc.assert(
    fc.asyncProperty(
      collections,
      fc.infiniteStream(fc.nat()),
      fc.boolean(),
      fc.integer({ min: 1, max: 3 }),
      async (files, random, optimize, numThreads) => {
        const { genes, rows } = expectedStore(files);
        const dataset = await buildCellArrDataset({
          outputPath: { store: new MemoryStore(), path: "" },
          files: files.map(experiment),
          optimize,
          numThreads,
        });
        expect(dataset.shape).toEqual([rows.length, genes.length]);
        expect(await dataset.getGeneAnnotationIndex()).toEqual(genes);
        expect(denseRows((await dataset.get(slice())).matrix("counts"))).toEqual(rows);
        if (rows.length === 0 || genes.length === 0) return;
        const cells = Array.from({ length: 3 }, () => random.next().value % rows.length);
        const some = [...new Set(Array.from({ length: 3 }, () => random.next().value % genes.length))];
        const names = some.map((gene) => genes[gene]!);
        const part = await dataset.get(cells, names);
        const columns = some.sort((a, b) => a - b);
        expect(denseRows(part.matrix("counts"))).toEqual(
          cells.map((cell) => columns.map((gene) => rows[cell]![gene])),
        );
      },
    ),
    { numRuns: 40 },
  );
});
