import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { writeH5ad } from "../../src/h5ad-node.js";
import { experiment } from "../cellarr/samples.js";
import { temporaryFolder } from "../support/temporary.js";
import { compiledCli } from "./cli.js";

/** `cellarr append`, `cellarr drop-sample` and dry runs of builds. */

const cli = compiledCli();
const tenx = fileURLToPath(new URL("../../spec-fixtures/tenx/v3.h5", import.meta.url));

describe("append and drop-sample", () => {
  it("add samples to a store and take them out", async () => {
    const folder = await temporaryFolder();
    const [a, b, store] = [join(folder, "a.h5ad"), join(folder, "b.h5ad"), join(folder, "store")];
    await writeH5ad(experiment({ genes: ["a", "b"], rows: [[1, 2]], obs: { tissue: ["lung"] } }), a);
    await writeH5ad(experiment({ genes: ["c"], rows: [[3], [4]], obs: { tissue: ["gut", "eye"] } }), b);
    const built = await cli.run(
      "build",
      "--out",
      store,
      "--matrix",
      "counts:uint32",
      "--cell-column",
      "tissue",
      a,
    );
    expect(built.code).toBe(0);
    const appended = await cli.run("append", store, "--json", b);
    expect(appended.stderr).toBe("");
    expect(JSON.parse(appended.stdout)).toEqual({ store, samples: ["sample_2"], newCells: 2, newGenes: 1 });
    const text = await cli.run("append", store, tenx, "--matrix", "counts=X", "--feature-column", "gene_ids");
    expect(text.stdout).toBe(`${store}: 9 cells and 14 genes more; samples sample_3\n`);
    const dropped = await cli.run("drop-sample", store, "sample_3");
    expect(dropped.stdout).toBe(`${store}: without sample_3, 9 cells fewer\n`);
    const query = await cli.run("query", store, "--genes", "a,b,c", "--format", "json");
    expect(JSON.parse(query.stdout)).toMatchObject({
      shape: [3, 3],
      matrices: { counts: { row: [0, 0, 1, 2], col: [0, 1, 2, 2], data: [1, 2, 3, 4] } },
      cellMetadata: { tissue: ["lung", "gut", "eye"] },
    });
    const unknown = await cli.run("drop-sample", store, "sample_9");
    expect(unknown).toMatchObject({ code: 1, stdout: "" });
    expect(unknown.stderr).toContain("no sample 'sample_9'");
    expect((await cli.run("append", store, b, "--new-genes", "maybe")).code).toBe(2);
    const other = await cli.run("append", store, tenx, "--new-genes", "error");
    expect(other.code).toBe(1);
  });

  it("a dry run writes nothing, and fails where the build would", async () => {
    const folder = await temporaryFolder();
    const [a, store] = [join(folder, "a.h5ad"), join(folder, "store")];
    await writeH5ad(experiment({ genes: ["a", "b"], rows: [[1, 300]] }), a);
    const good = await cli.run("build", "--dry-run", "--out", store, "--json", a);
    expect(good.code).toBe(0);
    expect(JSON.parse(good.stdout)).toMatchObject({ ok: true, cells: 1, genes: { total: 2 } });
    const bad = await cli.run("build", "--dry-run", "--out", store, "--matrix", "counts:uint8", a);
    expect(bad.code).toBe(1);
    expect(bad.stdout).toContain("300 in cell 0");
    expect(bad.stderr).toContain("the build would fail: 1 error");
    expect(existsSync(store)).toBe(false);
  });
});
