import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { MemoryStore } from "../../../src/storage/memory.js";
import {
  HttpClient,
  type HttpClientOptions,
  type HttpRequest,
} from "../../../src/storage/remote/http-client.js";
import { setTransport } from "../../../src/storage/remote/machine.js";
import { nodeTransport } from "../../../src/storage/remote/transport-node.js";
import { startFileServer } from "../../support/file-server.js";
import { type Fault, type RemoteProxy, startProxy } from "../../support/remote-proxy.js";

const CONTENT = new TextEncoder().encode("0123456789".repeat(1000));
const policy = { baseDelay: 1, timeout: 10_000 };

// What clients use that are given no fetch.
beforeAll(() => setTransport(nodeTransport));
afterAll(() => setTransport(undefined));

/** A server with one file behind a proxy. */
async function proxied(): Promise<RemoteProxy> {
  const store = new MemoryStore();
  await store.put("file", CONTENT);
  const server = await startFileServer(store);
  const proxy = await startProxy({ target: server.url });
  onTestFinished(async () => {
    await proxy.close();
    await server.close();
  });
  return proxy;
}

function get(proxy: RemoteProxy, more: Partial<HttpRequest> = {}): HttpRequest {
  const url = `${proxy.url}/file?sig=secret`;
  return { method: "GET", url, accept: [200], where: url, ...more };
}

describe.each<[string, HttpClientOptions]>([
  ["fetch", { fetch: globalThis.fetch }],
  ["node:http", {}],
])("HttpClient by %s", (_, by) => {
  const quick = { ...by, retry: policy };

  it.each<Fault>(["error", "slow-down", "throttled", "disconnect", "cut", "announced-more"])(
    "tries again after '%s'",
    async (fault) => {
      const proxy = await proxied();
      proxy.fault([fault, fault]);
      const answer = await new HttpClient(quick).send(get(proxy));
      expect(answer.bytes).toEqual(CONTENT);
      expect(answer.attempt).toBe(3);
      expect(proxy.stats().requests).toBe(3);
    },
  );

  it.each<Fault>(["hang", "stall"])(
    "tries again after '%s', and may find a slow answer too slow",
    async (fault) => {
      const proxy = await proxied();
      proxy.fault([fault, fault]);
      const client = new HttpClient({ ...by, retry: { baseDelay: 1, timeout: 300, tries: 20 } });
      const answer = await client.send(get(proxy));
      expect(answer.bytes).toEqual(CONTENT);
      expect(answer.attempt).toBeGreaterThanOrEqual(3);
    },
  );

  it.each<[Fault, RegExp]>([
    ["hang", /nothing came for 0\.2 s/],
    ["stall", /nothing came for 0\.2 s/],
  ])("says what went wrong when it gives up after '%s', and no secrets", async (fault, message) => {
    const proxy = await proxied();
    proxy.fault(() => fault);
    const client = new HttpClient({ ...by, retry: { baseDelay: 1, timeout: 200, tries: 2 } });
    const error = await client.send(get(proxy)).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "STORAGE", where: `${proxy.url}/file` });
    expect(String(error)).toMatch(message);
    expect(String(error)).not.toContain("secret");
    expect(proxy.stats().requests).toBe(2);
  });

  it.each<[Fault, RegExp]>([
    ["error", /gave up after 2 attempts: the server answered 500 Internal Server Error, internal error/],
    ["slow-down", /answered 503 .*, SlowDown: Please reduce your request rate/],
    ["disconnect", /the connection failed: /],
    ["cut", /the connection failed: |of the 10000 bytes that it announced/],
  ])("says what went wrong when it gives up after '%s'", async (fault, message) => {
    const proxy = await proxied();
    proxy.fault(() => fault);
    const client = new HttpClient({ ...by, retry: { ...quick.retry, tries: 2 } });
    await expect(client.send(get(proxy))).rejects.toThrow(message);
  });

  it("does not ask twice for what is refused", async () => {
    const proxy = await proxied();
    const request = get(proxy, { url: `${proxy.url}/other`, accept: [200] });
    await expect(new HttpClient(quick).send(request)).rejects.toThrow(/the server answered 404 Not Found/);
    expect(proxy.stats().requests).toBe(1);
    const answer = await new HttpClient(quick).send({ ...request, accept: [200, 404] });
    expect(answer.status).toBe(404);
  });

  it("ends at once when the caller aborts: while waiting for an answer, between attempts, before it begins", async () => {
    const proxy = await proxied();
    const slow = new HttpClient({ ...by, retry: { baseDelay: 60_000, timeout: 60_000 }, concurrency: 1 });
    proxy.fault(["hang", "error"]);
    for (const wait of [50, 100]) {
      const controller = new AbortController();
      const sent = slow.send(get(proxy, { signal: controller.signal }));
      setTimeout(() => controller.abort(new Error("enough")), wait);
      const error = await sent.catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: "ABORTED", cause: new Error("enough") });
    }
    const before = proxy.stats().requests;
    const aborted = slow.send(get(proxy, { signal: AbortSignal.abort() }));
    await expect(aborted).rejects.toMatchObject({ code: "ABORTED" });
    expect(proxy.stats().requests).toBe(before);
  });

  it("ends a fetch that heeds no signal", async () => {
    const deaf = new HttpClient({ ...quick, fetch: () => new Promise(() => {}) });
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 20);
    const request: HttpRequest = { method: "GET", url: "http://host/", accept: [200], where: "x" };
    const sent = deaf.send({ ...request, signal: controller.signal });
    await expect(sent).rejects.toMatchObject({ code: "ABORTED" });
    const patient = new HttpClient({ fetch: () => new Promise(() => {}), retry: { tries: 1, timeout: 20 } });
    await expect(patient.send(request)).rejects.toThrow(/nothing came for 0\.02 s/);
  });

  it("has no more requests under way than it may", async () => {
    const proxy = await proxied();
    proxy.setDelay(20);
    const client = new HttpClient({ ...by, concurrency: 3 });
    await Promise.all(Array.from({ length: 10 }, () => client.send(get(proxy))));
    expect(proxy.stats()).toMatchObject({ requests: 10, mostAtOnce: 3 });
  });

  it("signs every attempt anew", async () => {
    const proxy = await proxied();
    proxy.fault(["error"]);
    let signed = 0;
    const sign = async (request: HttpRequest) => ({ ...request, url: `${request.url}&n=${++signed}` });
    await new HttpClient({ ...quick, sign }).send(get(proxy));
    expect(proxy.stats().log.map(({ query }) => query)).toEqual(["sig=secret&n=1", "sig=secret&n=2"]);
  });

  it("takes no more bytes than allowed, whether they are announced or not", async () => {
    const proxy = await proxied();
    const send = new HttpClient(quick).send(get(proxy, { maxBytes: 9999 }));
    await expect(send).rejects.toThrow(/sends 10000 bytes or more, at most 9999/);
    const chunked = async () => new Response(new Blob([CONTENT as BlobPart]).stream());
    const client = new HttpClient({ ...quick, fetch: chunked });
    await expect(client.send(get(proxy, { maxBytes: 9999 }))).rejects.toThrow(/at most 9999/);
    const lying = async () => new Response("x", { headers: { "content-length": "4503599627370496" } });
    const believer = new HttpClient({ fetch: lying, retry: { tries: 1 } });
    await expect(believer.send(get(proxy))).rejects.toThrow(/sent 1 of the 4503599627370496 bytes/);
  });

  it("waits as long as the server says, but not for ever", async () => {
    const times: number[] = [];
    const busy = (retryAfter: string) => async () => {
      times.push(performance.now());
      return times.length > 1
        ? new Response("done")
        : new Response("", { status: 503, headers: { "retry-after": retryAfter } });
    };
    const request: HttpRequest = { method: "GET", url: "http://host/", accept: [200], where: "x" };
    await new HttpClient({ fetch: busy("1"), retry: { baseDelay: 1 } }).send(request);
    expect(times[1]! - times[0]!).toBeGreaterThan(980);
    times.length = 0;
    const impatient = new HttpClient({ fetch: busy("3600"), retry: { baseDelay: 1 } });
    await expect(impatient.send(request)).rejects.toThrow(/gave up after 1 attempt/);
  });

  it("takes compressed answers of other origins, of which pages are not told that they are", async () => {
    const fetch = async () => {
      const response = new Response("uncompressed", { headers: { "content-length": "5" } });
      Object.defineProperty(response, "type", { value: "cors" });
      return response;
    };
    const answer = await new HttpClient({ fetch, retry: { tries: 1 } }).send({
      method: "GET",
      url: "http://host/",
      accept: [200],
      where: "x",
    });
    expect(new TextDecoder().decode(answer.bytes)).toBe("uncompressed");
  });

  it("puts one listener on a signal, whatever waits for it", async () => {
    const proxy = await proxied();
    const { signal } = new AbortController();
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners++;
      add(...args);
    };
    proxy.fault(["error", "error"]);
    const client = new HttpClient({ ...quick, concurrency: 20 });
    await Promise.all(Array.from({ length: 40 }, () => client.send(get(proxy, { signal }))));
    expect(listeners).toBe(1);
  });

  it("refuses what is no URL, without naming secrets in it", async () => {
    const url = "http://me:secret@[bad/a@b?sig=secret";
    const request: HttpRequest = { method: "GET", url, accept: [200], where: url };
    const refused = new HttpClient().send(request);
    await expect(refused).rejects.toMatchObject({ code: "ARGUMENT", where: "http://[bad/a@b" });
    await expect(refused).rejects.not.toThrow("secret");
  });

  it("says of each address of a host why it failed", async () => {
    const refused = (address: string) => new Error(`connect ECONNREFUSED ${address}`);
    const cause = new AggregateError([refused("::1:80"), refused("127.0.0.1:80")]);
    const failing = [cause, new TypeError("fetch failed", { cause })];
    for (const error of failing) {
      const client = new HttpClient({ fetch: () => Promise.reject(error), retry: { tries: 1 } });
      await expect(
        client.send({ method: "GET", url: "http://host/", accept: [200], where: "x" }),
      ).rejects.toThrow(/failed: connect ECONNREFUSED ::1:80; connect ECONNREFUSED 127\.0\.0\.1:80/);
    }
  });
});

describe("the platform's transport", () => {
  const request: HttpRequest = { method: "GET", url: "http://host/", accept: [200], where: "x" };

  it("stands back for a fetch that is given, and for a global one that the program has replaced", async () => {
    const proxy = await proxied();
    expect((await new HttpClient().send(get(proxy))).bytes).toEqual(CONTENT);
    const fetch = async () => new Response("other");
    expect((await new HttpClient({ fetch }).send(request)).bytes.byteLength).toBe(5);
    vi.stubGlobal("fetch", fetch);
    onTestFinished(() => void vi.unstubAllGlobals());
    expect((await new HttpClient().send(request)).bytes.byteLength).toBe(5);
  });
});
