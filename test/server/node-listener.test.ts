import { createServer, request as nodeRequest, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createHandler, type Handler, nodeListener } from "../../src/server.js";
import { buildSmall } from "./support.js";

/** A handler behind node:http. */

let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function listen(handler: Handler): Promise<string> {
  server = createServer(nodeListener(handler));
  await new Promise<void>((resolve) => server!.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** What raw bytes on the wire are answered. */
function raw(url: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect(Number(new URL(url).port), "127.0.0.1", () => socket.write(text));
    socket.on("data", (part) => {
      answer += part;
    });
    socket.on("close", () => resolve(answer)).on("error", reject);
  });
}

describe("a server", () => {
  it("answers GET, HEAD, POST and what is known already", async () => {
    const handler = createHandler((await buildSmall()).place, { cors: "*" });
    const url = await listen(handler);
    const path = "/stores/store/slice?cells=0:3&genes=gA1";
    const direct = await handler(new Request(`http://s.test${path}`));
    const get = await fetch(url + path);
    expect(get.status).toBe(200);
    expect(Object.fromEntries(get.headers)).toMatchObject(Object.fromEntries(direct.headers));
    expect(await get.json()).toEqual(await direct.json());
    const head = await fetch(url + path, { method: "HEAD" });
    expect([head.status, head.headers.get("etag"), await head.text()]).toEqual([
      200,
      get.headers.get("etag"),
      "",
    ]);
    const known = await fetch(url + path, { headers: { "if-none-match": get.headers.get("etag")! } });
    expect([known.status, await known.text()]).toEqual([304, ""]);
    const post = await fetch(`${url}/stores/store/genes`, {
      method: "POST",
      body: JSON.stringify({ genes: ["g,D"] }),
      headers: { "content-type": "application/json" },
    });
    expect((await post.json()).names).toEqual(["g,D"]);
    expect((await fetch(`${url}/nowhere`)).status).toBe(404);
  });

  it("streams", async () => {
    const body = () => {
      let left = 100;
      return new ReadableStream<Uint8Array>({
        pull(controller) {
          if (left-- === 0) controller.close();
          else controller.enqueue(new Uint8Array(65_536).fill(left));
        },
      });
    };
    const url = await listen(async () => new Response(body()));
    expect((await (await fetch(url)).arrayBuffer()).byteLength).toBe(100 * 65_536);
  });

  it("breaks the connection where an answer breaks off", async () => {
    const url = await listen(async () => {
      const stream = new ReadableStream({
        pull(controller) {
          controller.enqueue(new Uint8Array(10));
          controller.error(new Error("broken"));
        },
      });
      return new Response(stream);
    });
    await expect(fetch(url).then((response) => response.arrayBuffer())).rejects.toThrow();
    const failing = await listen(async () => {
      throw new Error("broken");
    });
    await expect(fetch(failing)).rejects.toThrow();
  });

  it("aborts the request whose client goes away", async () => {
    const signals: AbortSignal[] = [];
    const url = await listen((request) => {
      signals.push(request.signal);
      return new Promise(() => {});
    });
    const client = nodeRequest(url).on("error", () => {});
    client.end();
    await vi.waitFor(() => expect(signals.length).toBe(1));
    expect(signals[0]!.aborted).toBe(false);
    client.destroy();
    await vi.waitFor(() => expect(signals[0]!.aborted).toBe(true));
  });

  it("stops reading the answer when its client goes away", async () => {
    let cancelled = false;
    const url = await listen(async () => {
      const stream = new ReadableStream({
        async pull(controller) {
          await new Promise((resolve) => setTimeout(resolve, 1));
          controller.enqueue(new Uint8Array(65_536));
        },
        cancel() {
          cancelled = true;
        },
      });
      return new Response(stream);
    });
    const ended = new AbortController();
    const response = await fetch(url, { signal: ended.signal });
    await response.body!.getReader().read();
    ended.abort();
    await vi.waitFor(() => expect(cancelled).toBe(true), 5000);
  });

  it("takes no other host's URL, and refuses what is no URL", async () => {
    const paths: string[] = [];
    const url = await listen(async (request) => {
      paths.push(request.url);
      return new Response(null);
    });
    const close = "host: x\r\nconnection: close\r\n\r\n";
    await raw(url, `GET http://evil.example/a?b HTTP/1.1\r\n${close}`);
    await raw(url, `GET //evil.example/a HTTP/1.1\r\n${close}`);
    expect(paths).toEqual(["http://localhost/a?b", "http://localhost//evil.example/a"]);
    expect(await raw(url, `TRACE / HTTP/1.1\r\n${close}`)).toMatch(/^HTTP\/1\.1 400/);
  });
});
