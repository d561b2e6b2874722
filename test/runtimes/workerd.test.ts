import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildIfStale } from "../../scripts/build.mjs";
import { runtime } from "../support/runtimes.js";
import { hasServer, s3Server } from "../support/s3-server.js";
import { bundle } from "./bundle.js";
import { expectedHere, makeSetting, PICTURES, type Results, type Setting } from "./setting.js";

/**
 * The package in Cloudflare's workerd, which compiles neither WebAssembly nor text at run time: a bundled Worker gives
 * what the sources give here.
 */

let setting: Setting;
let expected: Results;

beforeAll(async () => {
  await buildIfStale();
  setting = await makeSetting();
  expected = await expectedHere(setting);
});
afterAll(() => setting.close());

/** What is used of miniflare. */
interface Miniflare {
  dispatchFetch(url: string, init: { method: string; body: string }): Promise<Response>;
  dispose(): Promise<void>;
}
type MiniflareModule = { Miniflare: new (options: object) => Miniflare };

async function startWorker(folder: string): Promise<Miniflare> {
  const [file] = await bundle(join(setting.installed, "worker.mjs"), {
    conditions: ["workerd", "worker", "browser"],
    single: true,
  });
  expect(file!.imports).toEqual([]);
  const { Miniflare } = (await import(
    pathToFileURL(join(folder, "dist", "src", "index.js")).href
  )) as MiniflareModule;
  return new Miniflare({
    modules: true,
    script: file!.code,
    compatibilityDate: "2026-04-01",
    r2Buckets: ["BUCKET"],
  });
}

describe("workerd", () => {
  it("reads and writes as Node does, from memory, over HTTP and in a bucket of R2", async (context) => {
    const worker = await startWorker(await runtime("miniflare", context));
    try {
      const ask = async (task: object): Promise<Results> => {
        const answer = await worker.dispatchFetch("http://worker/", {
          method: "POST",
          body: JSON.stringify(task),
        });
        if (answer.status !== 200) throw new Error(await answer.text());
        return (await answer.json()) as Results;
      };
      const { url, arrays } = setting;
      const readable = arrays.filter((name) => name !== PICTURES);
      const found = await ask({ kind: "program", url, arrays });
      for (const place of ["memory", "http"]) {
        expect(without(found[place], PICTURES)).toEqual(without(expected[place], PICTURES));
        expect(of(found[place], PICTURES)).toMatchObject({ error: "UNSUPPORTED" });
      }
      expect(found.written).toEqual({ ...(expected.written as object), annData: null });

      expect(await ask({ kind: "upload", url, prefix: "stores/mine" })).toMatchObject({ isComplete: true });
      const fromBucket = await ask({ kind: "bucket", prefix: "stores/mine", arrays: readable });
      expect(fromBucket).toEqual(without(expected.memory, PICTURES));
      const written = await ask({ kind: "write-bucket", prefix: "stores/mine" });
      expect(written).toEqual({ ...(expected.written as object), annData: null });
    } finally {
      await worker.dispose();
    }
  }, 180_000);
});

describe.skipIf(!hasServer.versitygw)("workerd with S3 on versitygw", () => {
  it("reads and writes a bucket by signed requests", async (context) => {
    const worker = await startWorker(await runtime("miniflare", context));
    try {
      const { config, bucket } = await s3Server("versitygw");
      const arrays = setting.arrays.filter((name) => name !== PICTURES);
      const task = { kind: "s3", url: setting.url, uri: `s3://${await bucket()}`, config, arrays };
      const answer = await worker.dispatchFetch("http://worker/", {
        method: "POST",
        body: JSON.stringify(task),
      });
      if (answer.status !== 200) throw new Error(await answer.text());
      const { listed, read, written } = (await answer.json()) as Results;
      expect(listed).toBe(true);
      expect(read).toEqual(without(expected.memory, PICTURES));
      expect(written).toEqual({ ...(expected.written as object), annData: null });
    } finally {
      await worker.dispose();
    }
  }, 180_000);
});

type Reading = { readonly arrays: Results };

function of(reading: unknown, array: string): unknown {
  return (reading as Reading).arrays[array];
}

function without(reading: unknown, array: string): unknown {
  const { arrays, ...rest } = reading as Reading;
  return { ...rest, arrays: Object.fromEntries(Object.entries(arrays).filter(([name]) => name !== array)) };
}
