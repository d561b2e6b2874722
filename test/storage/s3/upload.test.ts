import { describe, expect, it } from "vitest";
import { S3Store } from "../../../src/storage/s3/s3-store.js";
import { errorXml, fakeFetch } from "./fake-s3.js";

/** Uploads in parts whose requests go wrong. */

const PART = 5 * 2 ** 20;
const CONFIG = {
  "vfs.s3.aws_access_key_id": "id",
  "vfs.s3.aws_secret_access_key": "secret",
  "vfs.s3.connect_scale_factor": "1",
};

type Step = "begin" | "part" | "complete" | "abort" | "head" | "put";

function stepOf({ method, url }: Request): Step {
  const query = new URL(url).searchParams;
  if (query.has("uploads")) return "begin";
  if (method === "HEAD") return "head";
  if (method === "DELETE") return "abort";
  if (query.has("partNumber")) return "part";
  return query.has("uploadId") ? "complete" : "put";
}

const USUAL: Readonly<Record<Step, () => Response>> = {
  begin: () =>
    new Response("<InitiateMultipartUploadResult><UploadId>u/1+=</UploadId></InitiateMultipartUploadResult>"),
  part: () => new Response("", { headers: { etag: '"e&g"' } }),
  complete: () =>
    new Response("<CompleteMultipartUploadResult><ETag>x-2</ETag></CompleteMultipartUploadResult>"),
  abort: () => new Response(null, { status: 204 }),
  head: () => new Response(null, { status: 404 }),
  put: () => new Response(""),
};

/** A store whose server answers step by step as usual but for `odd`; the n-th time a step comes counts from 1. */
function server(odd: Partial<Record<Step, (count: number) => Response | undefined>>, config = {}) {
  const counts = new Map<Step, number>();
  const { fetch, requests } = fakeFetch((request) => {
    const step = stepOf(request);
    counts.set(step, (counts.get(step) ?? 0) + 1);
    return odd[step]?.(counts.get(step)!) ?? USUAL[step]();
  });
  const store = new S3Store({ bucket: "lab", fetch, config: { ...CONFIG, ...config } });
  return { store, requests, steps: () => requests.map(stepOf), counts };
}

async function write(store: S3Store, bytes: number): Promise<void> {
  const writer = await store.writer("k");
  try {
    await writer.write(new Uint8Array(bytes));
  } catch (error) {
    await writer.abort();
    throw error;
  }
  await writer.close();
}

describe("uploads", () => {
  it("of little are one request, of more several", async () => {
    const small = server({});
    await write(small.store, PART);
    expect(small.steps()).toEqual(["put"]);
    const large = server({});
    await write(large.store, PART + 1);
    expect(large.steps()).toEqual(["begin", "part", "part", "complete"]);
    const [, first, second, complete] = large.requests;
    expect(new URL(first!.url).searchParams.get("uploadId")).toBe("u/1+=");
    expect((await first!.arrayBuffer()).byteLength).toBe(PART);
    expect((await second!.arrayBuffer()).byteLength).toBe(1);
    expect(await complete!.text()).toContain(
      '<Part><PartNumber>1</PartNumber><ETag>"e&amp;g"</ETag></Part><Part><PartNumber>2</PartNumber>',
    );
  });

  it("are one request where parts are not wanted", async () => {
    const { store, steps } = server({}, { "vfs.s3.use_multipart_upload": "false" });
    await write(store, 2 * PART);
    expect(steps()).toEqual(["put"]);
  });

  it("drop their parts when one is refused", async () => {
    const { store, steps } = server({
      part: () => new Response(errorXml("AccessDenied", "no"), { status: 403 }),
    });
    await expect(write(store, 2 * PART + 1)).rejects.toThrow("cannot write a part: AccessDenied");
    expect(steps().at(-1)).toBe("abort");
    expect(steps()).not.toContain("complete");
  });

  it("tell what went wrong even if the parts cannot be dropped", async () => {
    const { store, counts } = server({
      complete: () => new Response(errorXml("InvalidPart", "gone"), { status: 400 }),
      abort: () => new Response(errorXml("AccessDenied", "no"), { status: 403 }),
    });
    await expect(write(store, 2 * PART)).rejects.toThrow("InvalidPart: gone");
    expect(counts.get("abort")).toBe(1);
  });

  it("that end with 200 and an error are no success", async () => {
    const passing = server({
      complete: (count) => (count === 1 ? new Response(errorXml("InternalError", "again")) : undefined),
    });
    await write(passing.store, 2 * PART);
    expect(passing.counts.get("complete")).toBe(2);
    const lasting = server({ complete: () => new Response(errorXml("EntityTooSmall", "too small")) });
    await expect(write(lasting.store, 2 * PART)).rejects.toThrow("EntityTooSmall");
    expect(lasting.steps().at(-1)).toBe("abort");
  });

  it("whose last answer got lost are looked for", async () => {
    const lost = (count: number) =>
      count === 1
        ? new Response("", { status: 500 })
        : new Response(errorXml("NoSuchUpload", "unknown"), { status: 404 });
    const head = (etag: string, size: number) => () =>
      new Response(null, { headers: { etag, "content-length": String(size) } });
    const done = server({ complete: lost, head: head('"abc-2"', 2 * PART) });
    await write(done.store, 2 * PART);
    for (const other of [
      head('"abc"', 2 * PART),
      head('"abc-2"', 5),
      () => new Response(null, { status: 404 }),
    ]) {
      const gone = server({ complete: lost, head: other });
      await expect(write(gone.store, 2 * PART)).rejects.toThrow("NoSuchUpload");
    }
    const never = server({
      complete: () => new Response(errorXml("NoSuchUpload", "unknown"), { status: 404 }),
      head: head('"abc-2"', 2 * PART),
    });
    await expect(write(never.store, 2 * PART)).rejects.toThrow("NoSuchUpload");
  });

  it("end with the caller's signal, and drop their parts without it", async () => {
    const controller = new AbortController();
    const { store, steps } = server({
      part: () => {
        controller.abort();
        return undefined;
      },
    });
    const writer = await store.writer("k", { signal: controller.signal });
    await writer.write(new Uint8Array(PART + 1)).catch(() => undefined);
    await expect(writer.close()).rejects.toMatchObject({ code: "ABORTED" });
    await writer.abort();
    expect(steps().at(-1)).toBe("abort");
  });

  it("need ETags, which browsers may be kept from seeing", async () => {
    const { store } = server({ part: () => new Response("") });
    await expect(write(store, 2 * PART)).rejects.toThrow("CORS");
  });
});

describe("what is written only if it is new", () => {
  const refused = () => new Response(errorXml("PreconditionFailed", "there"), { status: 412 });
  const value = new Uint8Array([1, 2]);

  it("is not, where there is something", async () => {
    const { store, requests } = server({ put: refused });
    expect(await store.putNew("k", value)).toBe(false);
    expect(requests.map(({ headers }) => headers.get("if-none-match"))).toEqual(["*"]);
  });

  it("may have been by an attempt whose answer got lost", async () => {
    const lost = (found: Uint8Array) => (count: number) => {
      if (count === 1) return new Response("", { status: 500 });
      return count === 2 ? refused() : new Response(found.slice());
    };
    expect(await server({ put: lost(value) }).store.putNew("k", value)).toBe(true);
    expect(await server({ put: lost(new Uint8Array([1, 3])) }).store.putNew("k", value)).toBe(false);
  });
});

describe("copies", () => {
  it("that end with 200 and an error are no success", async () => {
    const passing = server({
      put: (count) => (count === 1 ? new Response(errorXml("SlowDown", "later")) : undefined),
    });
    await passing.store.copy("a b", 5, "to");
    expect(passing.requests.map(({ headers }) => headers.get("x-amz-copy-source"))).toEqual([
      "/lab/a%20b",
      "/lab/a%20b",
    ]);
    const lasting = server({ put: () => new Response(errorXml("AccessDenied", "not yours")) });
    await expect(lasting.store.copy("a", 5, "to")).rejects.toThrow(
      "S3: cannot copy 'a': AccessDenied: not yours",
    );
  });
});
