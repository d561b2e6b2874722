import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildIfStale } from "../../scripts/build.mjs";
import { hasServer, s3Server } from "../support/s3-server.js";
import { bundle } from "./bundle.js";
import { inBrowser } from "./chromium.js";
import { expectedHere, makeSetting, PICTURES, type Results, root, type Setting } from "./setting.js";

/** The package in Chromium: as plain modules, bundled in a Web Worker, and where a page's policy forbids WebAssembly. */

let setting: Setting;
let expected: Results;

beforeAll(async () => {
  await buildIfStale();
  setting = await makeSetting();
  expected = await expectedHere(setting);
});
afterAll(() => setting.close());

/** Packages as plain modules: where each import leads. Those that are CommonJS have to be bundled. */
const IMPORTS = {
  cellarr: "/installed/node_modules/cellarr/dist/web/index.js",
  "cellarr/tiledb": "/installed/node_modules/cellarr/dist/web/tiledb.js",
  "cellarr/h5ad": "/installed/node_modules/cellarr/dist/web/h5ad.js",
  aws4fetch: "/modules/aws4fetch/dist/aws4fetch.esm.mjs",
  fflate: "/modules/fflate/esm/browser.js",
  h5wasm: "/modules/h5wasm/dist/esm/hdf5_hl.js",
  "@noble/hashes/crypto": "/modules/@noble/hashes/esm/crypto.js",
  "@noble/ciphers/crypto": "/modules/@noble/ciphers/esm/crypto.js",
  "@noble/hashes/": "/modules/@noble/hashes/esm/",
  "@noble/ciphers/": "/modules/@noble/ciphers/esm/",
};

async function writePage(name: string, policy = ""): Promise<string> {
  const meta = policy === "" ? "" : `<meta http-equiv="Content-Security-Policy" content="${policy}">`;
  const map = `<script type="importmap">${JSON.stringify({ imports: IMPORTS })}</script>`;
  const script = `<script type="module" src="page.mjs"></script>`;
  await writeFile(
    join(setting.installed, name),
    `<!doctype html><meta charset="utf-8">${meta}${map}<title>cellarr</title><body>${script}`,
  );
  return `${setting.server.url}/installed/${name}`;
}

const call = (name: string, argument: unknown) => `${name}(${JSON.stringify(argument)})`;

describe("a page in Chromium", () => {
  it("reads and writes as Node does, with the package as plain modules", async (context) => {
    await inBrowser(context, async (page) => {
      await page.goto(await writePage("plain.html"));
      await page.waitForFunction("globalThis.runTask !== undefined");
      const { url, arrays } = setting;
      const found = (await page.evaluate(call("runTask", { url, arrays }))) as Results;
      for (const place of ["memory", "http"]) {
        expect(withoutPicture(found[place])).toEqual(withoutPicture(expected[place]));
        // The picture's decoder is a file that a bundler has to know.
        expect(picture(found[place])).toMatchObject({ error: "UNSUPPORTED" });
      }
      expect(found.written).toEqual(expected.written);
    });
  }, 180_000);

  it("shows a slice of a store that lies on a server", async (context) => {
    await inBrowser(context, async (page) => {
      await page.goto(await writePage("slice.html"));
      await page.waitForFunction("globalThis.showSlice !== undefined");
      await page.evaluate(call("showSlice", setting.url));
      const rows =
        "[...document.querySelectorAll('tr')].map((row) => [...row.cells].map((c) => c.textContent))";
      const [head, ...lines] = (await page.evaluate(rows)) as string[][];
      expect(head).toEqual(["", "gene_0", "gene_1", "gene_4"]);
      expect(lines).toEqual(await sliceHere());
    });
  }, 120_000);

  it("decodes Zstandard where its policy forbids WebAssembly and eval", async (context) => {
    await inBrowser(context, async (page) => {
      const policy = "script-src 'self' 'unsafe-inline'; object-src 'none'";
      await page.goto(await writePage("strict.html", policy));
      await page.waitForFunction("globalThis.showSlice !== undefined");
      const forbidden =
        "WebAssembly.compile(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)).then(() => 1, () => 0)";
      expect(await page.evaluate(forbidden)).toBe(0);
      await page.evaluate(call("showSlice", setting.url));
      expect(await page.evaluate("document.querySelectorAll('tr').length")).toBe(5);
    });
  }, 120_000);
});

describe.skipIf(!hasServer.versitygw)("a page in Chromium with S3 on versitygw", () => {
  it("reads and writes a bucket of another origin by signed requests", async (context) => {
    const { config, bucket, request } = await s3Server("versitygw");
    const name = await bucket();
    const docs = await readFile(join(root, "docs", "storage.md"), "utf8");
    const rules = /<CORSConfiguration>[\s\S]*<\/CORSConfiguration>/.exec(docs)![0];
    const answer = await request(
      "PUT",
      `${name}?cors=`,
      rules.replace("https://page.example", setting.server.url),
    );
    expect(answer.ok).toBe(true);
    await inBrowser(context, async (page) => {
      await page.goto(await writePage("bucket.html"));
      await page.waitForFunction("globalThis.runBucketTask !== undefined");
      const { url, arrays } = setting;
      const task = { url, uri: `s3://${name}`, config, arrays };
      const { listed, read, written } = (await page.evaluate(call("runBucketTask", task))) as Results;
      expect(listed).toBe(true);
      expect(withoutPicture(read)).toEqual(withoutPicture(expected.memory));
      expect(written).toEqual(expected.written);
    });
  }, 180_000);
});

describe("a Web Worker in Chromium", () => {
  it("reads and writes as Node does, bundled", async (context) => {
    const files = await bundle(join(setting.installed, "web-worker.mjs"));
    const folder = join(setting.installed, "bundled");
    await mkdir(folder);
    for (const { name, code } of files) await writeFile(join(folder, name), code);
    await inBrowser(context, async (page) => {
      await page.goto(await writePage("worker.html"));
      const { url, arrays } = setting;
      const task = JSON.stringify({ url, arrays });
      const answer = (await page.evaluate(`new Promise((resolve, reject) => {
        const worker = new Worker("bundled/main.js", { type: "module" });
        worker.onerror = (event) => reject(new Error(event.message));
        worker.onmessage = ({ data }) => resolve(data);
        worker.postMessage(${task});
      })`)) as { result?: Results; error?: string };
      expect(answer.error).toBeUndefined();
      const found = answer.result!;
      expect(withoutPicture(found.http)).toEqual(withoutPicture(expected.http));
      expect(withoutPicture(found.memory)).toEqual(withoutPicture(expected.memory));
      expect(found.written).toEqual(expected.written);
    });
  }, 180_000);
});

type Reading = { readonly arrays: Results };

function picture(reading: unknown): unknown {
  return (reading as Reading).arrays[PICTURES];
}

function withoutPicture(reading: unknown): unknown {
  const { arrays, ...rest } = reading as Reading;
  const { [PICTURES]: _, ...others } = arrays;
  return { ...rest, arrays: others };
}

/** The same cells and genes as the page's, by the sources. */
async function sliceHere(): Promise<string[][]> {
  const { CellArrDataset, slice } = await import("../../src/node.js");
  const dataset = await CellArrDataset.open(join(setting.places, "built"));
  const part = await dataset.get(slice(0, 3), ["gene_0", "gene_1", "gene_4"]);
  const { values } = part.dense("counts");
  const at = (row: number, column: number) => String(values[row * 3 + column]);
  return [0, 1, 2, 3].map((row) => [`cell ${row}`, at(row, 0), at(row, 1), at(row, 2)]);
}
