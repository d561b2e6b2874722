import { afterEach, describe, expect, it } from "vitest";
import { AbortedError, ArgumentError, FormatError, NotFoundError, ValueError } from "../../../src/errors.js";
import type { Batches, EpochOptions } from "../../../src/ml/autoencoder/batches.js";
import { CHECKPOINT_FILE } from "../../../src/ml/autoencoder/checkpoint.js";
import type { EpochReport, StepReport } from "../../../src/ml/autoencoder/fit.js";
import { AutoEncoder } from "../../../src/ml/autoencoder/model.js";
import { MemoryStore } from "../../../src/storage/memory.js";
import { Sfc32 } from "../../../src/util/random.js";

/** Training, and what is kept of it. */

const genes = Array.from({ length: 12 }, (_, at) => `gene_${at}`);
const small = { genes, latentDim: 3, hiddenDim: [8, 8] };
const models: AutoEncoder[] = [];

afterEach(async () => {
  for (const model of models.splice(0)) await model.dispose();
});

function model(options: Partial<ConstructorParameters<typeof AutoEncoder>[0]> = {}): AutoEncoder {
  const one = new AutoEncoder({ ...small, ...options });
  models.push(one);
  return one;
}

/** Two kinds of cells, with other genes each; the last batch has one cell. */
function batches(batchCount = 5, parts: Partial<Batches> = {}): Batches {
  const batch = (epoch: number, step: number, cellCount: number) => {
    const random = new Sfc32(7, epoch, step);
    const values = Float32Array.from({ length: cellCount * 12 }, (_, at) => {
      const kind = Math.floor(at / 12) % 2;
      return at % 2 === kind ? random.uniform() + 1 : 0.1 * random.uniform();
    });
    return { cellCount, geneCount: 12, values };
  };
  return {
    genes,
    labelNames: ["a", "b"],
    async *train({ epoch = 0, from = 0 }: EpochOptions = {}) {
      for (let step = from; step < batchCount; step++)
        yield batch(epoch, step, step === batchCount - 1 ? 1 : 16);
    },
    async *val() {
      yield batch(1000, 0, 16);
    },
    ...parts,
  };
}

const numbers = (one: AutoEncoder) =>
  Object.fromEntries([...one.weights].map(([name, { values }]) => [name, Array.from(values, Number)]));

describe("fit", () => {
  it("makes the losses smaller and reports steps and epochs", async () => {
    const steps: StepReport[] = [];
    const epochs: EpochReport[] = [];
    const one = model({ dropout: 0.1, inputDropout: 0.1 });
    const result = await one.fit(batches(), {
      epochs: 12,
      onStep: (report) => steps.push(report),
      onEpoch: (report) => epochs.push(report),
    });
    expect(result).toEqual({ epochs, steps: 48, stoppedEarly: false });
    // The batch of one cell is passed over.
    expect(steps.slice(0, 5).map(({ epoch, step, cells }) => [epoch, step, cells])).toEqual([
      [0, 1, 16],
      [0, 2, 16],
      [0, 3, 16],
      [0, 4, 16],
      [1, 1, 16],
    ]);
    expect(epochs[0]!.trainLoss).toBeCloseTo(
      steps.slice(0, 4).reduce((sum, { loss }) => sum + loss / 4, 0),
      10,
    );
    expect(epochs.at(-1)!.trainLoss).toBeLessThan(0.5 * epochs[0]!.trainLoss);
    expect(epochs.at(-1)!.valLoss!).toBeLessThan(0.5 * epochs[0]!.valLoss!);
    expect(one.labels).toEqual(["a", "b"]);
    expect(one.weights.get("decoder.network.0.1.num_batches_tracked")!.values[0]).toBe(48n);
  });

  it("gives losses of many values to six digits", async () => {
    const [cellCount, geneCount] = [256, 2000];
    const names = Array.from({ length: geneCount }, (_, at) => `gene_${at}`);
    const random = new Sfc32(3, 0, 0);
    const values = Float32Array.from({ length: cellCount * geneCount }, () => 2 * random.uniform());
    const batch = { cellCount, geneCount, values };
    const one = model({ genes: names, hiddenDim: [2] });
    async function* once() {
      yield batch;
    }
    const { epochs } = await one.fit({ genes: names, train: once, val: once }, { epochs: 1 });
    const decoded = (await one.decode(await one.encode(batch))).values as Float32Array;
    const sum = values.reduce((total, value, at) => total + (decoded[at]! - value) ** 2, 0);
    expect(epochs[0]!.valLoss! / (sum / values.length)).toBeCloseTo(1, 6);
  });

  it("the same seed makes the same weights, another one others", async () => {
    const train = async (seed: number) => {
      const one = model({ seed });
      await one.fit(batches(), { epochs: 2 });
      return numbers(one);
    };
    const first = await train(1);
    expect(await train(1)).toEqual(first);
    expect(await train(2)).not.toEqual(first);
  });

  it.each([{ everySteps: 2 }, {}])("goes on from a checkpoint as if it had not ended: %o", async (every) => {
    const options = { epochs: 3, learningRate: 1e-2 };
    const whole = model({ seed: 3 });
    const expected = await whole.fit(batches(), options);
    const place = { store: new MemoryStore(), path: "training" };
    const controller = new AbortController();
    const onStep = ({ epoch, step }: StepReport) => {
      if (epoch === 1 && step === 3) controller.abort();
    };
    const checkpoint = { place, ...every };
    await expect(
      model({ seed: 3 }).fit(batches(), { ...options, checkpoint, onStep, signal: controller.signal }),
    ).rejects.toThrow(AbortedError);
    const resumed = model({ seed: 3 });
    const steps: StepReport[] = [];
    const result = await resumed.fit(batches(), {
      ...options,
      checkpoint: { ...checkpoint, resume: true },
      onStep: (report) => steps.push(report),
    });
    expect([steps[0]!.epoch, steps[0]!.step]).toEqual([1, "everySteps" in every ? 3 : 1]);
    expect(result).toEqual(expected);
    expect(numbers(resumed)).toEqual(numbers(whole));
  });

  it("refuses the checkpoint of another training, and a corrupt one", async () => {
    const store = new MemoryStore();
    const checkpoint = { place: { store, path: "" }, resume: true };
    await model().fit(batches(), { epochs: 1, checkpoint });
    const other = model({ hiddenDim: [9] }).fit(batches(), { checkpoint });
    await expect(other).rejects.toThrow(/another training: its cellarr.architecture differs/);
    const slower = model().fit(batches(), { checkpoint, learningRate: 1e-4 });
    await expect(slower).rejects.toThrow(/its cellarr.fit differs/);
    const bytes = (await store.get(CHECKPOINT_FILE))!;
    await store.put(CHECKPOINT_FILE, bytes.subarray(0, bytes.length - 5));
    await expect(model().fit(batches(), { checkpoint })).rejects.toThrow(FormatError);
  });

  it("ends when the loss does not fall any more", async () => {
    const one = model();
    // Of weights that hardly change no epoch is better by 1.
    const options = { epochs: 50, learningRate: 1e-9, earlyStop: { patience: 2, minDelta: 1 } };
    const { epochs, stoppedEarly } = await one.fit(batches(), options);
    expect([epochs.length, stoppedEarly]).toEqual([3, true]);
  });

  it("limits the batches of an epoch", async () => {
    const asked: number[] = [];
    const counting = batches(5, {
      async *train(options) {
        for await (const batch of batches().train(options)) {
          asked.push(batch.cellCount);
          yield batch;
        }
      },
    });
    const { steps } = await model().fit(counting, { epochs: 2, limitTrainBatches: 2, limitValBatches: 0 });
    expect([steps, asked.length]).toEqual([4, 4]);
  });

  it("keeps the weights of the last step when it is aborted", async () => {
    const one = model();
    const controller = new AbortController();
    const before = numbers(one);
    const onStep = ({ step }: StepReport) => step === 3 && controller.abort();
    const training = one.fit(batches(), { onStep, signal: controller.signal });
    await expect(training).rejects.toThrow(AbortedError);
    expect(numbers(one)).not.toEqual(before);
    expect(one.weights.get("encoder.network.0.2.num_batches_tracked")!.values[0]).toBe(3n);
  });

  it("throws for batches of other genes, without cells, and values that are no numbers", async () => {
    const swapped = [genes[1]!, genes[0]!, ...genes.slice(2)];
    await expect(model().fit(batches(5, { genes: swapped }))).rejects.toThrow(
      /first differences: 0: 'gene_1', expected 'gene_0'; 1: 'gene_0', expected 'gene_1'/,
    );
    await expect(model().fit(batches(1))).rejects.toThrow(ArgumentError);
    const broken = batches(1, {
      async *train() {
        yield { cellCount: 2, geneCount: 12, values: new Float32Array(24).fill(Number.NaN) };
      },
    });
    await expect(model().fit(broken)).rejects.toThrow(ValueError);
    for (const options of [
      { epochs: 0 },
      { limitTrainBatches: 1.5 },
      { learningRate: 0 },
      { weightDecay: -1 },
    ]) {
      await expect(model().fit(batches(), options)).rejects.toThrow(ArgumentError);
    }
  });
});

it("a network that fails says why, and the model stays what it was", async () => {
  const { architecture } = model();
  let isBroken = false;
  const failing: typeof architecture = {
    ...architecture,
    decode(layers, z) {
      if (isBroken) throw new TypeError("no such layer");
      return architecture.decode(layers, z);
    },
  };
  const one = model({ architecture: failing });
  const before = numbers(one);
  isBroken = true;
  await expect(one.fit(batches())).rejects.toThrow("no such layer");
  expect(numbers(one)).toEqual(before);
  isBroken = false;
  expect((await one.fit(batches(), { epochs: 1 })).steps).toBe(4);
});

describe("encode and decode", () => {
  it("take dense and compressed batches of any number of cells", async () => {
    const one = model();
    const { value: batch } = await batches(2).train()[Symbol.asyncIterator]().next();
    const dense = await one.encode(batch);
    expect(dense.shape).toEqual([16, 3]);
    for (let cell = 0; cell < 16; cell++) {
      const row = Array.from(dense.values.subarray(3 * cell, 3 * cell + 3), Number);
      expect(Math.hypot(...row)).toBeCloseTo(1, 5);
    }
    const values = batch.values as Float32Array;
    const indptr = Uint32Array.from({ length: 17 }, (_, cell) => cell * 12);
    const indices = Int32Array.from({ length: values.length }, (_, at) => at % 12);
    const sparse = await one.encode({ ...batch, values: { indptr, indices, values } });
    expect(sparse).toEqual(dense);
    const five = await one.encode({ cellCount: 5, geneCount: 12, values: values.subarray(0, 60) });
    expect(five.shape).toEqual([5, 3]);
    for (const [at, value] of (five.values as Float32Array).entries())
      expect(value).toBeCloseTo(Number(dense.values[at]), 6);
    expect((await one.decode(five)).shape).toEqual([5, 12]);
    expect((await one.encode({ cellCount: 0, geneCount: 12, values: new Float32Array(0) })).shape).toEqual([
      0, 3,
    ]);
  });

  it("refuse other shapes", async () => {
    const batch = { cellCount: 1, geneCount: 3, values: new Float32Array(3) };
    await expect(model().encode(batch)).rejects.toThrow(/3 genes, the model has 12/);
    const latent = { format: "dense", shape: [1, 4], values: new Float32Array(4) } as const;
    await expect(model().decode(latent)).rejects.toThrow(/4 columns/);
  });
});

describe("files", () => {
  it("keep all of a model", async () => {
    const store = new MemoryStore();
    const one = model({ residual: true, dropout: 0.3 });
    await one.fit(batches(5, { reader: { normalisation: { lognorm: true, targetSum: 500 } } }), {
      epochs: 1,
    });
    await one.saveAll({ store, path: "model" });
    expect((await store.list("model")).map(({ key }) => key)).toEqual([
      "model/decoder.safetensors",
      "model/encoder.onnx",
      "model/encoder.safetensors",
    ]);
    const loaded = await AutoEncoder.load({ store, path: "model" }, { genes });
    models.push(loaded);
    expect(numbers(loaded)).toEqual(numbers(one));
    expect(loaded.genes).toEqual(genes);
    expect(loaded.labels).toEqual(["a", "b"]);
    expect(loaded.normalisation).toEqual({ lognorm: true, targetSum: 500 });
    expect(loaded.architecture.options).toEqual(one.architecture.options);
  });

  it("are refused with other genes, and where something is missing or corrupt", async () => {
    const store = new MemoryStore();
    const place = { store, path: "model" };
    await model().saveAll(place, { onnx: false });
    await expect(AutoEncoder.load(place, { genes: [...genes.slice(0, 10), "x"] })).rejects.toThrow(
      /11 genes, expected 12\); first differences: 10: 'x', expected 'gene_10'; 11: none, expected 'gene_11'/,
    );
    await expect(AutoEncoder.load({ store, path: "other" })).rejects.toThrow(NotFoundError);
    const bytes = (await store.get("model/decoder.safetensors"))!;
    for (let length = 0; length < bytes.length; length += 97) {
      await store.put("model/decoder.safetensors", bytes.slice(0, length));
      await expect(AutoEncoder.load(place)).rejects.toThrow(FormatError);
    }
  });

  it("without metadata need genes, and say the sizes by their shapes", async () => {
    const { weights } = model();
    const { writeSafetensors } = await import("../../../src/ml/autoencoder/safetensors.js");
    const store = new MemoryStore();
    for (const part of ["encoder", "decoder"]) {
      const entries = [...weights].filter(([name]) => name.startsWith(part));
      const named = new Map(entries.map(([name, tensor]) => [name.slice(8), tensor]));
      await store.put(`${part}.safetensors`, writeSafetensors(named, {}));
    }
    await expect(AutoEncoder.load({ store, path: "" })).rejects.toThrow(/pass \{ genes \}/);
    const loaded = await AutoEncoder.load({ store, path: "" }, { genes, residual: true });
    expect(loaded.architecture.options).toMatchObject({ latentDim: 3, hiddenDim: [8, 8], residual: true });
  });
});

it("refuses networks that are none", () => {
  for (const options of [
    { latentDim: 0 },
    { hiddenDim: [] },
    { hiddenDim: [4, 5], residual: true },
    { dropout: 1 },
    { inputDropout: -0.1 },
    { genes: ["a", "a"] },
  ]) {
    expect(() => model(options), JSON.stringify(options)).toThrow(ArgumentError);
  }
});
