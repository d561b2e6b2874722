import { cp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { temporaryFolder } from "../support/temporary.js";
import { compiledCli } from "./cli.js";

const cli = compiledCli();
const fixture = fileURLToPath(
  new URL("../../spec-fixtures/cellarr-0.3.2/store.plain/dataset", import.meta.url),
);

it("says that nothing is wrong with a store", async () => {
  const { code, stdout } = await cli.run("verify", fixture);
  expect(stdout).toMatch(/^nothing is wrong; 4 parts read, .* of tiles\n$/);
  expect(code).toBe(0);
});

it("fails for errors, not for warnings, and tells each as text or JSON", { timeout: 30_000 }, async () => {
  const store = join(await temporaryFolder(), "store");
  await cp(fixture, store, { recursive: true });
  await writeFile(join(store, "notes.txt"), "x");
  const warned = await cli.run("verify", store);
  expect(warned.stdout).toContain("warning [unknown-file] a file that belongs to no part of the store");
  expect(warned.code).toBe(0);
  await rm(join(store, "gene_annotation"), { recursive: true });
  const failed = await cli.run("verify", store, "--json");
  expect(failed.code).toBe(1);
  expect(failed.stderr).toContain("cellarr: the store has 1 error");
  expect(JSON.parse(failed.stdout)).toMatchObject({
    ok: false,
    defects: [
      { kind: "missing-part", severity: "error", message: "the part 'gene_annotation' is not there" },
      { kind: "unknown-file", severity: "warning" },
    ],
  });
});

it("fails where there is no store", async () => {
  const { code, stderr } = await cli.run("verify", "/nowhere/at/all");
  expect(stderr).toMatch(/^cellarr: no such folder/);
  expect(code).toBe(1);
});
