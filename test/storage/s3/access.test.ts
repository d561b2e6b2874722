import { readFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { fileURLToPath } from "node:url";
import "../../../src/node-platform.js";
import { describe, expect, it, vi } from "vitest";
import { openArray } from "../../../src/array/open.js";
import { createArray } from "../../../src/array/write/create.js";
import { writeSparse } from "../../../src/array/write/write-sparse.js";
import { runCommandLine } from "../../../src/cli/run.js";
import { S3Store } from "../../../src/storage/s3/s3-store.js";
import { listedSizes } from "../../support/listed-sizes.js";
import { startProxy } from "../../support/remote-proxy.js";
import { hasServer, s3Server } from "../../support/s3-server.js";
import { useEnvironment } from "./fake-s3.js";

/** Who may do what, and how one gets there: policies, pages, environment, broken lines. */

const bytes = (text: string) => new TextEncoder().encode(text);
const PART = 5 * 2 ** 20;

describe.skipIf(!hasServer.versitygw)("access on versitygw", { timeout: 180_000 }, () => {
  async function publicBucket(actions: readonly string[]) {
    const server = await s3Server("versitygw");
    const bucket = await server.bucket();
    const owner = new S3Store({ bucket, config: server.config });
    await owner.put("a/b", bytes("public"));
    const Resource = [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`];
    const Statement = actions.map((action, at) => ({
      Effect: "Allow",
      Principal: "*",
      Action: action,
      Resource: Resource[at],
    }));
    const policy = JSON.stringify({ Version: "2012-10-17", Statement });
    const answer = await server.request("PUT", `${bucket}?policy=`, policy);
    expect([answer.ok, await answer.text()]).toEqual([true, ""]);
    const { "vfs.s3.aws_access_key_id": _, "vfs.s3.aws_secret_access_key": __, ...config } = server.config;
    return new S3Store({ bucket, config: { ...config, "vfs.s3.no_sign_request": "true" } });
  }

  it("by anyone: reads and lists without a signature, and is refused to write", async () => {
    const store = await publicBucket(["s3:ListBucket", "s3:GetObject"]);
    expect(await store.get("a/b")).toEqual(bytes("public"));
    expect(await store.getRange("a/b", { start: 1, end: 3 })).toEqual(bytes("ub"));
    expect(await store.get("a/c")).toBeUndefined();
    expect(await listedSizes(store, "a")).toEqual([{ key: "a/b", size: 6 }]);
    await expect(store.put("a/c", bytes("x"))).rejects.toThrow(
      /cannot write: AccessDenied: .* \(HTTP 403\); requests are not signed/,
    );
    await expect(store.delete("a/b")).rejects.toThrow("AccessDenied");
    await expect(store.deletePrefix("a")).rejects.toThrow("AccessDenied");
    expect(await store.get("a/b")).toEqual(bytes("public"));
  });

  it("by a bucket's own host name", async () => {
    const server = await s3Server("versitygw");
    const bucket = await server.bucket();
    const port = Number(new URL(server.endpoint).port);
    const hosts = new Set<string>();
    const config = {
      ...server.config,
      "vfs.s3.endpoint_override": "s3.test",
      "vfs.s3.use_virtual_addressing": "true",
    };
    const fetch: typeof globalThis.fetch = (input, init) => {
      hosts.add(new URL(String(input)).host);
      return sendTo(port, String(input), init);
    };
    const store = new S3Store({ bucket, config, fetch });
    await store.put("odd key+/ü", bytes("there"));
    expect(await store.get("odd key+/ü")).toEqual(bytes("there"));
    expect((await store.list("odd key+")).map(({ key }) => key)).toEqual(["odd key+/ü"]);
    expect([...hosts]).toEqual([`${bucket}.s3.test`]);
  });

  it("of pages: the rules of the documentation let all requests through", async () => {
    const server = await s3Server("versitygw");
    const bucket = await server.bucket();
    const docs = readFileSync(fileURLToPath(new URL("../../../docs/storage.md", import.meta.url)), "utf8");
    const rules = /<CORSConfiguration>[\s\S]*<\/CORSConfiguration>/.exec(docs)![0];
    const answer = await server.request("PUT", `${bucket}?cors=`, rules);
    expect([answer.ok, await answer.text()]).toEqual([true, ""]);

    const seen = new Set<string>();
    // What a browser does: the preflight with the names of the headers that are not simple, then the request.
    const pageFetch: typeof fetch = async (input, init) => {
      const request = new Request(input as string, init);
      const names = [...request.headers.keys()].filter((name) => name !== "accept-encoding");
      const origin = "https://page.example";
      const preflight = await fetch(request.url, {
        method: "OPTIONS",
        headers: {
          origin,
          "access-control-request-method": request.method,
          "access-control-request-headers": names.join(","),
        },
      });
      expect([request.method, preflight.status]).toEqual([
        request.method,
        expect.toSatisfy((code) => code < 300),
      ]);
      expect(preflight.headers.get("access-control-allow-origin")).toBe(origin);
      const allowed = preflight.headers.get("access-control-allow-headers")!.toLowerCase();
      for (const name of names) expect(allowed === "*" ? name : allowed).toContain(name);
      const response = await fetch(input, { ...init, headers: { ...(init?.headers as object), origin } });
      expect(response.headers.get("access-control-allow-origin")).toBe(origin);
      expect(response.headers.get("access-control-expose-headers")!.toLowerCase()).toContain("etag");
      seen.add(request.method);
      return response;
    };
    const store = new S3Store({ bucket, config: server.config, fetch: pageFetch });
    const writer = await store.writer("d/large");
    await writer.write(new Uint8Array(PART + 1));
    await writer.close();
    await store.put("d/b", bytes("abc"));
    expect(await store.getRange("d/b", { start: 1, end: 2 })).toEqual(bytes("b"));
    expect(await store.getRange("d/b", { start: 3, end: 3 })).toEqual(bytes(""));
    await store.deletePrefix("d");
    await store.delete("d/b");
    expect([...seen].sort()).toEqual(["DELETE", "GET", "HEAD", "POST", "PUT"]);
  });
});

describe.skipIf(!hasServer.s3proxy)("access on s3proxy", { timeout: 180_000 }, () => {
  async function smallArray() {
    const server = await s3Server("s3proxy");
    const bucket = await server.bucket();
    const location = { store: new S3Store({ bucket, config: server.config }), path: "arrays/small" };
    await createArray(location, {
      arrayType: "sparse",
      dimensions: [{ name: "row", datatype: "int32", domain: [0, 99] }],
      attributes: [{ name: "value", datatype: "int16" }],
    });
    await writeSparse(location, { row: Int32Array.of(3, 4, 50), value: Int16Array.of(30, 40, 500) });
    return { server, bucket, uri: `s3://${bucket}/arrays/small` };
  }

  it("by URI, with settings or what the environment says", async () => {
    const { server, uri } = await smallArray();
    const values = async (storage = {}) => {
      const { columns } = await (await openArray(uri, { storage })).read();
      return columns.value;
    };
    const expected = await values({ config: server.config });
    expect(expected).toMatchObject({ values: Int16Array.of(30, 40, 500) });
    expect(await values({ config: Object.entries(server.config) })).toEqual(expected);
    useEnvironment({
      AWS_ENDPOINT_URL_S3: server.endpoint,
      AWS_ACCESS_KEY_ID: server.accessKey,
      AWS_SECRET_ACCESS_KEY: server.secretKey,
    });
    expect(await values()).toEqual(expected);
    process.env.AWS_SECRET_ACCESS_KEY = "other";
    await expect(values()).rejects.toThrow("SignatureDoesNotMatch");
    await expect(values({ config: { "vfs.s3.regoin": "x" } })).rejects.toThrow("vfs.s3.regoin is unknown");
  });

  it("by the command line", async () => {
    const { server, uri } = await smallArray();
    const settings = Object.entries(server.config).flatMap(([name, value]) => [
      "--config",
      `${name}=${value}`,
    ]);
    const printed: string[] = [];
    vi.spyOn(process.stdout, "write").mockImplementation((text) => printed.push(String(text)) > 0);
    const status = await runCommandLine(["array", "read", uri, ...settings]);
    vi.restoreAllMocks();
    expect(status).toBe(0);
    const cells = printed.join("").trim().split(/\r?\n/);
    expect(cells.map((line) => JSON.parse(line))).toEqual([
      { row: 3, value: 30 },
      { row: 4, value: 40 },
      { row: 50, value: 500 },
    ]);
  });

  it("through a line that breaks: tried again, never wrong", async () => {
    const server = await s3Server("s3proxy");
    const bucket = await server.bucket();
    const proxy = await startProxy({ target: server.endpoint, delayMs: 0 });
    try {
      const config = {
        ...server.config,
        "vfs.s3.endpoint_override": proxy.url,
        "vfs.s3.request_timeout_ms": "1000",
        "vfs.s3.connect_scale_factor": "1",
      };
      const store = new S3Store({ bucket, config });
      const value = Uint8Array.from({ length: 2 * PART + 9 }, (_, at) => (at * 31) % 251);
      proxy.fault(["slow-down", "error", undefined, "disconnect", undefined, "slow-down"]);
      const writer = await store.writer("large");
      await writer.write(value);
      await writer.close();
      for (const fault of [
        "cut",
        "announced-more",
        "longer",
        "shorter",
        "stall",
        "slow-down",
        "disconnect",
      ] as const) {
        proxy.fault([fault]);
        const part = await store.getRange("large", { start: 100, end: 5000 });
        expect(Buffer.compare(part!, value.subarray(100, 5000))).toBe(0);
        proxy.fault([fault === "longer" || fault === "shorter" ? "cut" : fault]);
        expect(await listedSizes(store, "")).toEqual([{ key: "large", size: value.length }]);
      }
      expect(Buffer.compare((await store.get("large"))!, value)).toBe(0);
      proxy.fault(() => "slow-down");
      await expect(store.get("large")).rejects.toThrow(/gave up after 5 attempts: .*503.*SlowDown/);
    } finally {
      await proxy.close();
    }
  });
});

/** fetch of a host that no name server knows. */
function sendTo(port: number, url: string, init: RequestInit = {}): Promise<Response> {
  const { host, pathname, search } = new URL(url);
  return new Promise((resolve, reject) => {
    const headers = { ...(init.headers as Record<string, string>), host };
    const options = {
      port,
      host: "127.0.0.1",
      path: pathname + search,
      method: init.method ?? "GET",
      headers,
    };
    const request = httpRequest(options, async (response) => {
      const parts: Buffer[] = [];
      for await (const part of response) parts.push(part as Buffer);
      const found = new Headers(
        Object.entries(response.headers).map(([name, value]) => [name, String(value)]),
      );
      const body = Buffer.concat(parts);
      resolve(
        new Response(body.length === 0 ? null : body, { status: response.statusCode!, headers: found }),
      );
    });
    request.once("error", reject);
    request.end(init.body as Uint8Array | undefined);
  });
}
