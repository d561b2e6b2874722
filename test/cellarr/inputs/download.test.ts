import { readdirSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { download } from "../../../src/cellarr/inputs/download.js";
import { buildCellArrDataset, MemoryStore, slice } from "../../../src/node.js";
import { startFileServer } from "../../support/file-server.js";
import { temporaryFolder } from "../../support/temporary.js";
import { denseRows } from "../samples.js";

/** Files over HTTP: what breaks off goes on, what changed is taken anew, what cannot be had is said. */

const close: (() => void)[] = [];
afterEach(() => {
  for (const one of close.splice(0)) one();
});

type Handler = (request: IncomingMessage, response: ServerResponse, count: number) => void;

async function serve(handler: Handler): Promise<{ url: string; ranges: (string | undefined)[] }> {
  const ranges: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    ranges.push(request.headers.range);
    handler(request, response, ranges.length);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  close.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/file.h5ad`, ranges };
}

/** Answers as a server with ranges does, but breaks the connection after `most` bytes of an answer. */
function sender(content: (count: number) => Uint8Array, most: number, ranges = true): Handler {
  return (request, response, count) => {
    const bytes = content(count);
    const etag = `"${bytes[0]}-${bytes.length}"`;
    const wanted = /^bytes=(\d+)-$/.exec(request.headers.range ?? "");
    const isSame = request.headers["if-range"] === etag;
    const start = ranges && wanted !== null && isSame ? Number(wanted[1]) : 0;
    const headers = { "content-length": bytes.length - start, ...(ranges && { etag }) };
    if (start === 0) response.writeHead(200, headers);
    else {
      response.writeHead(206, {
        ...headers,
        "content-range": `bytes ${start}-${bytes.length - 1}/${bytes.length}`,
      });
    }
    const rest = bytes.subarray(start);
    if (rest.length <= most) response.end(rest);
    else response.write(rest.subarray(0, most), () => setTimeout(() => response.destroy(), 20));
  };
}

function collected() {
  let bytes: number[] = [];
  let restarts = 0;
  return {
    write: async (piece: Uint8Array) => {
      bytes.push(...piece);
    },
    restart: async () => {
      bytes = [];
      restarts++;
    },
    get bytes() {
      return Uint8Array.from(bytes);
    },
    get restarts() {
      return restarts;
    },
  };
}

const content = (first: number) => Uint8Array.from({ length: 10_000 }, (_, at) => (at + first) % 251);

describe("download", () => {
  it("goes on where it broke off", async () => {
    const { url, ranges } = await serve(sender(() => content(0), 3000));
    const target = collected();
    const heard: [number, number | null][] = [];
    await download(url, target, { delay: 1, onBytes: (done, total) => heard.push([done, total]) });
    expect(target.bytes).toEqual(content(0));
    expect(target.restarts).toBe(0);
    expect(ranges).toEqual([undefined, "bytes=3000-", "bytes=6000-", "bytes=9000-"]);
    expect(heard.at(-1)).toEqual([10_000, 10_000]);
  });

  it("starts anew where the file changed", async () => {
    const { url } = await serve(sender((count) => content(count > 1 ? 7 : 0), 6000));
    const target = collected();
    await download(url, target, { delay: 1 });
    expect(target.bytes).toEqual(content(7));
    expect(target.restarts).toBe(1);
  });

  it("starts anew where the server has no ranges", async () => {
    const { url, ranges } = await serve((request, response, count) =>
      sender(() => content(0), count < 3 ? 4000 : 20_000, false)(request, response, count),
    );
    const target = collected();
    await download(url, target, { delay: 1 });
    expect(target.bytes).toEqual(content(0));
    expect(ranges).toEqual([undefined, undefined, undefined]);
  });

  it("sends credentials of the URL as authorization, and names them nowhere", async () => {
    const seen: (string | undefined)[] = [];
    const { url } = await serve((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(seen.length === 1 ? 200 : 404).end();
    });
    const secret = url.replace("://", "://me:geheim@");
    await download(secret, collected(), {});
    expect(seen).toEqual([`Basic ${btoa("me:geheim")}`]);
    await expect(download(`${secret}?sig=geheim`, collected(), {})).rejects.toMatchObject({
      code: "NOT_FOUND",
      where: url,
    });
  });

  it("waits for a server that is busy, and gives up in the end", async () => {
    const busy = await serve((request, response, count) => {
      if (count > 2) return sender(() => content(0), 20_000)(request, response, count);
      response.writeHead(503).end();
    });
    const target = collected();
    await download(busy.url, target, { delay: 1 });
    expect(target.bytes).toEqual(content(0));
    const down = await serve((_, response) => response.writeHead(500).end());
    const failed = download(down.url, collected(), { delay: 1, attempts: 3 });
    await expect(failed).rejects.toMatchObject({ code: "STORAGE", where: down.url });
    expect(down.ranges.length).toBe(3);
  });

  it.each([
    [404, "NOT_FOUND"],
    [403, "STORAGE"],
  ])("does not try again after %d", async (status, code) => {
    const { url, ranges } = await serve((_, response) => response.writeHead(status).end("no"));
    await expect(download(url, collected(), { delay: 1 })).rejects.toMatchObject({ code });
    expect(ranges.length).toBe(1);
  });

  it("goes on after a server that fell silent", async () => {
    const { url, ranges } = await serve((request, response, count) => {
      if (count > 1) return sender(() => content(0), 20_000)(request, response, count);
      response.writeHead(200, { "content-length": 10_000, etag: '"0-10000"' });
      response.write(content(0).subarray(0, 3000));
    });
    const target = collected();
    await download(url, target, { delay: 1, timeout: 500 });
    expect(target.bytes).toEqual(content(0));
    expect(ranges).toEqual([undefined, "bytes=3000-"]);
  });

  it("sends the caller's headers, and keeps what is secret in an address", async () => {
    const sent: unknown[] = [];
    const { url } = await serve((request, response) => {
      sent.push(request.headers["x-mine"], request.url);
      response.writeHead(403).end("<Error><Code>AccessDenied</Code><Message>no &amp; no</Message></Error>");
    });
    const failed = await download(`${url}?sig=secret`, collected(), {
      storage: { headers: { "x-mine": "1" } },
    }).catch((error: unknown) => error);
    expect(sent).toEqual(["1", "/file.h5ad?sig=secret"]);
    expect(String(failed)).toMatch(/the server answered 403 Forbidden, AccessDenied: no & no/);
    expect(String(failed)).not.toContain("secret");
  });

  it("stops when the caller aborts, between attempts and within one", async () => {
    const { url } = await serve(sender(() => content(0), 100));
    for (const delay of [1, 60_000]) {
      const aborting = new AbortController();
      const onBytes = (done: number) => {
        if (done >= 100) setTimeout(() => aborting.abort(), 60);
      };
      const running = download(url, collected(), { delay, signal: aborting.signal, onBytes });
      await expect(running).rejects.toMatchObject({ code: "ABORTED" });
    }
  });
});

describe("a build", () => {
  const path = fileURLToPath(new URL("../../../spec-fixtures/tenx/v3.h5", import.meta.url));
  const bytes = new Uint8Array(readFileSync(path));
  const left = () => readdirSync(tmpdir()).filter((name) => name.startsWith("cellarr-download-"));

  // Other programs download as well.
  beforeEach(async () => {
    vi.stubEnv("TMPDIR", await temporaryFolder());
    return () => vi.unstubAllEnvs();
  });

  it("names no secret of an address, whatever is wrong with the file", async () => {
    const { url } = await serve((request, response, count) => {
      const sent = count === 1 ? bytes : Uint8Array.of(1, 2, 3);
      return sender(() => sent, bytes.length)(request, response, count);
    });
    const secret = `${url.replace("://", "://me:geheim@")}?sig=geheim`;
    const items: string[] = [];
    const build = async () =>
      buildCellArrDataset({
        outputPath: { store: new MemoryStore(), path: "store" },
        files: [secret],
        matrixOptions: { matrixName: "layers/none" },
        onProgress: ({ item }) => items.push(item),
      });
    for (const problem of [/^no matrix 'layers\/none'/, /^not an HDF5 file/]) {
      const failed = await build().catch((error: unknown) => String(error));
      expect(failed).toContain(url);
      expect(failed).not.toContain("geheim");
      expect(String(failed).replace(/^\w+: /, "")).toMatch(problem);
    }
    expect(new Set(items)).toContain(url);
    expect(items.join()).not.toContain("geheim");
  });

  it("reads a file over HTTP, once, and leaves no temporary file", async () => {
    const before = left();
    const { url, ranges } = await serve(sender(() => bytes, 40_000));
    const steps = new Set<string>();
    const dataset = await buildCellArrDataset({
      outputPath: join(await temporaryFolder(), "store"),
      files: [url, path],
      geneAnnotationOptions: { featureColumn: "gene_ids" },
      matrixOptions: { dtype: "uint32" },
      onProgress: ({ step }) => steps.add(step),
    });
    const rows = denseRows((await dataset.get(slice())).matrix("counts"));
    expect(rows.slice(0, 9)).toEqual(rows.slice(9));
    expect(ranges.length).toBe(Math.ceil(bytes.length / 40_000));
    expect(steps.has("download")).toBe(true);
    expect(left()).toEqual(before);
  });

  it("reads a file of a bucket", async () => {
    // A server that knows what S3's do of reading, and nothing of signatures.
    const files = new MemoryStore();
    await files.put("bucket/folder/a b.h5", bytes);
    const server = await startFileServer(files);
    close.push(() => void server.close());
    const config = {
      "vfs.s3.endpoint_override": server.url,
      "vfs.s3.use_virtual_addressing": false,
      "vfs.s3.no_sign_request": true,
    };
    const build = async (file: string) =>
      buildCellArrDataset({
        outputPath: join(await temporaryFolder(), "store"),
        storage: { config },
        files: [file, path],
        geneAnnotationOptions: { featureColumn: "gene_ids" },
        matrixOptions: { dtype: "uint32" },
      });
    const before = left();
    const dataset = await build("s3://bucket/folder/a b.h5");
    const rows = denseRows((await dataset.get(slice())).matrix("counts"));
    expect(rows.length).toBe(18);
    expect(rows.slice(0, 9)).toEqual(rows.slice(9));
    await expect(build("s3://bucket/folder/none.h5")).rejects.toMatchObject({
      code: "NOT_FOUND",
      where: "s3://bucket/folder/none.h5",
    });
    expect(left()).toEqual(before);
  });

  it("fails by a file that is not there, and by one that is none", async () => {
    const before = left();
    for (const [status, code] of [
      [404, "NOT_FOUND"],
      [200, "FORMAT"],
    ] as const) {
      const { url } = await serve((_, response) => response.writeHead(status).end("no file"));
      const outputPath = join(await temporaryFolder(), "store");
      await expect(buildCellArrDataset({ outputPath, files: [url] })).rejects.toMatchObject({ code });
    }
    expect(left()).toEqual(before);
  });
});
