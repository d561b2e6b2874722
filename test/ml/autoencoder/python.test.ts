import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { hasTorch } from "../../../scripts/python-env.mjs";
import type { Rows } from "../../../src/ml/autoencoder/batches.js";
import { loadJax } from "../../../src/ml/autoencoder/jax.js";
import { AutoEncoder } from "../../../src/ml/autoencoder/model.js";
import { Trainer } from "../../../src/ml/autoencoder/trainer.js";
import { Sfc32 } from "../../../src/util/random.js";
import "../../../src/autoencoder-node.js";
import { hasPython, runPython } from "../../support/python.js";
import { temporaryFolder } from "../../support/temporary.js";

/** Models that are saved here, read there, and the other way round. */

const GENES = 9;
const genes = Array.from({ length: GENES }, (_, at) => `gène_${at}`);
const random = new Sfc32(4, 5, 6);
const cells = Array.from({ length: 8 }, () =>
  Array.from({ length: GENES }, () => Math.fround(3 * random.uniform())),
);
const batch: Rows = { cellCount: 8, geneCount: GENES, values: Float32Array.from(cells.flat()) };
const data = {
  genes,
  async *train() {
    yield batch;
  },
};

function network(residual: boolean) {
  return { genes: GENES, latent: 3, hidden: [6, 6], residual };
}

async function trained(residual: boolean): Promise<AutoEncoder> {
  const model = new AutoEncoder({ genes, latentDim: 3, hiddenDim: [6, 6], residual, seed: 8 });
  await model.fit(data, { epochs: 3 });
  return model;
}

function expectClose(
  found: readonly (readonly number[])[],
  expected: ArrayLike<number | bigint>,
  most = 1e-5,
) {
  const values = found.flat();
  expect(values.length).toBe(expected.length);
  for (const [at, value] of values.entries()) {
    expect(Math.abs(value - Number(expected[at])), `value ${at}`).toBeLessThan(most);
  }
}

interface SavedModel {
  readonly tensors: Record<string, [number[], string, number]>;
  readonly metadata: Record<"encoder" | "decoder", Record<string, string>>;
  readonly latent: number[][];
  readonly properties: Record<string, string>;
}

describe.skipIf(!hasPython)("safetensors and ONNX in Python", { timeout: 180_000 }, () => {
  it.each([false, true])("are what was saved, residual %s", async (residual) => {
    const model = await trained(residual);
    const folder = await temporaryFolder();
    await model.saveAll(folder);
    const saved = (await runPython("saved_models.py", { folder, cells }, "models")) as SavedModel;
    expect(Object.keys(saved.tensors).sort()).toEqual([...model.weights.keys()].sort());
    for (const [name, { shape, values }] of model.weights) {
      const [foundShape, dtype, sum] = saved.tensors[name]!;
      expect([name, foundShape]).toEqual([name, shape]);
      expect(dtype).toBe(values instanceof BigInt64Array ? "int64" : "float32");
      expect(sum).toBeCloseTo(
        Array.from(values, Number).reduce((a, b) => a + b, 0),
        3,
      );
    }
    for (const metadata of [saved.metadata.encoder, saved.metadata.decoder, saved.properties]) {
      expect(JSON.parse(metadata["cellarr.genes"]!)).toEqual(genes);
      expect(JSON.parse(metadata["cellarr.architecture"]!)).toMatchObject({ options: { residual } });
    }
    expectClose(saved.latent, (await model.encode(batch)).values);
  });
});

const torch = (command: string, args: object) =>
  runPython("torch_autoencoder.py", { command, args }, "torch");

/** The Python code of the documentation that has these words. */
function codeOf(words: string): string {
  const text = readFileSync(new URL("../../../docs/autoencoder.md", import.meta.url), "utf8");
  const found = [...text.matchAll(/^```python\n([\s\S]*?)^```$/gm)].find(([, code]) => code!.includes(words));
  return found![1]!;
}

interface Outputs {
  readonly latent: number[][];
  readonly reconstruction: number[][];
}

describe("PyTorch", { timeout: 900_000 }, () => {
  beforeEach(({ skip }) => {
    skip(!hasTorch(), "optional data: PyTorch, 4.5 GB; CELLARR_TORCH=install lets the tests install it");
  });

  it.each([false, true])(
    "loads what was saved and makes the same of cells, residual %s",
    async (residual) => {
      const model = await trained(residual);
      const folder = await temporaryFolder();
      await model.saveAll(folder);
      const found = (await torch("from_files", { folder, network: network(residual), cells })) as Outputs;
      const latent = await model.encode(batch);
      expectClose(found.latent, latent.values);
      expectClose(found.reconstruction, (await model.decode(latent)).values);
    },
  );

  it.each([false, true])("saves what is loaded here, once converted, residual %s", async (residual) => {
    const folder = join(await temporaryFolder(), "model");
    const args = { folder, network: network(residual), cells, code: codeOf("torch.load") };
    const expected = (await torch("saved_by_reference", args)) as Outputs;
    const model = await AutoEncoder.load(folder, { genes, residual });
    const latent = await model.encode(batch);
    expectClose(expected.latent, latent.values);
    expectClose(expected.reconstruction, (await model.decode(latent)).values);
    expect(model.weights.get("decoder.network.1.2.num_batches_tracked")!.values[0]).toBe(3n);
  });

  it("loads models by the code of the documentation", async () => {
    const names = Array.from({ length: 2000 }, (_, at) => `gene_${at}`);
    const model = new AutoEncoder({ genes: names, latentDim: 64, hiddenDim: [512, 512] });
    const folder = join(await temporaryFolder(), "model");
    await model.saveAll(folder);
    const values = Float32Array.from({ length: 2 * 2000 }, () => random.uniform());
    const rows = [Array.from(values.subarray(0, 2000)), Array.from(values.subarray(2000))];
    const found = await torch("loaded_by_code", { folder, code: codeOf("load_state_dict"), cells: rows });
    const latent = await model.encode({ cellCount: 2, geneCount: 2000, values });
    expectClose(found as number[][], latent.values);
    await model.dispose();
  });

  it("takes the same 20 steps, live", async () => {
    const model = new AutoEncoder({
      genes,
      latentDim: 3,
      hiddenDim: [6, 6],
      seed: 9,
      dropout: 0,
      inputDropout: 0,
    });
    const folder = await temporaryFolder();
    await model.saveAll(folder);
    const batches = Array.from({ length: 20 }, () =>
      cells.map((row) => row.map((value) => Math.fround(value * random.uniform()))),
    );
    const losses = await torch("steps_from_files", { folder, network: network(false), batches });
    const trainer = new Trainer(await loadJax(), model.architecture, model.weights, {
      learningRate: 5e-3,
      weightDecay: 0.01,
    });
    const ours: number[] = [];
    for (const one of batches) ours.push(await trainer.step(Float32Array.from(one.flat()), 8, 0));
    expectClose([ours], losses as number[]);
  });
});
