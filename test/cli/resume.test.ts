import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { writeH5ad } from "../../src/h5ad-node.js";
import { CellArrDataset, slice } from "../../src/node.js";
import { experiment } from "../cellarr/samples.js";
import { temporaryFolder } from "../support/temporary.js";
import { compiledCli } from "./cli.js";

/** `cellarr build --resume` after a kill: what it wrote is there, and the next one goes on from it. */

const cli = compiledCli();
const CELLS = 1500;
const GENES = 200;
const SAMPLES = 6;

function valueAt(cell: number, gene: number): number {
  return (cell * 7 + gene * 13) % 5;
}

/** Committed fragments of the matrix, or where it will be before it takes its place. */
function commitsIn(store: string): string[] {
  try {
    return readdirSync(join(store, ".cellarr-building-resume", "new", "assays", "counts", "__commits"));
  } catch {
    return [];
  }
}

describe("build --resume", () => {
  it("goes on where the process was killed", { timeout: 120_000 }, async () => {
    const folder = await temporaryFolder();
    const [file, store] = [join(folder, "a.h5ad"), join(folder, "store")];
    const genes = Array.from({ length: GENES }, (_, gene) => `gene_${gene}`);
    const rows = Array.from({ length: CELLS }, (_, cell) => genes.map((_, gene) => valueAt(cell, gene)));
    await writeH5ad(
      experiment({ genes, rows, obs: { tissue: rows.map((_, cell) => `t${cell % 3}`) } }),
      file,
    );
    const files = new Array<string>(SAMPLES).fill(file);
    const args = ["build", "--resume", "--out", store, "--cell-column", "tissue"];
    const killed = await cli.kill(() => commitsIn(store).length > 1, ...args, ...files);
    expect(killed.code).toBeNull();
    const before = commitsIn(store);
    expect(before.length).toBeGreaterThan(1);
    expect(before.length).toBeLessThanOrEqual(SAMPLES);

    const other = await cli.run(...args, ...files, file);
    expect(other).toMatchObject({ code: 1, stdout: "" });
    expect(other.stderr).toContain("other files or with other options");
    expect(commitsIn(store)).toEqual(before);

    const resumed = await cli.run(...args, "--json", ...files);
    expect(resumed).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(resumed.stdout)).toMatchObject({ shape: [CELLS * SAMPLES, GENES] });
    expect(readdirSync(store).filter((name) => name.startsWith("."))).toEqual([]);
    expect((await cli.run("verify", store)).code).toBe(0);
    const dataset = await CellArrDataset.open(store);
    const sorted = await dataset.getGeneAnnotationIndex();
    const part = await dataset.get(slice(CELLS * 4, CELLS * 4 + 9));
    const matrix = part.matrix("counts");
    for (let row = 0; row < 10; row++) {
      const [from, to] = [matrix.indptr[row]!, matrix.indptr[row + 1]!];
      const stored = new Map(
        Array.from({ length: to - from }, (_, at) => [
          sorted[matrix.indices[from + at]!]!,
          Number(matrix.data[from + at]),
        ]),
      );
      for (const [gene, name] of genes.entries()) expect(stored.get(name) ?? 0).toBe(valueAt(row, gene));
    }
  });
});
