import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, type TestContext, test } from "vitest";
import { openH5ad, readH5ad, sourceOf } from "../../src/h5ad-node.js";
import { contentOf, dense, denseOfBlocks, frame } from "./content.js";

/** Files that anndata 0.6, 0.7 and 0.12 wrote (spec-fixtures/h5ad/generate.py), with what they hold. */

const folder = fileURLToPath(new URL("../../spec-fixtures/h5ad", import.meta.url));
const files = readdirSync(folder).filter((name) => name.endsWith(".h5ad"));

test("there are fixtures of each layout", () => {
  expect(files.length).toBeGreaterThanOrEqual(7);
});

describe.each(files)("%s", (name) => {
  const path = join(folder, name);
  const expected = JSON.parse(readFileSync(path.replace(/h5ad$/, "json"), "utf8"));

  test("from disk", async () => {
    const data = await readH5ad(path);
    expect(contentOf(data)).toEqual(expected);
    expect(data.skipped).toEqual([]);
  });

  test("from bytes", async () => {
    const data = await readH5ad(new Uint8Array(readFileSync(path)), { name: "given" });
    expect(contentOf(data)).toEqual(expected);
    expect(data.name).toBe("given");
  });

  test.each([1, 7, 64, 1 << 20])(
    "blocks of %d cells equal the whole, from the file and from memory",
    async (maxCells) => {
      const data = await readH5ad(path);
      const source = await openH5ad(path);
      const inMemory = sourceOf(data);
      expect(source.matrixNames).toEqual(inMemory.matrixNames);
      for (const matrix of source.matrixNames) {
        const whole = matrix === "X" ? data.X : matrix === "raw/X" ? data.raw?.X : data.layers.get(matrix);
        const values = dense(whole!);
        expect(await denseOfBlocks(source.matrix(matrix), maxCells)).toEqual(values);
        expect(await denseOfBlocks(inMemory.matrix(matrix), maxCells)).toEqual(values);
      }
      await source.close();
    },
  );

  test("frames, column by column", async () => {
    const source = await openH5ad(path);
    expect([source.obsCount, source.varCount]).toEqual(expected.shape);
    expect(frame(await source.obs())).toEqual(expected.obs);
    expect(frame(await source.var())).toEqual(expected.var);
    for (const column of Object.keys(expected.obs.columns)) {
      const columns = { [column]: expected.obs.columns[column] };
      expect(frame(await source.obs([column]))).toEqual({ ...expected.obs, columns });
    }
    if (expected.raw !== null) expect(frame(await source.rawVar())).toEqual(expected.raw.var);
    await source.close();
  });
});

const shared = fileURLToPath(new URL("../../../shared/h5ad", import.meta.url));

/** Files that are not ours to publish: a clone without them still tests all that it can. */
function needsSharedFiles(context: TestContext): void {
  context.skip(!existsSync(shared), "optional data: the folder shared/h5ad beside the project is not there");
}

describe("real files", () => {
  test("of anndata 0.5, dense with raw", async (context) => {
    needsSharedFiles(context);
    const data = await readH5ad(join(shared, "10x_pbmc68k_reduced.h5ad"));
    expect(data.shape).toEqual([700, 765]);
    expect(data.raw?.X.shape).toEqual([700, 765]);
    expect(data.obs.columns.get("bulk_labels")?.kind).toBe("categorical");
    expect([...data.obsm.keys()]).toEqual(["X_pca", "X_umap"]);
    expect(data.uns.has("bulk_labels_categories")).toBe(false);
    expect(data.skipped).toEqual(["uns/rank_genes_groups/names", "uns/rank_genes_groups/scores"]);
  });

  test("of anndata 0.7, compressed with lzf", async (context) => {
    needsSharedFiles(context);
    const data = await readH5ad(join(shared, "cellarr_adata.h5ad"));
    expect(data.shape).toEqual([30, 20]);
    expect([...data.layers.keys()]).toEqual(["array", "sparse"]);
    expect(data.X?.format === "csr" && data.X.data.length).toBe(239);
    expect(data.skipped).toContain("uns/O_recarray");
  });
});
