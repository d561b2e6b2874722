import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import "../../src/node-platform.js";
import { openArray } from "../../src/array/open.js";
import { publishStore } from "../../src/cellarr/build/build-late.js";
import { CellArrDataset } from "../../src/cellarr/dataset.js";
import { clearCache } from "../../src/storage/cache/shared-cache.js";
import type { MemoryStore } from "../../src/storage/memory.js";
import type { StorageOptions } from "../../src/storage/remote/settings.js";
import { S3Store } from "../../src/storage/s3/s3-store.js";
import { mapBounded } from "../../src/util/concurrency.js";
import { GENES, geneNames, largeStore } from "../cellarr/round-trip-store.js";
import { type Nginx, needsNginx, startNginx } from "../support/nginx.js";
import { type ProxyStats, type RemoteProxy, startProxy } from "../support/remote-proxy.js";
import { hasServer, s3Server } from "../support/s3-server.js";
import { keptFolder } from "../support/temporary.js";

/** What a slice takes from real servers, 30 ms away: the requests that the proxy counts. */

const genes = Array.from({ length: 20 }, (_, at) => geneNames[at * 90 + 7]!);
const cells = Array.from({ length: 10 }, (_, at) => 1234 + at);
const DELAY = 30;

async function sliceOf(uri: string, storage: StorageOptions) {
  clearCache();
  const start = performance.now();
  const dataset = await CellArrDataset.open(uri, { storage });
  const part = await dataset.getSlice(cells, genes);
  return { dataset, part, took: performance.now() - start };
}

/** The proxy counts a request when its answer has gone, which may be a moment after it came. */
async function counted(proxy: RemoteProxy): Promise<ProxyStats> {
  await sleep(100);
  return proxy.stats();
}

async function sliceOfMatrix(uri: string, storage: StorageOptions) {
  clearCache();
  const array = await openArray(uri, { storage });
  const columns = Uint32Array.from(genes, (name) => geneNames.indexOf(name));
  const query = { rows: Uint32Array.from(cells), columns, columnCount: GENES, attribute: "data" };
  return (await array.readCompressed(query))!;
}

describe.skipIf(!hasServer.s3proxy)("a bucket", () => {
  const stores = new Map<string, MemoryStore>();
  let proxy: RemoteProxy;
  let storage: StorageOptions;
  let bucket: string;

  beforeAll(async () => {
    const server = await s3Server("s3proxy");
    bucket = await server.bucket();
    const direct = new S3Store({ bucket, config: server.config });
    for (const count of [1, 4]) {
      const memory = await largeStore(count, { layout: "python" });
      stores.set(`${count}`, memory);
      const files = await memory.list("store");
      await mapBounded(files, 8, async ({ key }) =>
        direct.put(`fragments-${count}/${key}`, (await memory.get(key))!),
      );
    }
    proxy = await startProxy({ target: server.endpoint, delayMs: DELAY });
    const endpoint = proxy.url.slice("http://".length);
    storage = { config: { ...server.config, "vfs.s3.endpoint_override": endpoint } };
  }, 120_000);
  afterAll(() => proxy?.close());

  for (const { count, matrix, dataset, most } of [
    { count: 1, matrix: 6, dataset: 18, most: { matrix: 7, dataset: 24 } },
    { count: 4, matrix: 9, dataset: 21, most: { matrix: 10, dataset: 28 } },
  ]) {
    it(`of ${count} fragments answers in as many requests as are counted in memory`, async () => {
      const uri = `s3://${bucket}/fragments-${count}/store`;
      // Credentials and code are loaded by now.
      await sliceOf(uri, storage);
      proxy.reset();
      await sliceOfMatrix(`${uri}/assays/counts`, storage);
      expect((await counted(proxy)).requests).toBe(matrix);
      expect(matrix).toBeLessThanOrEqual(most.matrix);
      expect((await counted(proxy)).bytes).toBeLessThan(100 * 1024);
      expect((await counted(proxy)).byMethod).toEqual({ GET: matrix - 1, LIST: 1 });

      proxy.reset();
      const { dataset: opened, part, took } = await sliceOf(uri, storage);
      expect((await counted(proxy)).requests).toBe(dataset);
      expect(dataset).toBeLessThanOrEqual(most.dataset);
      expect((await counted(proxy)).byMethod).toEqual({ GET: dataset - 1, LIST: 1 });
      // Four round trips are 120 ms.
      expect(took).toBeLessThan(1500);
      const local = await CellArrDataset.open({ store: stores.get(`${count}`)!, path: "store" });
      expect(part).toEqual(await local.getSlice(cells, genes));

      proxy.reset();
      await opened.getSlice([7000], [genes[0]!]);
      expect((await counted(proxy)).requests).toBe(2);
    });
  }

  it("that was published answers in two round trips", async () => {
    const uri = `s3://${bucket}/fragments-4/store`;
    await publishStore(uri, { storage });
    await sliceOf(uri, storage);
    proxy.reset();
    const { part, took } = await sliceOf(uri, storage);
    expect((await counted(proxy)).byMethod).toEqual({ GET: 3, LIST: 1 });
    expect(took).toBeLessThan(1000);
    const local = await CellArrDataset.open({ store: stores.get("4")!, path: "store" });
    expect(part).toEqual(await local.getSlice(cells, genes));
  });
});

describe("static hosting", () => {
  const isThere = needsNginx();
  let nginx: Nginx;
  let proxy: RemoteProxy;
  let memory: MemoryStore;
  const folder = { remove: async () => {} };

  beforeAll(async () => {
    if (!isThere) return;
    const kept = await keptFolder();
    folder.remove = kept.remove;
    memory = await largeStore(4, { layout: "python" });
    await publishStore({ store: memory, path: "store" });
    for (const { key } of await memory.list("")) {
      const path = join(kept.path, "files", key);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, (await memory.get(key))!);
    }
    nginx = await startNginx(kept.path, `root ${join(kept.path, "files")};`);
    proxy = await startProxy({ target: nginx.url, delayMs: DELAY });
  }, 60_000);
  afterAll(async () => {
    await proxy?.close();
    await nginx?.close();
    await folder.remove();
  });

  it("answers in two round trips, without a listing", async () => {
    await sliceOf(`${proxy.url}/store`, {});
    proxy.reset();
    const { part, took } = await sliceOf(`${proxy.url}/store`, {});
    expect((await counted(proxy)).byMethod).toEqual({ GET: 3 });
    expect(took).toBeLessThan(1000);
    const local = await CellArrDataset.open({ store: memory, path: "store" });
    expect(part).toEqual(await local.getSlice(cells, genes));
  });
});
