import { describe, expect, it, vi } from "vitest";
import {
  disposeAll,
  type Jax,
  type JaxArray,
  type JaxArrays,
  loadJax,
} from "../../../src/ml/autoencoder/jax.js";
import {
  allSpecs,
  batchNorm,
  type LayerSpecs,
  Layers,
  linear,
  prelu,
} from "../../../src/ml/autoencoder/layers.js";
import { autoencoderNetwork } from "../../../src/ml/autoencoder/network.js";
import { pass } from "../../../src/ml/autoencoder/trainer.js";
import { startWeights } from "../../../src/ml/autoencoder/weights.js";
import { Sfc32 } from "../../../src/util/random.js";

/** Gradients of each layer against differences of its values, in float64. */

// The library asks of float64 whether it is this, which Node has from 24 on.
if (!("Float16Array" in globalThis)) vi.stubGlobal("Float16Array", class {});

const ROWS = 5;
const SIZE = 3;
const STEP = 1e-5;
const jax: Jax = await loadJax();

type Values = Record<string, { readonly shape: readonly number[]; readonly values: Float64Array }>;
type Loss = (arrays: JaxArrays) => JaxArray;

const random = new Sfc32(1, 2, 3);
const someValues = (count: number) => Float64Array.from({ length: count }, () => 4 * random.uniform() - 2);

const float64 = (values: Float64Array) => jax.numpy.array(values.slice());

const upload = (values: Values): JaxArrays =>
  Object.fromEntries(
    Object.entries(values).map(([name, { shape, values }]) => [name, float64(values).reshape([...shape])]),
  );

async function numberOf(loss: Loss, values: Values): Promise<number> {
  return (await loss(upload(values)).data())[0]!;
}

/** The slope in each value of each array, by central differences. */
async function differences(loss: Loss, values: Values): Promise<Record<string, number[]>> {
  const slopes: Record<string, number[]> = {};
  for (const [name, { values: numbers }] of Object.entries(values)) {
    slopes[name] = [];
    for (let at = 0; at < numbers.length; at++) {
      const before = numbers[at]!;
      numbers[at] = before + STEP;
      const above = await numberOf(loss, values);
      numbers[at] = before - STEP;
      const below = await numberOf(loss, values);
      numbers[at] = before;
      slopes[name].push((above - below) / (2 * STEP));
    }
  }
  return slopes;
}

async function expectSlopes(loss: Loss, values: Values): Promise<void> {
  const gradients = jax.grad(loss)(upload(values)) as unknown as JaxArrays;
  const compiled = jax.jit(loss);
  const expected = await differences(compiled as Loss, values);
  compiled.dispose();
  let largest = 0;
  for (const [name, slopes] of Object.entries(expected)) {
    const gradient = Array.from(await gradients[name]!.data());
    expect(gradient.length).toBe(slopes.length);
    for (const [at, slope] of slopes.entries()) {
      const difference = Math.abs(Number(gradient[at]) - slope) / (1 + Math.abs(slope));
      expect(difference, `${name}[${at}]: ${gradient[at]}, not ${slope}`).toBeLessThan(1e-6);
    }
    largest = Math.max(largest, ...slopes.map(Math.abs));
  }
  expect(largest).toBeGreaterThan(0.01);
}

function inputsOf({ parameters }: LayerSpecs, columns: number): Values {
  const values: Values = { x: { shape: [ROWS, columns], values: someValues(ROWS * columns) } };
  for (const [name, { shape }] of Object.entries(parameters)) {
    values[name] = { shape, values: someValues(shape.reduce((a, b) => a * b, 1)) };
  }
  return values;
}

/** A layer's outputs, each with a weight of its own, as one number. */
function lossOf(
  specs: LayerSpecs,
  training: boolean,
  apply: (layers: Layers, x: JaxArray) => JaxArray,
): Loss {
  const weights = someValues(ROWS * SIZE);
  return ({ x, ...parameters }) => {
    const statistics = Object.fromEntries(
      Object.entries(specs.statistics).map(([name, { shape }], at) => [
        name,
        float64(Float64Array.from({ length: shape[0]! }, (_, i) => 0.5 + i + at)),
      ]),
    );
    const key = training ? jax.numpy.array(Uint32Array.of(5, 6)) : null;
    const layers = new Layers(jax, parameters, statistics, key);
    const output = apply(layers, x!);
    disposeAll(layers.finish());
    return output.mul(float64(weights).reshape([ROWS, SIZE])).sum();
  };
}

const nothing: LayerSpecs = { parameters: {}, statistics: {} };
const cases: [string, LayerSpecs, boolean, (layers: Layers, x: JaxArray) => JaxArray][] = [
  ["linear", linear("l", SIZE, SIZE), true, (layers, x) => layers.linear("l", x)],
  ["batch norm, training", batchNorm("b", SIZE), true, (layers, x) => layers.batchNorm("b", x)],
  ["batch norm, asked", batchNorm("b", SIZE), false, (layers, x) => layers.batchNorm("b", x)],
  ["PReLU", prelu("p"), true, (layers, x) => layers.prelu("p", x)],
  ["dropout", nothing, true, (layers, x) => layers.dropout(0.4, x)],
  ["rows of length 1", nothing, true, (layers, x) => layers.normalize(x)],
];

describe("gradients", () => {
  it.each(cases)("%s", async (_name, specs, training, apply) => {
    await expectSlopes(lossOf(specs, training, apply), inputsOf(specs, SIZE));
  });

  it.each([false, true])("the whole network, residual %s", async (residual) => {
    const network = autoencoderNetwork(4, {
      latentDim: 2,
      hiddenDim: [3, 3],
      dropout: 0.2,
      inputDropout: 0.2,
      residual,
    });
    const values: Values = { x: { shape: [ROWS, 4], values: someValues(ROWS * 4) } };
    for (const [name, { shape, values: start }] of startWeights(network.parameters, 3)) {
      values[name] = { shape, values: Float64Array.from(start as Float32Array) };
    }
    const loss: Loss = ({ x, ...parameters }) => {
      const statistics = Object.fromEntries(
        Object.entries(network.statistics).map(([name, { shape }]) => [
          name,
          float64(new Float64Array(shape[0]!)),
        ]),
      );
      const layers = new Layers(jax, parameters, statistics, jax.numpy.array(Uint32Array.of(1, 2)));
      const [mean, after] = pass(jax, network, layers, x!);
      disposeAll(after);
      return mean;
    };
    await expectSlopes(loss, values);
  });

  it("dropout keeps the share it is to keep, scaled, and nothing is dropped when asked", async () => {
    const x = () => jax.numpy.ones([200, 100]);
    const training = new Layers(jax, {}, {}, jax.numpy.array(Uint32Array.of(1, 2)));
    const values = Array.from(await training.dropout(0.4, x()).data());
    training.finish();
    const kept = values.filter((value) => value !== 0);
    expect(new Set(kept).size).toBe(1);
    expect(kept[0]).toBeCloseTo(1 / 0.6, 6);
    // 20,000 values: the share's standard deviation is 0.0035.
    expect(Math.abs(kept.length / values.length - 0.6)).toBeLessThan(0.015);
    const asked = new Layers(jax, {}, {}, null);
    expect(new Set(await asked.dropout(0.4, x()).data())).toEqual(new Set([1]));
  });

  it("batch norm keeps running statistics with a share of 0.1, the variance without bias", async () => {
    const specs = allSpecs([batchNorm("b", 1)]);
    const upload = (names: typeof specs.parameters) =>
      Object.fromEntries(
        [...startWeights(names, 0)].map(([name, { values }]) => [
          name,
          jax.numpy.array((values as Float32Array).slice()),
        ]),
      );
    const layers = new Layers(
      jax,
      upload(specs.parameters),
      upload(specs.statistics),
      jax.numpy.array(Uint32Array.of(1, 2)),
    );
    layers.batchNorm("b", jax.numpy.array([[1], [2], [6]])).dispose();
    const after = layers.finish();
    expect((await after["b.running_mean"]!.data())[0]).toBeCloseTo(0.3, 6);
    expect((await after["b.running_var"]!.data())[0]).toBeCloseTo(0.9 + 0.7, 6);
  });
});
