import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import type { FixedColumn } from "../../../src/array/columns.js";
import { openArray } from "../../../src/array/open.js";
import { createArray } from "../../../src/array/write/create.js";
import type { CellArrDataset } from "../../../src/cellarr/dataset.js";
import { verifyStore } from "../../../src/cellarr/verify/verify-store.js";
import { AbortedError, ExistsError, NotFoundError } from "../../../src/errors.js";
import { embedDataset, withEmbedding, writeEmbedding } from "../../../src/ml/autoencoder/embed-store.js";
import { AutoEncoder } from "../../../src/ml/autoencoder/model.js";
import { DataModule } from "../../../src/ml/data-module.js";
import { MemoryStore } from "../../../src/storage/memory.js";
import { hasPython, runPython } from "../../support/python.js";
import { temporaryFolder } from "../../support/temporary.js";
import { columns, drawLabels, storeOf } from "../stores.js";

/** A model trained on a store, and what the store is given of it. */

const root = fileURLToPath(new URL("../../..", import.meta.url));
const run = promisify(execFile);
const store = new MemoryStore();
let dataset: CellArrDataset;
let model: AutoEncoder;

beforeAll(async () => {
  const samples = ["s_1", "s_2", "s_3"].map((sample, seed) => ({
    study: sample,
    sample,
    labels: drawLabels(1200, ["B", "T"], seed),
  }));
  dataset = await storeOf(samples, store);
  const data = new DataModule(dataset, {
    ...columns,
    valStudies: ["s_3"],
    batchSize: 1,
    geneOrder: ["gene_7", "gene_2", "gene_11", "gene_4"],
    targetSum: 50,
  });
  await data.prepare();
  model = new AutoEncoder({ genes: data.genes, latentDim: 3, hiddenDim: [6] });
  const { epochs } = await model.fit(data, { epochs: 2 });
  expect(epochs[1]!.valLoss).toBeGreaterThan(0);
});

async function read(name: string): Promise<Float32Array> {
  const array = await openArray({ store, path: `store/embeddings/${name}` });
  const { columns } = await array.read();
  return (columns.value as FixedColumn).values as Float32Array;
}

async function onDisk(): Promise<string> {
  const folder = await temporaryFolder();
  for (const { key } of await store.list("store")) {
    const file = join(folder, key);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, (await store.get(key))!);
  }
  return join(folder, "store");
}

describe("a store", () => {
  it("is normalised as in training, by genes of the model alone", () => {
    expect(model.normalisation).toEqual({ lognorm: true, targetSum: 50 });
    expect(model.labels).toEqual(["B", "T"]);
  });

  it("is embedded as its slices are, whatever the order of their genes", async () => {
    const all = await embedDataset(model, dataset);
    expect(all.shape).toEqual([3600, 3]);
    const cells = [3599, 0, 1200];
    const asked = await dataset.getSlice(cells, ["gene_4", "gene_11", "gene_2", "gene_7"], {
      order: "asked",
    });
    for (const slice of [asked, await dataset.getSlice(cells)]) {
      const some = await model.encode(slice);
      for (const [row, cell] of cells.entries()) {
        for (let at = 0; at < 3; at++) {
          expect(some.values[3 * row + at]).toBeCloseTo(Number(all.values[3 * cell + at]), 5);
        }
      }
    }
    const fewer = dataset.getSlice(cells, ["gene_7", "gene_2"]);
    await expect(model.encode(await fewer)).rejects.toThrow(/lacks genes of the model: 'gene_11', 'gene_4'/);
  });

  it("is given the embedding as a dense array", async () => {
    const seen: number[] = [];
    const uri = await writeEmbedding(
      model,
      dataset,
      { store, path: "store" },
      { onProgress: (done) => seen.push(done) },
    );
    expect(uri).toMatch(/store\/embeddings\/latent$/);
    expect(seen).toEqual([1000, 2000, 3000, 3600]);
    expect(await read("latent")).toEqual((await embedDataset(model, dataset)).values);
    const again = writeEmbedding(model, dataset, { store, path: "store" });
    await expect(again).rejects.toThrow(ExistsError);
    await writeEmbedding(model, dataset, { store, path: "store" }, { overwrite: true });
    const { defects } = await verifyStore({ store, path: "store" });
    expect(defects).toEqual([]);
  });

  it("keeps nothing of an embedding that failed", async () => {
    const controller = new AbortController();
    const options = { name: "half", signal: controller.signal, onProgress: () => controller.abort() };
    await expect(writeEmbedding(model, dataset, { store, path: "store" }, options)).rejects.toThrow(
      AbortedError,
    );
    expect(await store.list("store/embeddings/half")).toEqual([]);
    const other = new AutoEncoder({ genes: ["gene_1", "other"], latentDim: 2, hiddenDim: [2] });
    const missing = writeEmbedding(other, dataset, { store, path: "store" }, { name: "half" });
    await expect(missing).rejects.toThrow(NotFoundError);
    expect(await store.list("store/embeddings/half")).toEqual([]);
  });

  it("leaves an array that is there where a new one cannot be made", async () => {
    const path = "store/embeddings/kept";
    await createArray(
      { store, path },
      {
        arrayType: "dense",
        dimensions: [{ name: "d", datatype: "uint32", domain: [0, 1], tileExtent: 2 }],
        attributes: [{ name: "a", datatype: "int8" }],
      },
    );
    const before = (await store.list(path)).length;
    const other = new AutoEncoder({ genes: ["gene_1", "other"], latentDim: 2, hiddenDim: [2] });
    const options = { name: "kept", overwrite: true };
    await expect(writeEmbedding(other, dataset, { store, path: "store" }, options)).rejects.toThrow(
      NotFoundError,
    );
    expect((await store.list(path)).length).toBe(before);
    await store.deletePrefix(path);
  });

  it("gives annotated data their embedding", async () => {
    const slice = await dataset.getSlice([0, 1]);
    const adata = withEmbedding(slice.toAnnData(), await model.encode(slice));
    expect(adata.obsm.get("X_cellarr")).toMatchObject({ kind: "array", shape: [2, 3] });
    expect(adata.layers.size).toBe(1);
  });
});

describe.skipIf(!hasPython)("TileDB-Py", () => {
  it("reads the embedding", async () => {
    await writeEmbedding(model, dataset, { store, path: "store" }, { overwrite: true });
    const path = join(await onDisk(), "embeddings", "latent");
    const script = `
import json, sys, tiledb
with tiledb.open(json.load(sys.stdin)) as array:
    values = array[:]["value"]
    print(json.dumps([list(values.shape), str(values.dtype), values[3599].tolist()]))
`;
    const values = await read("latent");
    const last = Array.from(values.subarray(3 * 3599));
    expect(await runPython(script, path)).toEqual([[3600, 3], "float32", last]);
  });
});

describe("examples/custom-architecture.mjs", () => {
  it("trains, saves and loads a network of its own", async () => {
    await run(process.execPath, [join(root, "scripts", "build.mjs"), "--if-stale"]);
    const place = await onDisk();
    const folder = await temporaryFolder();
    const example = join(root, "examples", "custom-architecture.mjs");
    const { stdout } = await run(process.execPath, [example, place, "label", folder]);
    const { losses, shape } = JSON.parse(stdout) as { losses: number[]; shape: number[] };
    expect(shape).toEqual([3, 8]);
    expect(losses).toHaveLength(5);
    expect(losses[4]).toBeLessThan(losses[0]!);
  });
});
