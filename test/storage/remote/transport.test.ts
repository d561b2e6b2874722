import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createTlsServer, globalAgent as httpsAgent } from "node:https";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { describe, expect, it, onTestFinished } from "vitest";
import { AttemptWatch } from "../../../src/storage/remote/attempt-watch.js";
import { readBody } from "../../../src/storage/remote/read-body.js";
import {
  fetchTransport,
  type Transport,
  type TransportAnswer,
  type TransportRequest,
} from "../../../src/storage/remote/transport.js";
import { nodeTransport } from "../../../src/storage/remote/transport-node.js";
import { temporaryFolder } from "../../support/temporary.js";

/** What sends requests in Node does as fetch, which says what is right. */

const transports: readonly (readonly [string, Transport])[] = [
  ["fetch", fetchTransport(globalThis.fetch)],
  ["node:http", nodeTransport],
];

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

interface Server {
  readonly url: string;
  readonly seen: Seen[];
  readonly sockets: Set<Socket>;
}

type Answer = (request: IncomingMessage, response: ServerResponse, seen: Seen) => void;

async function serve(answer: Answer): Promise<Server> {
  const seen: Seen[] = [];
  const sockets = new Set<Socket>();
  const listen: RequestListener = async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const { method = "", url = "", headers } = request;
    const one = { method, url, headers, body: Buffer.concat(parts).toString() };
    seen.push(one);
    answer(request, response, one);
  };
  const server = createServer((request, response) => void listen(request, response));
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen, sockets };
}

function requestTo(url: string, more: Partial<TransportRequest> = {}): TransportRequest {
  return { method: "GET", url, headers: {}, signal: new AbortController().signal, ...more };
}

async function textOf(answer: TransportAnswer): Promise<string> {
  const watch = new AttemptWatch(undefined, 10_000, 0);
  try {
    const bytes = await readBody(answer, { method: "GET", where: "here" }, watch);
    return new TextDecoder().decode(bytes);
  } finally {
    watch.stop();
  }
}

describe.each(transports)("requests by %s", (_, send) => {
  it("bring status, headers and body", async () => {
    const { url } = await serve((_request, response) => {
      response.writeHead(
        207,
        "Several Things",
        [
          ["X-Upper", "Value"],
          ["set-cookie", "a=1"],
          ["set-cookie", "b=2"],
          ["x-twice", "1"],
          ["x-twice", "2"],
        ].flat(),
      );
      response.end("body");
    });
    const answer = await send(requestTo(`${url}/a%20b?c=d%2Fe#f`));
    expect(answer).toMatchObject({ status: 207, statusText: "Several Things", isCors: false });
    const { headers } = answer;
    expect([headers.get("x-upper"), headers.get("X-UPPER"), headers.get("none")]).toEqual([
      "Value",
      "Value",
      null,
    ]);
    expect(headers.get("x-twice")).toBe("1, 2");
    expect(headers.get("set-cookie")).toBe("a=1, b=2");
    expect(await textOf(answer)).toBe("body");
  });

  it("send method, address, headers and body", async () => {
    const { url, seen } = await serve((_request, response) => response.end());
    const headers = { "X-Own": "1", "accept-encoding": "identity" };
    await send(requestTo(`${url}/a%20b?c=d%2Fe#f`, { headers }));
    await send(requestTo(url, { method: "PUT", body: new TextEncoder().encode("ü12").subarray(1) }));
    await send(requestTo(url, { method: "POST", body: "grüße" }));
    await send(
      requestTo(url, { method: "POST", body: "{}", headers: { "Content-Type": "application/json" } }),
    );
    await send(requestTo(url, { method: "POST", body: new Uint8Array(0) }));
    await send(requestTo(url, { method: "DELETE", body: "x" }));
    await send(requestTo(url, { method: "PUT" }));
    expect(seen.map(({ method, url: path, body }) => [method, path, body])).toEqual([
      ["GET", "/a%20b?c=d%2Fe", ""],
      ["PUT", "/", "\ufffd12"],
      ["POST", "/", "grüße"],
      ["POST", "/", "{}"],
      ["POST", "/", ""],
      ["DELETE", "/", "x"],
      ["PUT", "/", ""],
    ]);
    expect(seen[0]!.headers).toMatchObject({
      "x-own": "1",
      "accept-encoding": "identity",
      accept: "*/*",
      "user-agent": "node",
    });
    expect(seen.map(({ headers: { "content-length": length } }) => length)).toEqual([
      undefined,
      "3",
      "7",
      "2",
      "0",
      "1",
      "0",
    ]);
    expect(seen.map(({ headers: { "content-type": type } }) => type)).toEqual([
      undefined,
      undefined,
      "text/plain;charset=UTF-8",
      "application/json",
      undefined,
      "text/plain;charset=UTF-8",
      undefined,
    ]);
  });

  it("give no body of HEAD and 204, and use the connection again", async () => {
    const { url, sockets } = await serve((request, response) => {
      if (request.method === "HEAD") response.setHeader("content-length", 1000).end();
      else response.writeHead(204).end();
    });
    const first = await send(requestTo(url, { method: "HEAD" }));
    expect(first.headers.get("content-length")).toBe("1000");
    expect(first.body).toBeNull();
    await sleep(10);
    expect((await send(requestTo(url))).body).toBeNull();
    await sleep(10);
    await send(requestTo(url));
    expect(sockets.size).toBe(1);
  });

  it.each([
    ["gzip", gzipSync("compressed all the same")],
    ["x-gzip", gzipSync("compressed all the same")],
    ["deflate", deflateSync("compressed all the same")],
    ["br", brotliCompressSync("compressed all the same")],
    ["gzip, br", brotliCompressSync(gzipSync("compressed all the same"))],
    ["unheard-of", Buffer.from("compressed all the same")],
  ])("decode %s", async (coding, bytes) => {
    const { url } = await serve((_request, response) => {
      response.writeHead(200, { "content-encoding": coding, "content-length": bytes.length }).end(bytes);
    });
    const answer = await send(requestTo(url));
    expect(answer.headers.get("content-encoding")).toBe(coding);
    expect(await textOf(answer)).toBe("compressed all the same");
  });

  it("fail where what is compressed is not", async () => {
    const { url } = await serve((_request, response) => {
      response.writeHead(200, { "content-encoding": "gzip" }).end("this is no gzip");
    });
    await expect(send(requestTo(url)).then(textOf)).rejects.toThrow();
  });

  it("fail where a body breaks off", async () => {
    const { url } = await serve((_request, response) => {
      response.writeHead(200, { "content-length": 100 });
      response.write("half", () => response.destroy());
    });
    const answer = await send(requestTo(url));
    await expect(textOf(answer)).rejects.toThrow();
  });

  it("take no more of a body than was announced", async () => {
    const server = createTcpServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfour and more"));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const outcome = await send(requestTo(url))
      .then(textOf)
      .catch((error: unknown) => error);
    // Clients that read on before they give the answer away find that it is none.
    if (!(outcome instanceof Error)) expect(outcome).toBe("four");
  });

  it("follow redirects, to other origins without secrets", async () => {
    const other = await serve((_request, response) => response.end("there"));
    const { url, seen } = await serve((request, response) => {
      if (request.url === "/start") response.writeHead(302, { location: "next?a=%2F" }).end("moved");
      else response.writeHead(307, { location: `${other.url}/end` }).end("moved again");
    });
    const secret = { authorization: "secret", cookie: "secret", range: "bytes=0-9" };
    const answer = await send(requestTo(`${url}/start`, { headers: secret }));
    expect(await textOf(answer)).toBe("there");
    expect(seen[1]).toMatchObject({ method: "GET", url: "/next?a=%2F", headers: secret });
    expect(other.seen[0]!.url).toBe("/end");
    expect(other.seen[0]!.headers).toMatchObject({ range: "bytes=0-9", host: other.url.slice(7) });
    expect(other.seen[0]!.headers).not.toHaveProperty("authorization");
    expect(other.seen[0]!.headers).not.toHaveProperty("cookie");
  });

  it.each([
    [301, "POST", "GET", ""],
    [302, "POST", "GET", ""],
    [302, "PUT", "PUT", "text"],
    [303, "PUT", "GET", ""],
    [303, "HEAD", "HEAD", ""],
    [307, "POST", "POST", "text"],
    [308, "PUT", "PUT", "text"],
  ])("after %i of a %s send a %s", async (status, method, then, body) => {
    const { url, seen } = await serve((request, response) => {
      if (request.url === "/end") response.end();
      else response.writeHead(status, { location: "/end" }).end();
    });
    await send(requestTo(url, { method, ...(method !== "HEAD" && { body: "text" }) }));
    expect(seen[1]).toMatchObject({ method: then, url: "/end", body });
    expect("content-type" in seen[1]!.headers).toBe(body !== "");
  });

  it("give redirects as answers where they are wanted so, or lead nowhere", async () => {
    const { url, seen } = await serve((request, response) => {
      response.writeHead(301, request.url === "/nowhere" ? {} : { location: "/end" }).end("moved");
    });
    const answer = await send(requestTo(url, { redirect: "manual" }));
    expect([answer.status, answer.headers.get("location")]).toEqual([301, "/end"]);
    expect(await textOf(answer)).toBe("moved");
    expect((await send(requestTo(`${url}/nowhere`))).status).toBe(301);
    expect(seen.length).toBe(2);
  });

  it("fail at redirects where they are no answer, after 20, and to other places than the web", async () => {
    const { url, seen } = await serve((request, response) => {
      const location = {
        "/file": "file:///etc/hosts",
        "/none": "http://[",
        "/user": "http://a:b@localhost:1/",
      };
      response.writeHead(302, { location: location[request.url as "/file"] ?? "/again" }).end();
    });
    await expect(send(requestTo(url, { redirect: "error" }))).rejects.toThrow();
    expect(seen.length).toBe(1);
    await expect(send(requestTo(url))).rejects.toThrow();
    expect(seen.length).toBe(1 + 21);
    for (const path of ["/file", "/none", "/user"])
      await expect(send(requestTo(url + path))).rejects.toThrow();
  });

  it("read addresses of redirects as UTF-8", async () => {
    const { url, seen } = await serve((request, response) => {
      if (request.url !== "/") response.end();
      else response.writeHead(302, { location: Buffer.from("/grüße").toString("latin1") }).end();
    });
    await send(requestTo(url));
    expect(seen[1]!.url).toBe("/gr%C3%BC%C3%9Fe");
  });

  it("end when the signal fires: before, while waiting, in the middle of the body", async () => {
    let ended = 0;
    const { url } = await serve((request, response) => {
      response.on("close", () => ended++);
      if (request.url === "/silent") return;
      response.writeHead(200, { "content-length": 100 }).write("half");
    });
    await expect(send(requestTo(url, { signal: AbortSignal.abort() }))).rejects.toThrow();
    for (const [at, path] of ["/silent", "/stalled"].entries()) {
      const controller = new AbortController();
      const body = send(requestTo(url + path, { signal: controller.signal })).then(textOf);
      setTimeout(() => controller.abort(), 30);
      await expect(body).rejects.toThrow();
      await expect.poll(() => ended).toBe(at + 1);
    }
  });

  it("say why there is no connection", async () => {
    const server = createTcpServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const error = await send(requestTo(`http://127.0.0.1:${port}/`)).catch(
      (reason: unknown) => reason as Error,
    );
    const said = error instanceof Error ? [error.message, error.cause].join() : "";
    expect(said).toContain(`connect ECONNREFUSED 127.0.0.1:${port}`);
  });

  it("go on after answers that nobody reads", async () => {
    const { url } = await serve((_request, response) => response.end("x".repeat(1000)));
    for (let count = 0; count < 5; count++) await send(requestTo(url));
    expect(await textOf(await send(requestTo(url)))).toHaveLength(1000);
  });
});

describe("requests by node:http", () => {
  it("end for good where they redirect in a circle", async () => {
    const { url } = await serve((_, response) => {
      response.writeHead(302, { location: "/again" }).end();
    });
    // Errors of other kinds are tried again.
    await expect(nodeTransport(requestTo(url))).rejects.toMatchObject({ code: "STORAGE" });
  });

  it("are sent again at once where the server has closed the connection that was kept", async () => {
    let requests = 0;
    const connections = new Map<Socket, number>();
    const { url } = await serve((request, response) => {
      requests++;
      const count = (connections.get(request.socket) ?? 0) + 1;
      connections.set(request.socket, count);
      // As if it had timed out just as the request came.
      if (count > 1) request.socket.destroy();
      else response.end(String(requests));
    });
    expect(await textOf(await nodeTransport(requestTo(url)))).toBe("1");
    await sleep(10);
    expect(await textOf(await nodeTransport(requestTo(url)))).toBe("3");
    expect(connections.size).toBe(2);
    await sleep(10);
    // What changes something is not done twice.
    const put = nodeTransport(requestTo(url, { method: "PUT", body: "x" }));
    await expect(put).rejects.toMatchObject({ code: "ECONNRESET" });
    expect(requests).toBe(4);
  });

  it("are not sent again where a new connection breaks", async () => {
    const { url, seen } = await serve((request) => request.socket.destroy());
    await expect(nodeTransport(requestTo(url))).rejects.toMatchObject({ code: "ECONNRESET" });
    expect(seen.length).toBe(1);
  });

  it("go over TLS with the certificates that the global agent knows, and no others", async (context) => {
    const folder = await temporaryFolder();
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"];
    const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    const made = spawnSync("openssl", ["req", "-x509", ...kind, ...subject, "-keyout", key, "-out", cert]);
    if (made.error !== undefined) return context.skip("needs openssl");
    const pair = { key: await readFile(key), cert: await readFile(cert) };
    const server = createTlsServer(pair, (_request, response) => void response.end("safe"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => server.closeAllConnections());
    onTestFinished(() => void server.close());
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    await expect(nodeTransport(requestTo(url))).rejects.toThrow(/self-signed certificate/);
    httpsAgent.options.ca = pair.cert;
    onTestFinished(() => {
      delete httpsAgent.options.ca;
    });
    expect(await textOf(await nodeTransport(requestTo(url)))).toBe("safe");
  });

  it("reach servers by IPv6", async (context) => {
    const server = createServer((_request, response) => response.end("six"));
    const isThere = await new Promise<boolean>((resolve) => {
      server.on("error", () => resolve(false));
      server.listen(0, "::1", () => resolve(true));
    });
    if (!isThere) return context.skip("this machine has no IPv6");
    onTestFinished(() => void server.close());
    const url = `http://[::1]:${(server.address() as AddressInfo).port}/`;
    expect(await textOf(await nodeTransport(requestTo(url)))).toBe("six");
  });
});
