import { execFile } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it, vi } from "vitest";
import { buildCellArrDataset, type ExportFormat, exportDataset, MemoryStore } from "../../../src/node.js";
import { temporaryFolder } from "../../support/temporary.js";
import { generated } from "../samples.js";

/** Exports hold a block of cells, however many there are. */

const root = fileURLToPath(new URL("../../..", import.meta.url));
const run = promisify(execFile);

describe("memory", () => {
  it.each<ExportFormat>(["h5ad", "summarized-experiment", "10x", "arrow", "csv"])(
    "%s asks for no more values than those of a block",
    async (format) => {
      const dataset = await buildCellArrDataset({
        files: [generated(60, 10, 1)],
        outputPath: { store: new MemoryStore(), path: "store" },
        matrixOptions: { matrixName: "counts", dtype: "float32" },
      });
      const values = vi.spyOn(dataset, "getMatrixSubset");
      const cells = vi.spyOn(dataset, "getCellSubset");
      await exportDataset(dataset, join(await temporaryFolder(), "out"), { format, blockCells: 7 });
      expect(values.mock.calls.length).toBe(9);
      for (const { value } of values.mock.settledResults) {
        const read = (value as ReadonlyMap<string, { shape: readonly number[] }>).get("counts");
        expect(read!.shape[0]).toBeLessThanOrEqual(7);
      }
      // Metadata: a column of all cells, or all columns of a block.
      for (const [asked, columns] of cells.mock.calls) {
        expect(typeof columns === "string" || (asked as Uint32Array).length <= 7).toBe(true);
      }
    },
  );

  it("files larger than the heap are written", async () => {
    await run(process.execPath, [join(root, "scripts", "build.mjs"), "--if-stale"]);
    const out = join(await temporaryFolder(), "out");
    const script = join(root, "test", "cellarr", "export", "small-heap.mjs");
    const heap = 40;
    await run(process.execPath, [`--max-old-space-size=${heap}`, script, out]);
    expect(statSync(join(out, "counts.csv")).size).toBeGreaterThan(1.5 * heap * 2 ** 20);
  }, 120_000);
});
