import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildIfStale } from "../../scripts/build.mjs";
import { AutoEncoder, type Tensor } from "../../src/autoencoder-node.js";
import { type FolderServer, serveFolders } from "../support/folder-server.js";
import { keptFolder } from "../support/temporary.js";
import { bundle } from "./bundle.js";
import { inBrowser, type Page } from "./chromium.js";
import { ask, type Switched, type Trained, type TrainTask, train } from "./program/train.mjs";
import { installPackage } from "./setting.js";

/** The autoencoder where it trains in a page: in WebAssembly, with threads or without, and on WebGPU. */

let folder: Awaited<ReturnType<typeof keptFolder>>;
let plain: FolderServer;
let isolated: FolderServer;

beforeAll(async () => {
  await buildIfStale();
  folder = await keptFolder();
  const installed = await installPackage(join(folder.path, "installed"), ["@jax-js/jax"]);
  const site = join(folder.path, "site");
  await mkdir(site);
  for (const { name, code } of await bundle(join(installed, "train-page.mjs"))) {
    await writeFile(join(site, name), code);
  }
  await writeFile(
    join(site, "page.html"),
    `<!doctype html><meta charset="utf-8"><title>cellarr</title><body><script type="module" src="main.js"></script>`,
  );
  plain = await serveFolders({ site });
  isolated = await serveFolders(
    { site },
    { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" },
  );
});
afterAll(async () => {
  await plain.close();
  await isolated.close();
  await folder.remove();
});

/** Chromium brings SwiftShader, an adapter in software, which pages get to see with these flags only. */
const SOFTWARE_WEBGPU = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];

const SMALL = { geneCount: 40, cellCount: 32, hiddenDim: [16], latentDim: 4, dropout: 0.25, steps: 5 };
const LARGER = { geneCount: 200, cellCount: 64, hiddenDim: [64], latentDim: 20, dropout: 0.4, steps: 3 };

const here = new Map<TrainTask, Promise<Trained>>();

/** The same by the sources, in this Node. */
function trainedHere(task: TrainTask): Promise<Trained> {
  if (!here.has(task)) here.set(task, train({ AutoEncoder }, task));
  return here.get(task)!;
}

async function openPage(page: Page, server: FolderServer): Promise<string[]> {
  await page.goto(`${server.url}/site/page.html`);
  await page.waitForFunction("globalThis.trainOn !== undefined");
  return (await page.evaluate("devices()")) as string[];
}

const call = async <T>(page: Page, name: string, argument: unknown): Promise<T> =>
  (await page.evaluate(`${name}(${JSON.stringify(argument)})`)) as T;

/**
 * Biases before batch norm, which takes them out: their slopes are rounding alone, which AdamW makes large. What they are
 * shows in running means.
 */
function isFree(name: string, names: ReadonlySet<string>): boolean {
  if (name.endsWith(".running_mean")) return true;
  return /network\.\d+\.\d+\.bias$/.test(name) && !names.has(name.replace(/bias$/, "running_mean"));
}

/** Numbers are float32, after 9 or 15 steps; validation goes by running means. */
async function expectAsHere(found: Trained, task: TrainTask): Promise<void> {
  const expected = await trainedHere(task);
  expectClose(found.losses, expected.losses, 5e-5);
  expect(found.losses.at(-1)).toBeLessThan(0.9 * found.losses[0]!);
  expectClose(found.valLosses, expected.valLosses, 5e-3);
  const names = new Set(found.weights.map(([name]) => name));
  expect([...names]).toEqual(expected.weights.map(([name]) => name));
  for (const [at, [name, values]] of found.weights.entries()) {
    if (!isFree(name, names)) expectClose(values, expected.weights[at]![1], 1e-4, name);
  }
  const model = withWeights(found, task);
  const asked = await ask(model, task.cellCount);
  await model.dispose();
  expectClose(found.latent, asked.latent, 2e-6);
  expectClose(found.decoded, asked.decoded, 2e-6);
}

function expectClose(found: readonly number[], expected: readonly number[], most: number, what = "") {
  expect(found.length).toBe(expected.length);
  const differences = found.map((value, at) => Math.abs(value - expected[at]!));
  const worst = differences.reduce((a, b) => Math.max(a, b), 0);
  expect(worst, what).toBeLessThanOrEqual(most);
}

/** A model in this Node with the weights that the page has found. */
function withWeights(found: Trained, { geneCount, ...sizes }: TrainTask): AutoEncoder {
  const genes = Array.from({ length: geneCount }, (_, at) => `gene_${at}`);
  const { parameters, statistics } = new AutoEncoder({ genes, ...sizes }).architecture;
  const shapes = { ...parameters, ...statistics };
  const weights = found.weights
    .filter(([name]) => name in shapes)
    .map(([name, values]): [string, Tensor] => [
      name,
      { shape: shapes[name]!.shape, values: Float32Array.from(values) },
    ]);
  return new AutoEncoder({ genes, ...sizes, weights: new Map(weights) });
}

describe("the autoencoder in a page in Chromium, bundled", () => {
  it("trains and encodes as in Node, in WebAssembly", async (context) => {
    await inBrowser(context, async (page) => {
      expect(await openPage(page, plain)).toContain("wasm");
      await expectAsHere(await call(page, "trainOn", { device: "wasm", ...SMALL }), SMALL);
      expect(page.workers()).toEqual([]);
    });
  }, 120_000);

  it("does so in threads where the page is isolated", async (context) => {
    await inBrowser(context, async (page) => {
      await openPage(page, isolated);
      expect(await page.evaluate("crossOriginIsolated")).toBe(true);
      await expectAsHere(await call(page, "trainOn", { device: "wasm", ...LARGER }), LARGER);
      expect(page.workers().length).toBeGreaterThan(0);
    });
  }, 120_000);

  it("does so on WebGPU, by an adapter in software", async (context) => {
    await inBrowser(
      context,
      async (page) => {
        const devices = await openPage(page, plain);
        context.skip(!devices.includes("webgpu"), "needs a Chromium with a WebGPU adapter in software");
        for (const task of [SMALL, LARGER]) {
          await expectAsHere(await call(page, "trainOn", { device: "webgpu", ...task }), task);
        }
      },
      SOFTWARE_WEBGPU,
    );
  }, 120_000);

  it("stays on its device when the default one changes", async (context) => {
    await inBrowser(
      context,
      async (page) => {
        const devices = await openPage(page, plain);
        context.skip(!devices.includes("webgpu"), "needs a Chromium with a WebGPU adapter in software");
        for (const [from, to] of [
          ["wasm", "webgpu"],
          ["webgpu", "wasm"],
        ]) {
          const found = await call<Switched>(page, "switchDevices", { from, to });
          expect(found.after).toEqual(found.before);
          expectClose(found.again, found.before, 2e-6);
          expect(found.switched).toEqual(found.steady);
        }
      },
      SOFTWARE_WEBGPU,
    );
  }, 120_000);
});
