import { describe, expect, it } from "vitest";
import { loaderSettings } from "../../src/ml/loader/options.js";
import { windowOf, windows } from "../../src/ml/loader/window.js";
import { DataModule } from "../../src/ml.js";
import { CellArrDataset, MemoryStore } from "../../src/node.js";
import { CountingStore } from "../support/counting-store.js";
import { collect, columns, drawLabels, storeOf } from "./stores.js";

/** Batches that are read together. */

describe("a window", () => {
  const window = (options: { prefetch?: number; prefetchBytes?: number }, batchBytes: number) =>
    windowOf(loaderSettings(options), batchBytes);

  it("has as many batches as there is room for, of which one half is in hand", () => {
    expect(window({ prefetchBytes: 1000 }, 100)).toEqual({ together: 5, ahead: 1 });
    expect(window({ prefetchBytes: 1000 }, 334)).toEqual({ together: 1, ahead: 2 });
    expect(window({ prefetchBytes: 0 }, 1)).toEqual({ together: 1, ahead: 2 });
    expect(window({}, 2 ** 20)).toEqual({ together: 128, ahead: 1 });
  });

  it("has no more batches than are wanted ahead", () => {
    for (const prefetch of [0, 1, 2])
      expect(window({ prefetch }, 1)).toEqual({ together: 1, ahead: prefetch });
    for (const prefetch of [3, 4, 9, 10]) {
      const { together, ahead } = window({ prefetch }, 1);
      // The rest of what is in hand, and what is under way.
      expect(together - 1 + ahead * together).toBeLessThanOrEqual(prefetch);
      expect(together).toBeGreaterThan(1);
    }
  });

  it("begins small", () => {
    expect([...windows(3, 20, 5)]).toEqual([
      [3, 4],
      [4, 6],
      [6, 10],
      [10, 15],
      [15, 20],
    ]);
    expect([...windows(2, 4, 8)]).toEqual([
      [2, 3],
      [3, 4],
    ]);
    expect([...windows(4, 4, 8)]).toEqual([]);
  });
});

describe("several epochs", () => {
  const samples = Array.from({ length: 3 }, (_, at) => ({
    study: "s",
    sample: `${at}`,
    labels: drawLabels(500, ["x", "y"], at),
    genes: 200,
  }));

  async function open(prefetch: number | undefined) {
    const store = new MemoryStore();
    await storeOf(samples, store);
    const counted = new CountingStore(store, { isRemote: false });
    const dataset = await CellArrDataset.open({ store: counted, path: "store" });
    const options = { ...columns, batchSize: 2, sampleSize: 10, seed: 3, prefetch };
    return { module: await DataModule.open(dataset, options), counted };
  }

  it("are the epochs one after the other", async () => {
    const { module } = await open(undefined);
    const alone = [];
    for (const epoch of [4, 5, 6]) alone.push(...(await collect(module.train({ epoch }))));
    expect(alone).toHaveLength(6);
    expect(await collect(module.train({ epoch: 4, epochs: 3 }))).toEqual(alone);
    expect(await collect(module.train({ epoch: 4, epochs: 3, from: 1 }))).toEqual(alone.slice(1));
    expect(await collect(module.train({ epoch: 4, epochs: 3, from: 9 }))).toEqual(alone.slice(2));
    expect(await collect(module.train({ epoch: 4, epochs: 0 }))).toEqual([]);
    await expect(module.train({ epochs: -1 }).next()).rejects.toThrow("epochs is -1");
    await expect(module.train({ epoch: 2 ** 28 - 1, epochs: 2 }).next()).rejects.toThrow("epochs is 2");
  });

  it("read tiles once that hold cells of several batches", async () => {
    const read = async (prefetch: number | undefined) => {
      const { module, counted } = await open(prefetch);
      await module.train({ epoch: 99 }).next();
      const before = counted.requests.length;
      const batches = await collect(module.train({ epochs: 10 }));
      return { batches, bytes: counted.requests.slice(before).reduce((sum, { bytes }) => sum + bytes, 0) };
    };
    const [together, alone] = [await read(undefined), await read(1)];
    expect(together.batches).toEqual(alone.batches);
    expect(together.bytes * 2).toBeLessThan(alone.bytes);
  });
});
