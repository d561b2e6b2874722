import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { loadJax } from "../../../src/ml/autoencoder/jax.js";
import { AutoEncoder } from "../../../src/ml/autoencoder/model.js";
import { readSafetensors } from "../../../src/ml/autoencoder/safetensors.js";
import { Trainer } from "../../../src/ml/autoencoder/trainer.js";

/** The same weights and batches as PyTorch's, 20 steps of AdamW: spec-fixtures/generate_autoencoder.py. */

function fixture(name: string) {
  const read = (file: string) => {
    const url = new URL(`../../../spec-fixtures/autoencoder/${name}/${file}.safetensors`, import.meta.url);
    return readSafetensors(readFileSync(url), file);
  };
  const { tensors, metadata } = read("data");
  const network = JSON.parse(metadata.get("network")!) as {
    genes: number;
    latent: number;
    hidden: number[];
    residual: boolean;
  };
  const values = (of: string) => tensors.get(of)!.values as Float32Array;
  return { network, values, start: read("start").tensors, end: read("end").tensors };
}

const greatest = (a: ArrayLike<number | bigint>, b: ArrayLike<number | bigint>) => {
  expect(a.length).toBe(b.length);
  return Array.from(a).reduce<number>(
    (most, value, at) => Math.max(most, Math.abs(Number(value) - Number(b[at]))),
    0,
  );
};

/**
 * A bias before batch norm changes nothing: its gradient is what rounding leaves, of which AdamW makes steps of full size,
 * here and there in other directions. The running mean follows it.
 */
const isNoise = (name: string, all: ReadonlyMap<string, unknown>) =>
  name.endsWith(".running_mean") ||
  (name.endsWith(".bias") &&
    all.has(name.replace(/(\d+)\.bias$/, (_, at) => `${Number(at) + 1}.running_mean`)));

describe.each(["plain", "residual"])("20 steps beside PyTorch, %s", (name) => {
  const { network, values, start, end } = fixture(name);
  const { genes, latent, hidden, residual } = network;
  const options = {
    genes: Array.from({ length: genes }, (_, at) => `gene_${at}`),
    latentDim: latent,
    hiddenDim: hidden,
    residual,
    dropout: 0,
    inputDropout: 0,
  };
  const batches = values("batches");
  const size = 16 * genes;

  it("losses and weights are the same", async () => {
    const { architecture } = new AutoEncoder(options);
    const optimizer = { learningRate: 5e-3, weightDecay: 0.01 };
    const trainer = new Trainer(await loadJax(), architecture, start, optimizer);
    const losses: number[] = [];
    for (let step = 0; step < 20; step++) {
      losses.push(await trainer.step(batches.subarray(step * size, (step + 1) * size), 16, 0));
    }
    expect(greatest(losses, values("losses"))).toBeLessThan(1e-5);
    for (const [key, tensor] of await trainer.weights()) {
      const difference = greatest(tensor.values, end.get(key)!.values);
      expect([key, difference < (isNoise(key, end) ? 20 * 5e-3 : 1e-5)]).toEqual([key, true]);
    }
    trainer.dispose();
  });

  it("embeddings and reconstructions are the same", async () => {
    const model = new AutoEncoder({ ...options, weights: end });
    const first = { cellCount: 16, geneCount: genes, values: batches.subarray(0, size) };
    const encoded = await model.encode(first);
    expect(encoded.shape).toEqual([16, latent]);
    expect(greatest(encoded.values, values("latent"))).toBeLessThan(1e-5);
    const decoded = await model.decode(encoded);
    expect(greatest(decoded.values, values("reconstruction"))).toBeLessThan(1e-5);
    expect([...model.weights.keys()].sort()).toEqual([...end.keys()].sort());
    expect(model.weights.get("encoder.network.0.2.num_batches_tracked")!.values[0]).toBe(20n);
    await model.dispose();
  });
});
