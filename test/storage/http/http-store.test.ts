import { zipSync } from "fflate";
import { describe, expect, it, onTestFinished } from "vitest";
import { HttpStore } from "../../../src/storage/http/http-store.js";
import { MemoryStore } from "../../../src/storage/memory.js";
import { locationUri, resolveLocation, resolveReadable } from "../../../src/storage/resolve.js";
import { type FileServer, type FileServerOptions, startFileServer } from "../../support/file-server.js";
import { startProxy } from "../../support/remote-proxy.js";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (value: Uint8Array | undefined) => new TextDecoder().decode(value);

async function served(
  files: Readonly<Record<string, string>>,
  options?: FileServerOptions,
): Promise<FileServer & { readonly files: MemoryStore }> {
  const memory = new MemoryStore();
  for (const [key, content] of Object.entries(files)) await memory.put(key, bytes(content));
  const server = await startFileServer(memory, options);
  onTestFinished(server.close);
  return { ...server, files: memory };
}

/** Names that mean something in URLs, in paths or in shells. */
const ODD_KEYS = [
  "plain/__fragments/__1_2_ab_22/d0.tdb",
  "100%",
  "%2e%2e/x",
  "a#b",
  "a?b=c&d",
  "with space/and+plus",
  "ünïcödé/基因/🧬",
  "quote'\"<>",
  "semi;colon:at@eq=",
  "..hidden/...",
  "~[brackets]{}|^`",
  "tab\there",
];

describe("HttpStore", () => {
  it("gives files and ranges of them, and nothing where nothing is", async () => {
    const { url } = await served({ "store/a/b": "0123456789" });
    const store = new HttpStore(`${url}/store/`);
    expect(store.uri).toBe(`${url}/store`);
    expect(text(await store.get("a/b"))).toBe("0123456789");
    expect(text(await store.getRange("a/b", { start: 2, end: 5 }))).toBe("234");
    expect(text(await store.getRange("a/b", { start: 0, end: 10 }))).toBe("0123456789");
    expect(await store.get("a")).toBeUndefined();
    expect(await store.getRange("c", { start: 0, end: 1 })).toBeUndefined();
  });

  it.each([true, false])(
    "refuses ranges past the end and gives empty ones (server has ranges: %s)",
    async (ranges) => {
      const { url } = await served({ file: "0123456789", empty: "" }, { ranges });
      const store = new HttpStore(url);
      for (const [start, end] of [
        [5, 11],
        [10, 11],
        [20, 30],
        [3, 2],
        [-1, 2],
        [11, 11],
      ] as const) {
        const range = store.getRange("file", { start, end });
        await expect(range).rejects.toMatchObject({ code: "STORAGE", where: `${url}/file` });
      }
      for (const at of [0, 4, 10]) {
        expect(await store.getRange("file", { start: at, end: at })).toEqual(new Uint8Array(0));
      }
      expect(await store.getRange("none", { start: 0, end: 0 })).toBeUndefined();
      expect(await store.get("empty")).toEqual(new Uint8Array(0));
      await expect(store.getRange("empty", { start: 0, end: 1 })).rejects.toMatchObject({ code: "STORAGE" });
    },
  );

  it("reaches files of any name, and no key leads out of the folder", async () => {
    const { url, requests } = await served(Object.fromEntries(ODD_KEYS.map((key) => [`store/${key}`, key])));
    const store = new HttpStore(`${url}/store`);
    for (const key of ODD_KEYS) {
      expect(text(await store.get(key)), key).toBe(key);
      expect(await store.getRange(key, { start: 0, end: 1 }), key).toEqual(bytes(key).subarray(0, 1));
    }
    expect(requests.every((line) => line.startsWith("GET /store/"))).toBe(true);
    const count = requests.length;
    for (const key of ["", "../x", "a/../b", "a//b", "./a", "a\\b", "a\0b", "/a"]) {
      await expect(store.get(key), key).rejects.toMatchObject({ code: "ARGUMENT" });
    }
    await expect(store.get("half \ud800")).rejects.toThrow(/half of a surrogate pair/);
    expect(requests.length).toBe(count);
  });

  it("keeps the address's query with every request, and keeps it secret", async () => {
    const { url, requests } = await served({ "store/a": "x" });
    const store = new HttpStore(`${url}/store/?sv=2024&sig=a%2Fb%2B%3D#part`);
    await store.get("a");
    await store.getRange("a", { start: 0, end: 1 });
    await store.get("b?c");
    const query = "?sv=2024&sig=a%2Fb%2B%3D";
    expect(requests).toEqual([`GET /store/a${query}`, `GET /store/a${query}`, `GET /store/b%3Fc${query}`]);
    expect(store.uri).toBe(`${url}/store`);
    const error = await store.getRange("a", { start: 0, end: 9 }).catch((reason: unknown) => reason);
    expect(String(error)).toContain("asked of a file of 1 bytes");
    expect(String(error)).not.toContain("sig");
  });

  it("sends headers, and credentials of the address as one", async () => {
    const server = await served({ a: "x" });
    const [, host] = server.url.split("//");
    await new HttpStore(`http://user:p%40ss%20ü@${host}`, { headers: { "x-mine": "1" } }).get("a");
    const authorization = `Basic ${Buffer.from("user:p@ss ü").toString("base64")}`;
    expect(server.lastHeaders()).toMatchObject({
      "x-mine": "1",
      authorization,
      "accept-encoding": "identity",
    });
    expect(new HttpStore(`http://user:pass@${host}/x`).uri).toBe(`http://${host}/x`);
  });

  it("uses the caller's fetch", async () => {
    const asked: string[] = [];
    const fetch: typeof globalThis.fetch = async (input) => {
      asked.push(String(input));
      return new Response("content");
    };
    expect(text(await new HttpStore("https://host/x", { fetch }).get("a"))).toBe("content");
    expect(asked).toEqual(["https://host/x/a"]);
  });

  it("follows redirects", async () => {
    const { url } = await served(
      { "real/a": "0123456789" },
      {
        intercept: (request, response) => {
          if (!request.url?.startsWith("/moved/")) return false;
          response.writeHead(302, { location: request.url.replace("/moved/", "/real/") }).end();
          return true;
        },
      },
    );
    const store = new HttpStore(`${url}/moved`);
    expect(text(await store.getRange("a", { start: 3, end: 6 }))).toBe("345");
    expect(text(await store.get("a"))).toBe("0123456789");
  });

  it("reads small files of servers without ranges, and says what is wrong with large ones", async () => {
    const size = 17 * 2 ** 20;
    let closed = false;
    const { url } = await served(
      { a: "0123456789" },
      {
        ranges: false,
        intercept: (request, response) => {
          if (request.url !== "/large") return false;
          request.socket.on("close", () => {
            closed = true;
          });
          response.writeHead(200, { "content-length": String(size) });
          response.write("x");
          return true;
        },
      },
    );
    const store = new HttpStore(url);
    expect(text(await store.getRange("a", { start: 3, end: 6 }))).toBe("345");
    await expect(store.getTail("large", 10)).rejects.toThrow("does not answer requests for ranges");
    const range = store.getRange("large", { start: 0, end: 10 });
    await expect(range).rejects.toThrow(/does not answer requests for ranges; .* this one has 17825792/);
    await expect.poll(() => closed).toBe(true);
  });

  it.each([
    ["content", "0123456789", "9876543210", true, /ETag "\w+" before, "\w+" now/],
    ["size", "0123456789", "01234567890", false, /10 bytes before, 11 now/],
  ] as const)("notices that the %s of a file changed", async (_, before, after, etags, message) => {
    const { url, files } = await served({ a: before }, { etags });
    const store = new HttpStore(url);
    expect(text(await store.getRange("a", { start: 0, end: 2 }))).toBe(before.slice(0, 2));
    await files.put("a", bytes(after));
    for (const asked of [() => store.getRange("a", { start: 2, end: 4 }), () => store.get("a")]) {
      await expect(asked()).rejects.toThrow(message);
      await expect(asked()).rejects.toMatchObject({ code: "STORAGE", where: `${url}/a` });
    }
    expect(text(await new HttpStore(url).getRange("a", { start: 2, end: 4 }))).toBe(after.slice(2, 4));
  });

  it("knows a file again that comes compressed, under another ETag", async () => {
    const { url } = await served(
      { a: "0123456789" },
      {
        etags: false,
        intercept: (request, response) => {
          response.setHeader("etag", request.headers.range === undefined ? 'W/"1-gzip"' : '"1"');
          return false;
        },
      },
    );
    const store = new HttpStore(url);
    expect(text(await store.getRange("a", { start: 0, end: 2 }))).toBe("01");
    expect(text(await store.get("a"))).toBe("0123456789");
  });

  it("lets files change that are only read whole", async () => {
    const { url, files } = await served({ a: "1" });
    const store = new HttpStore(url);
    expect(text(await store.get("a"))).toBe("1");
    await files.put("a", bytes("22"));
    expect(text(await store.get("a"))).toBe("22");
  });

  it("notices answers with another range, in parts, or compressed", async () => {
    const fetch = (headers: Record<string, string>) => async () =>
      new Response("234", { status: 206, headers });
    const ask = (headers: Record<string, string>) =>
      new HttpStore("http://host", {
        fetch: fetch(headers),
        config: { "vfs.http.connect_max_tries": 1 },
      }).getRange("a", { start: 2, end: 5 });
    // Content-Range may be hidden from pages.
    expect(text(await ask({}))).toBe("234");
    expect(text(await ask({ "content-range": "bytes 2-4/10" }))).toBe("234");
    expect(text(await ask({ "content-range": "bytes 2-4/*" }))).toBe("234");
    await expect(ask({ "content-range": "bytes 1-3/10" })).rejects.toThrow(/answered with bytes 1-3\/10/);
    await expect(ask({ "content-range": "cells 2-4/10" })).rejects.toThrow(/with the range 'cells 2-4\/10'/);
    await expect(ask({ "content-range": "bytes 2-3/4" })).rejects.toThrow(/asked of a file of 4 bytes/);
    await expect(ask({ "content-encoding": "gzip" })).rejects.toThrow(/compresses/);
    await expect(ask({ "content-type": "multipart/byteranges; boundary=x" })).rejects.toThrow(
      /several parts/,
    );
  });

  it.each([true, false])("gives ends of files, with their sizes (server has ranges: %s)", async (ranges) => {
    const { url } = await served({ a: "0123456789", empty: "" }, { ranges });
    const store = new HttpStore(url);
    expect(await store.getTail("a", 3)).toEqual({ bytes: bytes("789"), size: 10 });
    expect(await store.getTail("a", 30)).toEqual({ bytes: bytes("0123456789"), size: 10 });
    expect(await store.getTail("empty", 3)).toEqual({ bytes: new Uint8Array(0), size: 0 });
    expect(await store.getTail("none", 3)).toBeUndefined();
  });

  it("asks again for an end that is not the one", async () => {
    const { url } = await served({ a: "0123456789" });
    const proxy = await startProxy({ target: url });
    onTestFinished(proxy.close);
    for (const fault of ["shorter", "longer", "cut"] as const) {
      proxy.fault([fault]);
      const store = new HttpStore(proxy.url, { config: { "vfs.http.connect_scale_factor": 1 } });
      expect(await store.getTail("a", 4)).toEqual({ bytes: bytes("6789"), size: 10 });
    }
    expect(proxy.stats().requests).toBe(6);
  });

  it("cannot list, and says what helps", async () => {
    const list = new HttpStore("https://host/store?sig=secret").list();
    await expect(list).rejects.toMatchObject({ code: "UNSUPPORTED", where: "https://host/store" });
    await expect(list).rejects.toThrow(/cellarr publish/);
  });

  it("ends with the caller's signal", async () => {
    const { url } = await served({}, { intercept: () => true });
    const store = new HttpStore(url);
    const controller = new AbortController();
    const asked = [
      store.get("a", { signal: controller.signal }),
      store.getRange("a", { start: 0, end: 1 }, { signal: controller.signal }),
    ];
    setTimeout(() => controller.abort(), 30);
    for (const answer of asked) await expect(answer).rejects.toMatchObject({ code: "ABORTED" });
  });

  it("refuses what is no URL and settings that are unknown", () => {
    expect(() => new HttpStore("no url")).toThrow(/no URL/);
    expect(() => new HttpStore("http://host", { config: { "vfs.http.retries": 1 } })).toThrow(/unknown/);
  });
});

describe("places over HTTP", () => {
  it("may be zip files, which can be listed", async () => {
    const zip = zipSync({ "store/a/b": [bytes("content"), { level: 0 }], "store/c": bytes("more") });
    const { url, files } = await served({});
    await files.put("folder/my store.zip", zip);
    const place = resolveReadable(`${url}/folder/my%20store.zip?sig=1#zip`);
    expect(text(await place.store.get("a/b"))).toBe("content");
    expect((await place.store.list("")).map(({ key }) => key)).toEqual(["a/b", "c"]);
  });

  it("are given as text, and read-only", async () => {
    const { url } = await served({ "store/a": "content" });
    const place = resolveReadable(`${url}/store/?x=1`);
    expect(locationUri(place)).toBe(`${url}/store`);
    expect(place.store.isRemote).toBe(true);
    expect(text(await place.store.get("a"))).toBe("content");
    expect(() => resolveLocation(`${url}/store`)).toThrow(/read-only/);
  });

  it("say at the first request what is wrong with settings", async () => {
    const { store } = resolveReadable("http://host/x", { config: { "vfs.http.x": "1" } });
    await expect(store.get("a")).rejects.toMatchObject({ code: "ARGUMENT" });
    await expect(store.get("a")).rejects.toMatchObject({ code: "ARGUMENT" });
  });
});
