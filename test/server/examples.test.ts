import { execFile, spawn } from "node:child_process";
import { cp, mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { tableFromIPC } from "apache-arrow";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { CellArrDataset } from "../../src/cellarr/dataset.js";
import { resolveNodePath } from "../../src/storage/node-fs.js";
import { S3Store } from "../../src/storage/s3/s3-store.js";
import { functionUrlEvent, startLambda } from "../support/lambda.js";
import { hasServer, s3Server } from "../support/s3-server.js";
import { keptFolder, temporaryFolder } from "../support/temporary.js";
import { buildSmall, denseOf } from "./support.js";

/** The examples for Node and AWS Lambda, as a user would have them: beside an installed package. */

const root = fileURLToPath(new URL("../..", import.meta.url));
let folder: Awaited<ReturnType<typeof keptFolder>>;
let store: string;
let dataset: CellArrDataset;

beforeAll(async () => {
  await promisify(execFile)(process.execPath, [join(root, "scripts", "build.mjs"), "--if-stale"]);
  folder = await keptFolder();
  store = join(folder.path, "store");
  ({ dataset } = await buildSmall(resolveNodePath(store)!));
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

it("Node: a server", async () => {
  const cwd = await installed("node");
  const child = spawn(process.execPath, ["server.mjs"], {
    cwd,
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, CELLARR_STORE: store, PORT: "0" },
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding("utf8").once("data", (text: string) => resolve(text.trim()));
    child.once("close", () => reject(new Error("ended before it printed its URL")));
  });
  const summary = await fetch(`${url}stores/store`);
  expect([summary.status, summary.headers.get("access-control-allow-origin")]).toEqual([200, "*"]);
  expect(await summary.json()).toMatchObject({ shape: [12, 6] });
  const ended = new Promise((resolve) => child.once("close", resolve));
  child.kill("SIGTERM");
  expect(await ended).toBe(0);
});

describe("Lambda", () => {
  const post = { method: "POST", headers: { "content-type": "application/json" } };
  const asked = { cells: [1, 0], genes: ["g,D"], matrix: "counts" };

  it("of a folder, through the Runtime API", () => checkFunction({ CELLARR_STORE: store }));

  it.skipIf(!hasServer.s3proxy)("of a bucket, with credentials in the environment", async () => {
    const server = await s3Server();
    const bucket = await server.bucket();
    await buildSmall({ store: new S3Store({ bucket, config: server.config }), path: "some/store" });
    await checkFunction({
      CELLARR_STORE: `s3://${bucket}/some/store`,
      AWS_ACCESS_KEY_ID: server.accessKey,
      AWS_SECRET_ACCESS_KEY: server.secretKey,
      AWS_REGION: server.region,
      AWS_ENDPOINT_URL_S3: server.endpoint,
    });
  });

  async function checkFunction(environment: Readonly<Record<string, string>>): Promise<void> {
    const lambda = await startLambda(await installed("lambda"), "index.handler", environment);
    onTestFinished(() => lambda.stop());
    const ask = (path: string, request = {}) => lambda.invoke(functionUrlEvent(path, request));

    const json = await ask("/stores/store/slice?cells=0:3&genes=gA1,gB1&columns=age");
    expect([json.statusCode, json.isBase64Encoded]).toEqual([200, false]);
    expect(json.headers).toMatchObject({
      "content-type": "application/json",
      "access-control-allow-origin": "*",
    });
    const answer = JSON.parse(json.body);
    const part = await dataset.getSlice([0, 1, 2, 3], ["gA1", "gB1"]);
    const dense = [...part.dense("counts").values].map(Number);
    expect(denseOf(answer.matrices.counts, [4, 2]).flat()).toEqual(dense);

    const same = { headers: { "if-none-match": json.headers.etag! } };
    const known = await ask("/stores/store/slice?cells=0:3&genes=gA1,gB1&columns=age", same);
    expect([known.statusCode, known.body]).toEqual([304, ""]);

    const where = encodeURIComponent("tissue == 'heart, left'");
    const csv = await ask(`/stores/store/cells?where=${where}&columns=tissue&format=csv`);
    expect([csv.isBase64Encoded, csv.body.split("\n")[1]]).toEqual([false, '1,"heart, left"']);

    const arrow = await ask("/stores/store/cells?columns=age", {
      headers: { accept: "application/vnd.apache.arrow.stream" },
    });
    expect(arrow.isBase64Encoded).toBe(true);
    const table = tableFromIPC(Buffer.from(arrow.body, "base64"));
    expect(table.getChild("age")!.toJSON()).toEqual([10, 20, 30, 40, 50, 60, 70, 1, 2, 3, 4, 5]);

    for (const base64 of [false, true]) {
      const posted = await ask("/stores/store/slice", { ...post, body: JSON.stringify(asked), base64 });
      expect(JSON.parse(posted.body)).toMatchObject({ cells: [1, 0], genes: ["g,D"] });
    }
    const head = await ask("/stores/store", { method: "HEAD" });
    expect([head.statusCode, head.body]).toEqual([200, ""]);
    const wrong = await ask("/stores/store/cells?cells=99");
    expect([wrong.statusCode, wrong.isBase64Encoded, JSON.parse(wrong.body).status]).toEqual([
      400,
      false,
      400,
    ]);
    const preflight = await ask("/stores/store/cells", {
      method: "OPTIONS",
      headers: { origin: "https://a.example", "access-control-request-method": "POST" },
    });
    expect([preflight.statusCode, preflight.body]).toEqual([204, ""]);
  }
});
