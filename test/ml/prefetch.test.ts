import { describe, expect, it } from "vitest";
import { prefetched } from "../../src/ml/loader/prefetch.js";
import { allCells, CellReader, DataModule } from "../../src/ml.js";
import { CellArrDataset, MemoryStore } from "../../src/node.js";
import type { ReadableStore } from "../../src/storage/types.js";
import { bucketFetch } from "../support/bucket-fetch.js";
import { collect, columns, drawLabels, storeOf } from "./stores.js";

/** Reading ahead: how far, in which order, and that it ends. */

function* numbers(from: number, to: number): Generator<number> {
  for (let number = from; number < to; number++) yield number;
}

const pause = (milliseconds = 1) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Work that says what is under way; later items are quicker than earlier ones. */
function slowWork() {
  const log = { running: 0, most: 0, started: [] as number[], aborted: 0 };
  const work = async (item: number, signal: AbortSignal) => {
    log.started.push(item);
    log.most = Math.max(log.most, ++log.running);
    try {
      for (let wait = 12 - (item % 4) * 3; wait > 0; wait--) {
        await pause();
        if (signal.aborted) {
          log.aborted++;
          throw new Error("given up");
        }
      }
      return item;
    } finally {
      log.running--;
    }
  };
  return { log, work };
}

describe("reading ahead", () => {
  it.each([0, 1, 3])("gives items in order, %d at most in work besides the one in hand", async (ahead) => {
    const { log, work } = slowWork();
    const items: number[] = [];
    for await (const item of prefetched(numbers(3, 12), { ahead }, work)) {
      items.push(item);
      await pause(5);
      expect(log.started.length - items.length).toBe(Math.min(ahead, 9 - items.length));
    }
    expect(items).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect(log.most).toBe(Math.max(1, ahead));
  });

  it("leaves nothing in work where the loop is left", async () => {
    const { log, work } = slowWork();
    for await (const item of prefetched(numbers(0, 100), { ahead: 3 }, work)) if (item === 2) break;
    expect(log.running).toBe(0);
    expect(log.aborted).toBeGreaterThan(0);
    expect(log.started.length).toBeLessThanOrEqual(6);
  });

  it("ends by a signal, before and while", async () => {
    const { log, work } = slowWork();
    const ending = new AbortController();
    const items = prefetched(numbers(0, 100), { ahead: 2, signal: ending.signal }, work);
    await items.next();
    const next = items.next();
    ending.abort();
    await expect(next).rejects.toThrow();
    expect(log.running).toBe(0);
    const none = prefetched(numbers(0, 3), { ahead: 2, signal: ending.signal }, work);
    const started = log.started.length;
    await expect(none.next()).rejects.toMatchObject({ code: "ABORTED" });
    expect(log.started.length).toBe(started);
  });

  it("throws what an item's work threw when its turn comes", async () => {
    const seen: number[] = [];
    let running = 0;
    const work = async (item: number) => {
      running++;
      await pause(item === 2 ? 1 : 10);
      running--;
      if (item === 2) throw new Error("item 2");
      return item;
    };
    const all = (async () => {
      for await (const item of prefetched(numbers(0, 9), { ahead: 4 }, work)) seen.push(item);
    })();
    await expect(all).rejects.toThrow("item 2");
    expect(seen).toEqual([0, 1]);
    expect(running).toBe(0);
  });
});

/** A store as over a network: each request takes a while, and ends by its signal. */
function slowStore(inner: MemoryStore, log: { running: number; requests: number }): ReadableStore {
  const wait = async <T>(work: () => Promise<T>): Promise<T> => {
    log.running++;
    log.requests++;
    try {
      await pause(2);
      return await work();
    } finally {
      log.running--;
    }
  };
  return {
    uri: inner.uri,
    isRemote: true,
    get: (key, options) => wait(() => inner.get(key, options)),
    getRange: (key, range, options) => wait(() => inner.getRange(key, range, options)),
    list: (prefix, options) => inner.list(prefix, options),
  } as ReadableStore;
}

describe("a module's batches", () => {
  async function open(prefetch: number) {
    const store = new MemoryStore();
    await storeOf(
      Array.from({ length: 8 }, (_, at) => ({
        study: "s",
        sample: `${at}`,
        labels: drawLabels(20, ["x", "y"], at),
      })),
      store,
    );
    const log = { running: 0, requests: 0 };
    const dataset = await CellArrDataset.open({ store: slowStore(store, log), path: "store" });
    const module = await DataModule.open(dataset, { ...columns, batchSize: 2, sampleSize: 5, prefetch });
    return { module, log };
  }

  it("leave no request under way after break", async () => {
    const { module, log } = await open(3);
    for await (const { step } of module.train()) if (step === 1) break;
    expect(log.running).toBe(0);
    const { requests } = log;
    await pause(20);
    expect(log.requests).toBe(requests);
  });

  it("end by a signal, with nothing under way", async () => {
    const { module, log } = await open(2);
    const ending = new AbortController();
    const batches = module.train({ signal: ending.signal });
    await batches.next();
    ending.abort();
    await expect(batches.next()).rejects.toMatchObject({ code: "ABORTED" });
    expect(log.running).toBe(0);
    await expect(module.val({ signal: ending.signal }).next()).resolves.toMatchObject({ done: true });
  });

  it("come from a bucket as from memory", async () => {
    const store = new MemoryStore();
    const samples = Array.from({ length: 5 }, (_, at) => ({
      study: "s",
      sample: `${at}`,
      labels: drawLabels(20, ["x", "y"], at),
    }));
    const direct = await DataModule.open(await storeOf(samples, store), { ...columns, batchSize: 2 });
    const hosts = new Set<string>();
    const config = {
      "vfs.s3.endpoint_override": "objects.example",
      "vfs.s3.no_sign_request": true,
      "vfs.s3.use_virtual_addressing": false,
    };
    const dataset = await CellArrDataset.open("s3://bucket/store", {
      storage: { config, fetch: bucketFetch(store, hosts) },
    });
    const module = await DataModule.open(dataset, { ...columns, batchSize: 2 });
    expect(await collect(module.train({ epoch: 2 }))).toEqual(await collect(direct.train({ epoch: 2 })));
    expect([...hosts]).toEqual(["objects.example"]);
  });

  it("are the same from a store whose requests take their time", async () => {
    const [slow, direct] = [await open(3), await open(0)];
    expect(await collect(slow.module.train())).toEqual(await collect(direct.module.train()));
  });
});

describe("allCells", () => {
  it("gives each cell once, in the store's order", async () => {
    const dataset = await storeOf([{ study: "s", sample: "a", labels: new Array(25).fill("x") }]);
    const reader = await CellReader.open(dataset, { lognorm: false });
    const batches = await collect(allCells(dataset, reader, { batchSize: 10 }));
    expect(batches.map(({ cellCount }) => cellCount)).toEqual([10, 10, 5]);
    expect(batches.flatMap(({ cellIndices }) => [...cellIndices])).toEqual(
      Array.from({ length: 25 }, (_, at) => at),
    );
    const whole = await reader.read(Uint32Array.from({ length: 25 }, (_, at) => at));
    expect(batches.flatMap(({ values }) => [...(values as Float32Array)])).toEqual([
      ...(whole.values as Float32Array),
    ]);
    expect((await collect(allCells(dataset, reader, { batchSize: 10, from: 2 })))[0]).toEqual(batches[2]);
  });
});
