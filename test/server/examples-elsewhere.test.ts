import { execFile, spawn } from "node:child_process";
import { cp, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from "vitest";
import { createHandler, type Handler } from "../../src/server.js";
import { resolveNodePath } from "../../src/storage/node-fs.js";
import { runtime } from "../support/runtimes.js";
import { keptFolder, temporaryFolder } from "../support/temporary.js";
import { arrowRows, buildSmall } from "./support.js";

/** The examples for Cloudflare's Workers and for Deno, in these: they answer as the handler does here. */

const root = fileURLToPath(new URL("../..", import.meta.url));
const run = promisify(execFile);
let folder: Awaited<ReturnType<typeof keptFolder>>;
let here: Handler;

beforeAll(async () => {
  await run(process.execPath, [join(root, "scripts", "build.mjs"), "--if-stale"]);
  folder = await keptFolder();
  const { place } = await buildSmall(resolveNodePath(join(folder.path, "store"))!);
  here = createHandler(place, { cors: "*" });
});
afterAll(() => folder.remove());

/** The example's files with the package in node_modules. */
async function installed(example: string): Promise<string> {
  const place = join(await temporaryFolder(), example);
  await cp(join(root, "examples", example), place, { recursive: true });
  await mkdir(join(place, "node_modules"));
  await symlink(root, join(place, "node_modules", "cellarr"), "junction");
  return place;
}

const paths = [
  "/stores",
  "/stores/store",
  `/stores/store/cells?where=${encodeURIComponent("tissue == 'lung'")}&columns=tissue,age`,
  "/stores/store/genes?prefix=gb",
  "/stores/store/samples?format=csv",
  "/stores/store/slice?cells=3,0:1&genes=gB1,gA1",
  "/stores/store/slice?matrix=counts&format=csv",
  "/stores/store/slice?matrix=twice&format=arrow",
  "/stores/store/cells?where=x",
  "/nowhere",
];

type Ask = (path: string, init?: RequestInit) => Promise<Response>;

/** Same statuses, headers and bytes; tags that are known there too. */
async function expectTheSame(there: Ask): Promise<void> {
  for (const path of paths) {
    const [found, expected] = [await there(path), await here(new Request(`http://here.test${path}`))];
    expect([path, found.status]).toEqual([path, expected.status]);
    for (const name of ["content-type", "etag", "vary", "cache-control", "access-control-allow-origin"]) {
      expect([path, name, found.headers.get(name)]).toEqual([path, name, expected.headers.get(name)]);
    }
    const isArrow = path.endsWith("arrow");
    // The same schema can be written in several ways.
    const content = (response: Response) => (isArrow ? arrowRows(response) : response.text());
    expect(await content(found)).toEqual(await content(expected));
    const etag = expected.headers.get("etag");
    if (etag === null) continue;
    expect((await there(path, { headers: { "if-none-match": etag } })).status).toBe(304);
  }
  const together = Array.from({ length: 8 }, () => there("/stores/store/slice?cells=0:5"));
  expect((await Promise.all(together)).map(({ status }) => status)).toEqual(Array(8).fill(200));
  const headers = { "content-type": "application/json" };
  const posted = await there("/stores/store/genes", { method: "POST", headers, body: '{"genes":["g,D"]}' });
  expect(((await posted.json()) as { names: string[] }).names).toEqual(["g,D"]);
}

/** What is used of miniflare. */
interface Miniflare {
  dispatchFetch(url: string, init?: RequestInit): Promise<Response>;
  getR2Bucket(name: string): Promise<{ put(key: string, bytes: ArrayBuffer): Promise<unknown> }>;
  dispose(): Promise<void>;
}

it("a Worker with a bucket, bundled by esbuild as wrangler does", async (context) => {
  const miniflare = await runtime("miniflare", context);
  const esbuild = join(await runtime("esbuild", context), "bin", "esbuild");
  const cwd = await installed("worker");
  const options = ["--bundle", "--format=esm", "--conditions=workerd,worker,browser", "--outfile=out.js"];
  await run(esbuild, ["worker.mjs", ...options, "--log-level=error"], { cwd });
  const { Miniflare } = (await import(pathToFileURL(join(miniflare, "dist", "src", "index.js")).href)) as {
    Miniflare: new (options: object) => Miniflare;
  };
  const date = /compatibility_date = "([^"]+)"/.exec(await readFile(join(cwd, "wrangler.toml"), "utf8"))![1];
  const worker = new Miniflare({
    modules: true,
    script: await readFile(join(cwd, "out.js"), "utf8"),
    compatibilityDate: date,
    r2Buckets: ["BUCKET"],
    bindings: { STORE_PATH: "some/where" },
  });
  onTestFinished(() => worker.dispose());
  const bucket = await worker.getR2Bucket("BUCKET");
  const store = join(folder.path, "store");
  for (const entry of await readdir(store, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const bytes = new Uint8Array(await readFile(path));
    await bucket.put(`some/where${path.slice(store.length)}`, bytes.buffer);
  }
  await expectTheSame((path, init) => worker.dispatchFetch(`http://worker.test${path}`, init));
}, 180_000);

it("Deno", async (context) => {
  const deno = await runtime("deno", context);
  const cwd = await installed("deno");
  await writeFile(join(cwd, "package.json"), '{ "private": true, "type": "module" }');
  const port = await freePort();
  // deno.json names the package in npm's registry: here it is the one beside.
  const options = ["--no-config", "--node-modules-dir=manual", "--unstable-no-legacy-abort"];
  const child = spawn(deno, ["run", ...options, "--allow-net", "--allow-env", "--allow-read", "main.ts"], {
    cwd,
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, CELLARR_STORE: join(folder.path, "store"), PORT: `${port}` },
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let told = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    told += text;
  });
  const url = `http://127.0.0.1:${port}`;
  await vi.waitFor(() => expect(told).toContain("Listening"), { timeout: 60_000, interval: 100 });
  await expectTheSame((path, init) => fetch(url + path, init));
  expect(told.trim().split("\n").length).toBe(1);
}, 180_000);

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== "object" || address === null) throw new Error("no port");
  return address.port;
}
