import { describe, expect, it } from "vitest";
import { AzureStore } from "../../../src/storage/azure/azure-store.js";
import { GcsStore } from "../../../src/storage/gcs/gcs-store.js";
import { HttpStore } from "../../../src/storage/http/http-store.js";
import type { StorageOptions } from "../../../src/storage/remote/settings.js";
import { S3Store } from "../../../src/storage/s3/s3-store.js";
import type { ReadableStore } from "../../../src/storage/types.js";

/** The same faults at every kind of remote place: a read gives what is stored, or says that it cannot. */

const value = Uint8Array.from({ length: 5000 }, (_, at) => (at * 31) % 251);
const etag = '"first"';

type Fetch = NonNullable<StorageOptions["fetch"]>;

const places: Readonly<Record<string, (fetch: Fetch, tries: number) => ReadableStore>> = {
  S3: (fetch, tries) =>
    new S3Store({
      bucket: "bucket",
      fetch,
      config: { "vfs.s3.no_sign_request": true, ...settings("s3", tries) },
    }),
  "Google Cloud Storage": (fetch, tries) =>
    new GcsStore({
      bucket: "bucket",
      fetch,
      config: { "vfs.gcs.endpoint": "http://gcs.example", ...settings("gcs", tries) },
    }),
  "Azure Blob Storage": (fetch, tries) =>
    new AzureStore({
      container: "bucket",
      fetch,
      config: { "vfs.azure.blob_endpoint": "http://azure.example", ...settings("azure", tries) },
    }),
  "plain HTTP": (fetch, tries) =>
    new HttpStore("http://web.example", { fetch, config: settings("http", tries) }),
};

function settings(scheme: string, tries: number): Readonly<Record<string, number>> {
  return {
    [`vfs.${scheme}.connect_max_tries`]: tries,
    [`vfs.${scheme}.connect_scale_factor`]: 1,
    [`vfs.${scheme}.request_timeout_ms`]: 100,
  };
}

function answer(init: RequestInit | undefined, more: Readonly<Record<string, string>> = {}): Response {
  const range = /^bytes=(\d+)-(\d+)$/.exec(new Headers(init?.headers).get("range") ?? "");
  const body = range === null ? value : value.slice(Number(range[1]), Number(range[2]) + 1);
  const headers = {
    etag,
    "content-length": String(body.length),
    ...(range && { "content-range": `bytes ${range[1]}-${range[2]}/${value.length}` }),
    ...more,
  };
  return new Response(body, { status: range === null ? 200 : 206, headers });
}

async function cut(init: RequestInit | undefined): Promise<Response> {
  const whole = answer(init);
  const bytes = new Uint8Array(await whole.arrayBuffer());
  return new Response(bytes.slice(0, -7), whole);
}

async function broken(init: RequestInit | undefined): Promise<Response> {
  const whole = answer(init);
  const bytes = new Uint8Array(await whole.arrayBuffer());
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(bytes.slice(0, 10));
      controller.error(new TypeError("terminated"));
    },
  });
  return new Response(body, whole);
}

const slowDown = "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>";

const faults: Readonly<Record<string, (init: RequestInit | undefined) => Promise<Response>>> = {
  "a status of 500": async () => new Response("", { status: 500 }),
  "503 SlowDown": async () => new Response(slowDown, { status: 503 }),
  "a cut body": cut,
  "a body that breaks off": broken,
  "a connection that is refused": () => Promise.reject(new TypeError("fetch failed")),
  silence: () => new Promise(() => {}),
};

const reads: Readonly<Record<string, (store: ReadableStore) => Promise<Uint8Array | undefined>>> = {
  "a whole value": (store) => store.get("folder/a"),
  "a range": (store) => store.getRange("folder/a", { start: 100, end: 400 }),
};

describe.each(Object.entries(places))("%s", (_, open) => {
  describe.each(Object.entries(faults))("after %s", (_, fault) => {
    it.each(Object.entries(reads))("gives %s as it is stored", async (name, read) => {
      let asked = 0;
      const store = open(async (_, init) => (++asked < 3 ? fault(init) : answer(init)), 3);
      expect(await read(store)).toEqual(name === "a range" ? value.slice(100, 400) : value);
      expect(asked).toBe(3);
    });

    it.each(Object.entries(reads))("again and again says that it cannot read %s", async (_, read) => {
      const store = open((_, init) => fault(init), 2);
      const error = await read(store).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: "STORAGE" });
      expect(String(error)).toMatch(
        /folder\/a.*gave up after 2 attempts|gave up after 2 attempts.*folder\/a/s,
      );
    });
  });

  it("asks for a range again that is another one", async () => {
    let asked = 0;
    const other = { "content-range": `bytes 0-299/${value.length}` };
    const store = open(async (_, init) => answer(init, ++asked < 2 ? other : {}), 3);
    expect(await store.getRange("a", { start: 100, end: 400 })).toEqual(value.slice(100, 400));
    expect(asked).toBe(2);
  });

  it("notices that a value is not the one that was listed", async () => {
    const store = open(async (_, init) => answer(init), 1);
    const range = { start: 0, end: 10 };
    const same = { version: { size: value.length, etag: "first" } };
    expect(await store.getRange("a", range, same)).toEqual(value.slice(0, 10));
    expect(await store.get("a", same)).toEqual(value);
    for (const version of [{ size: 4999 }, { size: 5001 }, { size: 5000, etag: '"second"' }]) {
      await expect(store.getRange("a", range, { version })).rejects.toThrow(/listed/);
      await expect(store.get("a", { version })).rejects.toMatchObject({ code: "STORAGE", name: "GoneError" });
    }
  });
});
