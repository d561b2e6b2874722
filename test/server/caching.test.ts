import { describe, expect, it } from "vitest";
import { appendToDataset, dropSample } from "../../src/index.js";
import type { StoreLocation } from "../../src/storage/types.js";
import { experiment } from "../cellarr/samples.js";
import { withCounting } from "../support/stores.js";
import { asking, buildSmall, genes } from "./support.js";

/** Tags, methods without a body, pages of other origins, stores that change. */

describe("tags", () => {
  it("say that an answer is what it was", async () => {
    const ask = asking((await buildSmall()).place, { cacheControl: "public, max-age=60" });
    for (const path of ["/stores/store", "/stores/store/cells", "/stores/store/slice?cells=0:3"]) {
      const first = await ask(path);
      const etag = first.headers.get("etag")!;
      expect(etag).toMatch(/^W\/"[0-9a-f]{32}-1-json"$/);
      expect(first.headers.get("cache-control")).toBe("public, max-age=60");
      for (const known of [etag, `"other", ${etag.slice(2)}`, "*"]) {
        const again = await ask(path, { headers: { "if-none-match": known } });
        expect([again.status, await again.text(), again.headers.get("etag")]).toEqual([304, "", etag]);
        expect(again.headers.get("cache-control")).toBe("public, max-age=60");
      }
      expect((await ask(path, { headers: { "if-none-match": '"other"' } })).status).toBe(200);
    }
  });

  it("tell forms apart", async () => {
    const ask = asking((await buildSmall()).place);
    const json = await ask("/stores/store/cells");
    const csv = await ask("/stores/store/cells", { headers: { accept: "text/csv" } });
    expect(json.headers.get("etag")).not.toBe(csv.headers.get("etag"));
    expect([json, csv].map(({ headers }) => headers.get("vary"))).toEqual(["Accept", "Accept"]);
    expect(json.headers.get("cache-control")).toBe("no-cache");
    const known = { accept: "text/csv", "if-none-match": json.headers.get("etag")! };
    expect((await ask("/stores/store/cells", { headers: known })).status).toBe(200);
  });

  it("are not for POST", async () => {
    const ask = asking((await buildSmall()).place);
    const headers = { "content-type": "application/json", "if-none-match": "*" };
    const response = await ask("/stores/store/cells", { method: "POST", body: "{}", headers });
    expect([response.status, response.headers.get("etag"), response.headers.get("cache-control")]).toEqual([
      200,
      null,
      "no-store",
    ]);
  });
});

describe("HEAD", () => {
  it("has the headers of GET and reads no values", async () => {
    const { place } = await buildSmall();
    const counted = withCounting(place.store);
    const ask = asking({ store: counted, path: place.path });
    const path = "/stores/store/slice?cells=0:3&limit=2";
    await ask("/stores/store/slice?cells=11&genes=gC");
    counted.resetCounts();
    const head = await ask(path, { method: "HEAD" });
    expect(counted.counts.gets).toBe(0);
    expect([head.status, await head.text()]).toEqual([200, ""]);
    const get = await ask(path);
    for (const name of ["etag", "link", "x-total-count", "vary", "content-type", "cache-control"]) {
      expect([name, head.headers.get(name)]).toEqual([name, get.headers.get(name)]);
    }
    expect((await ask("/stores/store/slice?cells=99", { method: "HEAD" })).status).toBe(400);
    const wrong = await ask("/stores/store/nothing", { method: "HEAD" });
    expect([wrong.status, await wrong.text()]).toEqual([404, ""]);
  });
});

describe("pages of other origins", () => {
  const preflight = {
    method: "OPTIONS",
    headers: { origin: "https://a.example", "access-control-request-method": "POST" },
  };

  it("read nothing by default", async () => {
    const ask = asking((await buildSmall()).place);
    const response = await ask("/stores", { headers: { origin: "https://a.example" } });
    expect(response.headers.get("access-control-allow-origin")).toBeNull();
    const options = await ask("/stores/store/slice", preflight);
    expect([options.status, options.headers.get("allow")]).toEqual([204, "GET, HEAD, POST, OPTIONS"]);
    expect(options.headers.get("access-control-allow-methods")).toBeNull();
  });

  it("of all origins, if so asked, problems too", async () => {
    const ask = asking((await buildSmall()).place, { cors: "*" });
    for (const path of ["/stores", "/nowhere", "/stores/store/cells?cells=99"]) {
      const { headers } = await ask(path, { headers: { origin: "https://a.example" } });
      expect(headers.get("access-control-allow-origin")).toBe("*");
      expect(headers.get("access-control-expose-headers")).toBe("ETag, Link, X-Total-Count");
    }
    const options = await ask("/stores/store/slice", preflight);
    expect(options.status).toBe(204);
    expect(options.headers.get("access-control-allow-methods")).toBe("GET, HEAD, POST, OPTIONS");
    expect(options.headers.get("access-control-allow-headers")).toBe("Accept, Content-Type, If-None-Match");
    expect((await ask("/nowhere", preflight)).status).toBe(404);
  });

  it("of the origins listed", async () => {
    const ask = asking((await buildSmall()).place, { cors: ["https://a.example", "https://b.example"] });
    const allowed = async (origin: string) => {
      const { headers } = await ask("/stores/store/cells", { headers: { origin } });
      expect(headers.get("vary")).toBe("Accept, Origin");
      return headers.get("access-control-allow-origin");
    };
    expect(await allowed("https://b.example")).toBe("https://b.example");
    expect(await allowed("https://c.example")).toBeNull();
  });
});

describe("a store that changes", () => {
  const more = () =>
    experiment({ genes: [...genes, "new"], rows: [[1, 2, 3, 4, 5, 6, 7]], obs: { tissue: ["skin"] } });

  it("is seen after a while, with another tag; what is read stays open until then", async () => {
    const { place } = await buildSmall();
    const counted = withCounting(place.store);
    const location: StoreLocation = { store: counted, path: place.path };
    const at = (refreshMs: number) => asking(location, { refreshMs });
    const [always, never] = [at(0), at(Number.POSITIVE_INFINITY)];
    const path = "/stores/store/cells?columns=age&limit=1";
    const total = (response: Response) => Number(response.headers.get("x-total-count"));
    const first = await always(path);
    const kept = await never(path);
    expect([total(first), total(kept)]).toEqual([12, 12]);
    expect(first.headers.get("etag")).toBe(kept.headers.get("etag"));
    counted.resetCounts();
    await never(path);
    expect(counted.counts.lists).toBe(0);

    await appendToDataset(place, { files: [more()] });
    const second = await always(path, { headers: { "if-none-match": first.headers.get("etag")! } });
    expect([second.status, total(second)]).toEqual([200, 13]);
    expect(second.headers.get("etag")).not.toBe(first.headers.get("etag"));
    expect((await (await always("/stores/store")).json()).shape).toEqual([13, 7]);
  });

  it("and whose files are gone is opened anew instead of failing", async () => {
    const { place } = await buildSmall();
    const ask = asking(place, { refreshMs: Number.POSITIVE_INFINITY });
    expect((await (await ask("/stores/store")).json()).shape).toEqual([12, 6]);
    await dropSample(place, ["sample_1"]);
    const response = await ask("/stores/store/slice?cells=0:2&matrix=twice&columns=age");
    expect([response.status, (await response.json()).cellMetadata]).toEqual([200, { age: [1, 2, 3] }]);
    expect((await (await ask("/stores/store")).json()).shape).toEqual([5, 6]);
  });

  it("is opened once for requests at the same time", async () => {
    const { place } = await buildSmall();
    const alone = withCounting(place.store);
    await asking({ store: alone, path: place.path })("/stores/store");
    const together = withCounting(place.store);
    const ask = asking({ store: together, path: place.path });
    const statuses = (await Promise.all(Array.from({ length: 5 }, () => ask("/stores/store")))).map(
      ({ status }) => status,
    );
    expect(statuses).toEqual([200, 200, 200, 200, 200]);
    expect(together.counts.lists).toBe(alone.counts.lists);
  });
});
