import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { temporaryFolder } from "../support/temporary.js";
import { compiledCli } from "./cli.js";

const cli = compiledCli();
const fixture = fileURLToPath(
  new URL("../../spec-fixtures/cellarr-0.3.2/store.plain/dataset", import.meta.url),
);

it("puts a store into a file, with which other commands do as with the store", {
  timeout: 60_000,
}, async () => {
  const file = join(await temporaryFolder(), "store.zip");
  const { code, stdout, stderr } = await cli.run("zip", fixture, file);
  expect(stderr).toBe("");
  expect(stdout).toMatch(/store\.zip: \d+ files, \d/);
  expect(code).toBe(0);
  for (const command of [
    ["query", "--json"],
    ["verify", "--json"],
  ] as const) {
    const [name, ...options] = command;
    const expected = await cli.run(name, fixture, ...options);
    const found = await cli.run(name, file, ...options);
    expect(found.stderr).toBe("");
    const places = { ...JSON.parse(found.stdout), where: "" };
    expect(places).toEqual({ ...JSON.parse(expected.stdout), where: "" });
    expect(found.code).toBe(0);
  }
  const info = JSON.parse((await cli.run("info", `${file}#zip`, "--json")).stdout);
  expect({ ...info, store: "" }).toEqual({
    ...JSON.parse((await cli.run("info", fixture, "--json")).stdout),
    store: "",
  });
  const array = await cli.run("array", "inspect", `${file}#zip/cell_metadata`);
  expect(array.stdout).toContain("cellarr_sample");
});

it("replaces no file unasked", { timeout: 60_000 }, async () => {
  const file = join(await temporaryFolder(), "store.zip");
  await writeFile(file, "something");
  const refused = await cli.run("zip", fixture, file);
  expect(refused.stderr).toMatch(/^cellarr: there is such a file; --overwrite replaces it/);
  expect(refused.code).toBe(1);
  const replaced = await cli.run("zip", fixture, file, "--overwrite", "--json");
  expect(JSON.parse(replaced.stdout)).toMatchObject({ file, files: expect.any(Number) });
  expect(replaced.code).toBe(0);
});

it("says of a damaged file what is wrong with it", { timeout: 60_000 }, async () => {
  const file = join(await temporaryFolder(), "store.zip");
  await writeFile(file, "something that is no zip file");
  const { code, stderr } = await cli.run("info", file);
  expect(stderr).toMatch(/^cellarr: this is no zip file, or its end is missing \(.*store\.zip\)\n$/);
  expect(code).toBe(1);
});
