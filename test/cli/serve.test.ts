import { type ChildProcess, spawn } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { S3Store } from "../../src/storage/s3/s3-store.js";
import { hasServer, s3Server } from "../support/s3-server.js";
import { compiledCli } from "./cli.js";

/** `cellarr serve` as a process. */

const cli = compiledCli();
const store = fileURLToPath(
  new URL("../../spec-fixtures/cellarr-0.3.2/store.plain/dataset", import.meta.url),
);

async function serve(
  ...args: string[]
): Promise<{ url: string; child: ChildProcess; code: Promise<number | null> }> {
  const child = spawn(process.execPath, [cli.main, "serve", "--port", "0", ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  const code = new Promise<number | null>((resolve) => child.once("close", resolve));
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout!.setEncoding("utf8").once("data", (text: string) => resolve(text.trim()));
    child.once("close", () => reject(new Error("ended before it printed its URL")));
  });
  return { url, child, code };
}

it("serves stores by their names until it is interrupted", async () => {
  const { url, child, code } = await serve(
    store,
    `other=${store}`,
    "--cors",
    "https://a.example",
    "--max-rows",
    "2",
  );
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
  expect(
    (await (await fetch(`${url}stores`)).json()).stores.map(({ name }: { name: string }) => name),
  ).toEqual(["dataset", "other"]);
  const queried = JSON.parse((await cli.run("query", store, "--cells", "0:3", "--format", "json")).stdout);
  const response = await fetch(`${url}stores/other/slice?cells=0:3`, {
    headers: { origin: "https://a.example" },
  });
  expect(response.headers.get("access-control-allow-origin")).toBe("https://a.example");
  expect(await response.json()).toEqual(queried);
  expect((await fetch(`${url}stores/dataset/cells?limit=3`)).status).toBe(413);
  child.kill("SIGINT");
  expect(await code).toBe(0);
  await expect(fetch(url)).rejects.toThrow();
});

it.skipIf(!hasServer.s3proxy)("serves a store of a bucket", async () => {
  const { config, bucket } = await s3Server();
  const name = await bucket();
  const there = new S3Store({ bucket: name, config });
  for (const entry of await readdir(store, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    await there.put(`a/b${path.slice(store.length)}`, await readFile(path));
  }
  const settings = Object.entries(config).flatMap(([key, value]) => ["--config", `${key}=${value}`]);
  const { url } = await serve(`s3://${name}/a/b/`, store, ...settings);
  const slice = async (of: string) => (await fetch(`${url}stores/${of}/slice?cells=1:4`)).json();
  expect(await slice("b")).toEqual(await slice("dataset"));
});

it("says what is wrong before it listens", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void taken.close());
  await new Promise((resolve) => taken.once("listening", resolve));
  const { port } = taken.address() as AddressInfo;
  for (const [code, message, args] of [
    [1, /no such folder/, [join(store, "nowhere")]],
    [1, /no cellarr store/, [store, join(store, "assays")]],
    [1, /cannot listen: .*EADDRINUSE/, [store, "--port", `${port}`]],
    [2, /two stores are called dataset/, [store, store]],
    [2, /two stores are called host:1: write/, ["http://me:geheim@host:1/?a=b", "http://host:1"]],
    [2, /--port 70000: expected 0 to 65535/, [store, "--port", "70000"]],
    [2, /--max-bytes none: expected a whole number/, [store, "--max-bytes", "none"]],
    [2, /missing required argument/, []],
  ] as const) {
    const outcome = await cli.run("serve", ...args);
    expect([outcome.code, outcome.stderr]).toEqual([code, expect.stringMatching(message)]);
  }
});
