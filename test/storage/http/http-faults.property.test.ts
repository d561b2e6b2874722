import fc from "fast-check";
import { zipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isCellarrError } from "../../../src/errors.js";
import { HttpStore } from "../../../src/storage/http/http-store.js";
import { MemoryStore } from "../../../src/storage/memory.js";
import type { StorageOptions } from "../../../src/storage/remote/settings.js";
import type { ReadableStore } from "../../../src/storage/types.js";
import { createArray, openArray, type ReadResult, writeSparse } from "../../../src/tiledb-node.js";
import { type FileServer, startFileServer } from "../../support/file-server.js";
import { patience, runs } from "../../support/property.js";
import { type Fault, type RemoteProxy, startProxy } from "../../support/remote-proxy.js";

/** Whatever happens to requests on the way, a read gives what is stored, or says that it cannot. */

const files = new MemoryStore();
let server: FileServer;
let proxy: RemoteProxy;
let expected: ReadResult;

beforeAll(async () => {
  const place = { store: files, path: "array" };
  await createArray(place, {
    arrayType: "sparse",
    dimensions: [{ name: "x", datatype: "uint32", domain: [0, 99_999], tileExtent: 1000 }],
    attributes: [
      { name: "value", datatype: "float64" },
      { name: "name", datatype: "string_utf8", cellValNum: "var" },
    ],
    capacity: 500,
  });
  for (const step of [3, 5]) {
    const x = Uint32Array.from({ length: 2000 }, (_, at) => at * step);
    const value = Float64Array.from(x, (cell) => Math.sin(cell));
    await writeSparse(place, { x, value, name: [...x].map((cell) => `${step}-${cell}`) });
  }
  expected = await readAll(files);
  server = await startFileServer(files);
  proxy = await startProxy({ target: server.url });
});

afterAll(async () => {
  await proxy.close();
  await server.close();
});

async function readAll(store: ReadableStore): Promise<ReadResult> {
  // What is in memory needs no requests.
  const array = await openArray({ store, path: "array" }, { storage: { cacheBytes: 0 } });
  return array.read({ order: "row-major" });
}

/** Files over HTTP; the listing is known. */
function overHttp(config: Readonly<Record<string, number>>, by: StorageOptions): ReadableStore {
  const http = new HttpStore(proxy.url, { ...by, config: { "vfs.http.connect_scale_factor": 1, ...config } });
  return {
    uri: http.uri,
    isRemote: true,
    get: (key, options) => http.get(key, options),
    getRange: (key, range, options) => http.getRange(key, range, options),
    list: (prefix, options) => files.list(prefix, options),
  };
}

const quickFaults: readonly Fault[] = [
  "error",
  "throttled",
  "disconnect",
  "cut",
  "announced-more",
  "longer",
  "shorter",
];

/** A body of another length that the server announces as such can be told only where a range was asked for. */
function possible(fault: Fault | undefined, range: string | undefined): Fault | undefined {
  return range === undefined && (fault === "longer" || fault === "shorter") ? "cut" : fault;
}

describe.each<[string, StorageOptions]>([
  ["fetch", { fetch: globalThis.fetch }],
  ["node:http", {}],
])("faults on the way by %s", (_, by) => {
  it(
    "that pass change nothing",
    async () => {
      const faults = fc.array(fc.option(fc.constantFrom(...quickFaults), { nil: undefined }), {
        maxLength: 16,
      });
      await fc.assert(
        fc.asyncProperty(faults, async (drawn) => {
          proxy.reset();
          const left = [...drawn];
          proxy.fault(({ range }) => possible(left.shift(), range));
          expect(await readAll(overHttp({ "vfs.http.connect_max_tries": 17 }, by))).toEqual(expected);
          expect(proxy.stats().log.filter(({ fault }) => fault !== undefined).length).toBeLessThanOrEqual(
            drawn.length,
          );
        }),
        { numRuns: runs(25, 1000) },
      );
    },
    patience(120_000),
  );

  it(
    "that come again and again are an error, or were got round",
    async () => {
      const faults = fc.infiniteStream(
        fc.option(fc.constantFrom(...quickFaults), { nil: undefined, freq: 3 }),
      );
      let [read, failed] = [0, 0];
      await fc.assert(
        fc.asyncProperty(faults, async (drawn) => {
          proxy.reset();
          proxy.fault(({ range }) => possible(drawn.next().value, range));
          const outcome = await readAll(overHttp({ "vfs.http.connect_max_tries": 2 }, by)).catch(
            (error: unknown) => error,
          );
          if (isCellarrError(outcome)) {
            failed++;
            expect(outcome.message).toMatch(/gave up after 2 attempts/);
            expect(outcome.code).toBe("STORAGE");
          } else {
            read++;
            expect(outcome).toEqual(expected);
          }
        }),
        { numRuns: runs(25, 1000) },
      );
      expect(failed).toBeGreaterThan(0);
      expect(read + failed).toBeGreaterThan(1);
    },
    patience(120_000),
  );

  it(
    "change nothing in what is read of a zip file",
    async () => {
      const entries: Record<string, Uint8Array> = {};
      for (const { key } of await files.list("array")) entries[key] = (await files.get(key))!;
      await files.put("array.zip", zipSync(entries, { level: 0 }));
      const faults = fc.array(fc.option(fc.constantFrom(...quickFaults), { nil: undefined }), {
        maxLength: 20,
      });
      await fc.assert(
        fc.asyncProperty(faults, async (drawn) => {
          proxy.reset();
          const left = [...drawn];
          proxy.fault(({ range }) => possible(left.shift(), range));
          const config = { "vfs.http.connect_scale_factor": 1, "vfs.http.connect_max_tries": 13 };
          const array = await openArray(`${proxy.url}/array.zip`, { storage: { ...by, config } });
          expect(await array.read({ order: "row-major" })).toEqual(expected);
        }),
        { numRuns: runs(10, 500) },
      );
    },
    patience(120_000),
  );

  it.each<Fault>(["hang", "stall", "slow-down"])("such as '%s' are got round", async (fault) => {
    proxy.reset();
    proxy.fault([undefined, fault, undefined, fault]);
    const store = overHttp({ "vfs.http.request_timeout_ms": 1000, "vfs.http.connect_max_tries": 10 }, by);
    expect(await readAll(store)).toEqual(expected);
    expect(proxy.stats().log.filter((request) => request.fault === fault).length).toBe(2);
  });
});
