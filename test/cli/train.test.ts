import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AutoEncoder, readSafetensors } from "../../src/autoencoder-node.js";
import { readH5ad } from "../../src/h5ad-node.js";
import { temporaryFolder } from "../support/temporary.js";
import { compiledCli } from "./cli.js";

const cli = compiledCli();
let folder: string;
let store: string;
const small = ["--label", "cell_type", "--study", "cellarr_sample", "--latent", "3", "--hidden", "8,6"];
const batches = ["--batch-size", "1", "--sample-size", "20", "--epochs", "2"];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cellarr-"));
  store = join(folder, "store");
  const demo = await cli.run("demo", "--out", store, "--cells", "40", "--genes", "60", "--samples", "3");
  expect(demo.code).toBe(0);
}, 120_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

describe("cellarr train and embed", { timeout: 60_000 }, () => {
  it("train a model and embed the store with it", async () => {
    const out = join(await temporaryFolder(), "model");
    const trained = await cli.run("train", store, ...small, ...batches, "--val-study", "sample_3", "-o", out);
    expect(trained.stderr).toBe("");
    expect(trained.stdout).toMatch(
      /^80 cells to train with, 40 for validation, \d+ genes\nepoch 1: loss [\d.]+, validation [\d.]+\nepoch 2: .*\ntrained 2 epochs, 4 steps: /,
    );
    expect(trained.code).toBe(0);
    const model = await AutoEncoder.load(out);
    expect(model.architecture.options).toMatchObject({ latentDim: 3, hiddenDim: [8, 6], residual: false });
    expect(model.weights.get("encoder.network.0.2.num_batches_tracked")!.values[0]).toBe(4n);

    const embedded = await cli.run("embed", store, out, "--json");
    expect(embedded.stderr).toBe("");
    expect(JSON.parse(embedded.stdout)).toEqual({ where: `${store}/embeddings/latent`, shape: [120, 3] });
    const read = await cli.run("array", "read", `${store}/embeddings/latent`, "--range", "cell_index=119");
    expect(read.stdout).toMatch(/value/);
    const file = join(await temporaryFolder(), "latent.h5ad");
    expect((await cli.run("embed", store, out, "-o", file)).stderr).toBe("");
    const adata = await readH5ad(file);
    expect(adata.obsm.get("X_cellarr")).toMatchObject({ shape: [120, 3] });
    expect(adata.obs.columnNames).toContain("cell_type");
    const again = await cli.run("embed", store, out);
    expect([again.code, again.stderr]).toEqual([1, expect.stringMatching(/^cellarr: there is an embedding/)]);
    expect((await cli.run("verify", store)).code).toBe(0);
  });

  it("go on from a checkpoint to the same weights", async () => {
    const folder = await temporaryFolder();
    const train = (out: string, epochs: string, ...more: string[]) =>
      cli.run(
        "train",
        store,
        ...small,
        ...batches,
        "--epochs",
        epochs,
        "-o",
        join(folder, out),
        "--json",
        ...more,
      );
    const whole = await train("whole", "3");
    const checkpoint = ["--checkpoint", join(folder, "state")];
    await train("part", "1", ...checkpoint);
    const resumed = await train("part", "3", ...checkpoint, "--resume", "--overwrite");
    expect(resumed.stderr).toBe("");
    expect({ ...JSON.parse(resumed.stdout), model: "" }).toEqual({ ...JSON.parse(whole.stdout), model: "" });
    const weights = async (out: string) =>
      readSafetensors(await readFile(join(folder, out, "encoder.safetensors")), out).tensors;
    expect(await weights("part")).toEqual(await weights("whole"));
  });

  it("say what is wrong", async () => {
    const out = join(await temporaryFolder(), "model");
    const wrong: [string[], number, RegExp][] = [
      [["--latent", "x"], 2, /--latent x: expected a whole number/],
      [["--dropout", "two"], 2, /--dropout two: expected a number/],
      [["--resume"], 2, /--resume needs --checkpoint/],
      [["--label", "none"], 1, /none/],
      [["--genes", "unknown"], 1, /unknown/],
      [["--residual"], 1, /one size for all layers/],
    ];
    for (const [options, code, message] of wrong) {
      const { stderr, ...outcome } = await cli.run("train", store, ...small, ...options, "-o", out);
      expect([options, outcome.code]).toEqual([options, code]);
      expect(stderr).toMatch(message);
    }
    const missing = await cli.run("embed", store, out);
    expect([missing.code, missing.stderr]).toEqual([
      1,
      expect.stringMatching(/no file 'encoder.safetensors'/),
    ]);
    for (const command of ["train", "embed"]) {
      expect((await cli.run(command, "--help")).stdout).toContain("@jax-js/jax");
    }
  });
});
