import { beforeAll, describe, expect, it, vi } from "vitest";
import { ArgumentError } from "../../src/errors.js";
import { createHandler } from "../../src/server.js";
import { MemoryStore } from "../../src/storage/memory.js";
import type { ReadableStore, StoreLocation } from "../../src/storage/types.js";
import { type Ask, asking, buildSmall } from "./support.js";

/** What goes wrong is said by status and a problem document, and nothing more than that. */

let place: StoreLocation;
let ask: Ask;

beforeAll(async () => {
  ({ place } = await buildSmall());
  ask = asking({ small: place });
});

async function problem(response: Response): Promise<Record<string, unknown>> {
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  expect(response.headers.get("cache-control")).toBe("no-store");
  expect(response.headers.get("etag")).toBeNull();
  const document = (await response.json()) as Record<string, unknown>;
  expect(document).toMatchObject({ type: "about:blank", status: response.status });
  return document;
}

describe("requests that are wrong", () => {
  it.each([
    [404, "/nowhere", "nothing has this path; /openapi.json has the paths there are"],
    [404, "/stores/small/cells/1", /nothing has this path/],
    [404, "/stores/other", "no store 'other'"],
    [404, "/stores/constructor", "no store 'constructor'"],
    [400, "/stores/%ff", "the path is not well encoded"],
    [400, "/stores/small/cells?cell=1", /^no parameter 'cell'; there are: cells, where, /],
    [400, "/stores/small?cells=1", /^no parameter 'cells'/],
    [400, "/stores/small/cells?cells=12", "cell 12 does not exist, expected 0 to 11"],
    [400, "/stores/small/cells?cells=0:99999999999", "cell 99999999999 does not exist, expected 0 to 11"],
    [400, "/stores/small/cells?cells=5:3", "cells 5:3 ends before it starts"],
    [400, "/stores/small/cells?cells=-1", /^cells '-1', expected a number or FIRST:LAST/],
    [400, "/stores/small/cells?where=age%20%3E", /^condition: /],
    [400, "/stores/small/cells?where=height%20%3E%203", /^condition: no attribute or dimension 'height'/],
    [400, "/stores/small/cells?where=age%20%3E%20'old'", /^condition: 'age' is float64/],
    [400, "/stores/small/cells?where=age", /^condition: /],
    [400, `/stores/small/cells?where=${"(".repeat(5000)}`, /^condition: /],
    [400, "/stores/small/cells?where=a&where=b", "where: expected one text"],
    [404, "/stores/small/cells?columns=height", /^no column 'height'; there are: /],
    [404, "/stores/small/cells?sample=sample_9", "no sample of that name: 'sample_9'"],
    [400, "/stores/small/cells?limit=many", "limit: expected a whole number from 0 on"],
    [400, "/stores/small/cells?offset=-1", "offset: expected a whole number from 0 on"],
    [400, "/stores/small/cells?format=xml", "format 'xml', expected json, csv, arrow"],
    [404, "/stores/small/genes?genes=gA1,gX,gY", "no gene of that name: 'gX', 'gY'"],
    [400, "/stores/small/genes?order=random", "order 'random', expected store or asked"],
    [404, "/stores/small/samples?samples=none", "no sample of that name: 'none'"],
    [404, "/stores/small/slice?matrix=logs", "no matrix 'logs'; there are: counts, twice"],
    [404, "/stores/small/slice?genes=gX", "no gene of that name: 'gX'"],
    [400, "/stores/small/slice?format=csv", "csv holds one matrix: choose with matrix, from counts, twice"],
    [400, "/stores/small/slice?geneWhere=x%20%3D%3D%201", /^condition: no attribute or dimension 'x'/],
    [404, "/stores/small/slice?geneColumns=x", /^no column 'x'/],
  ])("%i %s", async (status, path, detail) => {
    const response = await ask(path);
    const document = await problem(response);
    expect([response.status, document.detail]).toEqual([
      status,
      typeof detail === "string" ? detail : expect.stringMatching(detail),
    ]);
  });

  it("by POST", async () => {
    const post = (body: BodyInit, type = "application/json") =>
      ask("/stores/small/slice", { method: "POST", body, headers: { "content-type": type } });
    const details = async (response: Response) => [response.status, (await problem(response)).detail];
    expect(await details(await post("{}", "text/plain"))).toEqual([415, expect.stringMatching(/json/)]);
    expect(await details(await post("{"))).toEqual([400, "the request's body is no JSON"]);
    expect(await details(await post("[]"))).toEqual([400, "the request's body: expected a JSON object"]);
    expect(await details(await post('{"genes":[1]}'))).toEqual([400, "genes: expected texts"]);
    expect(await details(await post('{"cells":[1.5]}'))).toEqual([
      400,
      "cells: expected whole numbers from 0 on",
    ]);
    expect(await details(await post('{"cells":[[1,2,3]]}'))).toEqual([
      400,
      expect.stringMatching(/^cells: expected/),
    ]);
    expect(await details(await post('{"__proto__":{"x":1}}'))).toEqual([
      400,
      expect.stringMatching(/'__proto__'/),
    ]);
  });

  it("by method", async () => {
    for (const [method, path, allow] of [
      ["DELETE", "/stores/small/slice", "GET, HEAD, POST, OPTIONS"],
      ["POST", "/stores/small", "GET, HEAD, OPTIONS"],
      ["PUT", "/stores", "GET, HEAD, OPTIONS"],
    ] as const) {
      const response = await ask(path, { method });
      expect([response.status, response.headers.get("allow")]).toEqual([405, allow]);
      await problem(response);
    }
  });

  it("by what they accept", async () => {
    const accepting = (accept: string) => ask("/stores/small/cells", { headers: { accept } });
    const type = async (accept: string) => (await accepting(accept)).headers.get("content-type");
    expect(await type("text/csv")).toBe("text/csv; charset=utf-8");
    expect(await type("text/html, */*;q=0.1")).toBe("application/json");
    expect(await type("application/json;q=0.2, text/*;q=0.8")).toBe("text/csv; charset=utf-8");
    expect(await type("application/*, application/json;q=0")).toBe("application/vnd.apache.arrow.stream");
    const refused = await accepting("image/png");
    expect(refused.status).toBe(406);
    await problem(refused);
    expect((await ask("/stores/small", { headers: { accept: "text/csv" } })).status).toBe(406);
  });
});

describe("limits", () => {
  const limit = async (response: Response) => {
    const { code, limit, detail } = await problem(response);
    expect([response.status, code]).toEqual([413, "LIMIT"]);
    expect(detail).toContain(`${(limit as { most: number }).most}`);
    return limit;
  };

  it("of values", async () => {
    const strict = asking(place, { limits: { values: 24 } });
    expect((await strict("/stores/store/slice?cells=0:1")).status).toBe(200);
    expect(await limit(await strict("/stores/store/slice?cells=0:2"))).toEqual({ name: "values", most: 24 });
    expect((await strict("/stores/store/slice?cells=0:2&matrix=twice")).status).toBe(200);
    expect((await strict("/stores/store/slice?limit=2&offset=9")).status).toBe(200);
    const repeated = await strict(`/stores/store/cells?cells=${"0:9,".repeat(3)}1`);
    expect(await limit(repeated)).toEqual({ name: "values", most: 24 });
  });

  it("of rows", async () => {
    const strict = asking(place, { limits: { rows: 3 } });
    expect((await (await strict("/stores/store/cells")).json()).rows).toEqual([0, 1, 2]);
    expect(await limit(await strict("/stores/store/cells?limit=4"))).toEqual({ name: "rows", most: 3 });
  });

  it("of bytes, known before and seen while the answer is made", async () => {
    const strict = asking(place, { limits: { bytes: 100 } });
    expect(await limit(await strict("/stores/store/slice?matrix=counts&format=csv"))).toEqual({
      name: "bytes",
      most: 100,
    });
    expect(await limit(await strict("/stores/store/slice?cells=0"))).toEqual({ name: "bytes", most: 100 });
    expect(await limit(await strict("/stores/store/cells"))).toEqual({ name: "bytes", most: 100 });
    expect((await strict("/stores/store/cells?limit=1&columns=age")).status).toBe(200);
  });

  it("of a request's bytes", async () => {
    const strict = asking(place, { limits: { requestBytes: 50 } });
    const post = (body: string) =>
      strict("/stores/store/genes", {
        method: "POST",
        body,
        headers: { "content-type": "application/json" },
      });
    expect((await post('{"genes":["gA1"]}')).status).toBe(200);
    expect(await limit(await post(`{"genes":["${"g".repeat(50)}"]}`))).toEqual({
      name: "requestBytes",
      most: 50,
    });
  });
});

it("a request whose body breaks off is its sender's affair", async () => {
  const onError = vi.fn();
  const body = new ReadableStream({
    pull(controller) {
      controller.error(new Error("aborted"));
    },
  });
  const headers = { "content-type": "application/json" };
  const response = await asking({ small: place }, { onError })("/stores/small/slice", {
    method: "POST",
    body,
    headers,
    duplex: "half",
  } as RequestInit);
  expect([response.status, (await problem(response)).code]).toEqual([499, "ABORTED"]);
  expect(onError).not.toHaveBeenCalled();
});

describe("stores that fail", () => {
  const secret = "s3://bucket/secret/path";

  /** Fails where it is asked for certain keys. */
  function failing(broken: (key: string) => boolean): StoreLocation {
    const { store } = place;
    const check = (key: string) => {
      if (broken(key)) throw new Error(`no permission for ${secret}/${key}`);
    };
    const wrapped: ReadableStore = {
      uri: secret,
      async get(key, options) {
        check(key);
        return store.get(key, options);
      },
      async getRange(key, range, options) {
        check(key);
        return store.getRange(key, range, options);
      },
      async list(prefix, options) {
        check(prefix);
        return store.list(prefix, options);
      },
    };
    return { store: wrapped, path: place.path };
  }

  it("to open: 503, the reason for the log alone", async () => {
    const onError = vi.fn();
    for (const stores of [failing(() => true), { store: new MemoryStore(), path: "secret" }]) {
      const response = await asking(stores, { onError })("/stores/store/cells");
      expect([response.status, await problem(response)]).toEqual([
        503,
        {
          type: "about:blank",
          title: "Service Unavailable",
          status: 503,
          detail: "the store cannot be read now",
        },
      ]);
    }
    expect(onError).toHaveBeenCalledTimes(2);
    expect(onError.mock.calls[0]![0].cause.message).toContain(secret);
  });

  it("to read: 500, and never a place or a stack", async () => {
    const onError = vi.fn();
    let isBroken = false;
    const stores = failing((key) => isBroken && key.includes("assays/counts/__fragments"));
    const failed = asking(stores, { onError });
    expect((await failed("/stores/store/slice?cells=0&matrix=twice")).status).toBe(200);
    isBroken = true;
    const response = await failed("/stores/store/slice?cells=0");
    expect(response.status).toBe(500);
    const text = await response.text();
    expect(text).not.toMatch(/secret|bucket|__fragments|\.ts|\.js| at /);
    expect(onError).toHaveBeenCalledOnce();
    expect((await failed("/stores/store/slice?cells=0&matrix=twice")).status).toBe(200);
  });

  it("once are tried again", async () => {
    let isBroken = true;
    const ask = asking(failing(() => isBroken));
    expect((await ask("/stores/store")).status).toBe(503);
    isBroken = false;
    expect((await ask("/stores/store")).status).toBe(200);
  });

  it("tell of requests without naming places", async () => {
    const ask = asking({ small: failing(() => false) });
    for (const query of [
      "cells?cells=99",
      "cells?where=x==1",
      "cells?columns=x",
      "cells?sample=x",
      "genes?genes=x",
      "samples?samples=x",
      "slice?matrix=x",
    ]) {
      const text = await (await ask(`/stores/small/${query}`)).text();
      expect(text).toContain('"status":4');
      expect(text).not.toContain("secret");
    }
  });
});

describe("options that make no sense", () => {
  it.each([
    { basePath: "api" },
    { limits: { values: 0 } },
    { limits: { bytes: Number.NaN } },
    { limits: { size: 3 } as never },
    { refreshMs: -1 },
    { cors: ["example.org"] },
    { cors: ["https://example.org/"] },
  ])("%j", (options) => {
    expect(() => createHandler("store", options)).toThrow(ArgumentError);
  });

  it("a store without a name", () => {
    expect(() => createHandler({ "": "store" })).toThrow(ArgumentError);
    // As where an environment variable is not set.
    expect(() => createHandler(undefined as never)).toThrow(ArgumentError);
  });
});
