import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import "../../../src/node-platform.js";
import { beforeEach, describe, expect, it } from "vitest";
import { S3Store } from "../../../src/storage/s3/s3-store.js";
import { temporaryFolder } from "../../support/temporary.js";
import { errorXml, fakeFetch, useEnvironment } from "./fake-s3.js";

/** Addresses, regions and refusals: what servers on this machine cannot show. */

const KEYS = { "vfs.s3.aws_access_key_id": "id", "vfs.s3.aws_secret_access_key": "secret" };
const NONE = {
  AWS_EC2_METADATA_DISABLED: "true",
  AWS_CONFIG_FILE: "/none",
  AWS_SHARED_CREDENTIALS_FILE: "/none",
};

beforeEach(() => useEnvironment(NONE));

let buckets = 0;
/** Regions of buckets are remembered, so each test has one of its own. */
const newBucket = () => `bucket-${buckets++}`;

const ok = () => new Response("value");
const xml = (body: string, status: number, headers: Record<string, string> = {}) =>
  new Response(body, { status, headers });

async function asked(bucket: string, config: Record<string, string>, key = "a/b c"): Promise<Request> {
  const { fetch, requests } = fakeFetch(ok);
  await new S3Store({ bucket, fetch, config: { ...KEYS, ...config } }).get(key);
  return requests[0]!;
}
const urlOf = async (bucket: string, config: Record<string, string>) => (await asked(bucket, config)).url;

describe("addresses", () => {
  it.each([
    [{}, "https://lab.s3.us-east-1.amazonaws.com/a/b%20c"],
    [{ "vfs.s3.region": "eu-west-3" }, "https://lab.s3.eu-west-3.amazonaws.com/a/b%20c"],
    [{ "vfs.s3.region": "cn-north-1" }, "https://lab.s3.cn-north-1.amazonaws.com.cn/a/b%20c"],
    [{ "vfs.s3.use_virtual_addressing": "false" }, "https://s3.us-east-1.amazonaws.com/lab/a/b%20c"],
    [{ "vfs.s3.endpoint_override": "minio.org:9000" }, "https://lab.minio.org:9000/a/b%20c"],
    [{ "vfs.s3.endpoint_override": "http://127.0.0.1:9000" }, "http://127.0.0.1:9000/lab/a/b%20c"],
    [
      { "vfs.s3.endpoint_override": "localhost:9000", "vfs.s3.scheme": "http" },
      "http://localhost:9000/lab/a/b%20c",
    ],
    [
      { "vfs.s3.endpoint_override": "x.org/s3/", "vfs.s3.use_virtual_addressing": "false" },
      "https://x.org/s3/lab/a/b%20c",
    ],
  ])("with %j: %s", async (config, url) => {
    expect(await urlOf("lab", config)).toBe(url);
  });

  it("of buckets with dots or capitals have them in the path: no certificate holds for them otherwise", async () => {
    expect(await urlOf("my.lab", {})).toBe("https://s3.us-east-1.amazonaws.com/my.lab/a/b%20c");
    expect(await urlOf("Old_Lab", {})).toBe("https://s3.us-east-1.amazonaws.com/Old_Lab/a/b%20c");
  });

  it("come from the environment where settings say nothing", async () => {
    useEnvironment({ ...NONE, AWS_REGION: "sa-east-1" });
    expect(await urlOf("lab", {})).toContain("lab.s3.sa-east-1.");
    expect(await urlOf("lab", { "vfs.s3.region": "eu-west-3" })).toContain("lab.s3.eu-west-3.");
    useEnvironment({ ...NONE, AWS_ENDPOINT_URL: "http://all.org", AWS_ENDPOINT_URL_S3: "http://s3.org" });
    expect(await urlOf("lab", {})).toBe("http://s3.org/lab/a/b%20c");
    expect(await urlOf("lab", { "vfs.s3.endpoint_override": "own.org" })).toBe("https://lab.own.org/a/b%20c");
  });

  it("come from the profile where the environment says nothing either", async () => {
    const folder = await temporaryFolder();
    await writeFile(
      join(folder, "config"),
      "[default]\nregion = eu-south-2\n[profile own]\nendpoint_url = http://own.org\n",
    );
    useEnvironment({ ...NONE, AWS_CONFIG_FILE: join(folder, "config") });
    expect(await urlOf("lab", {})).toBe("https://lab.s3.eu-south-2.amazonaws.com/a/b%20c");
    process.env.AWS_PROFILE = "own";
    expect(await urlOf("lab", {})).toBe("http://own.org/lab/a/b%20c");
    process.env.AWS_PROFILE = "missing";
    expect(await urlOf("lab", {})).toBe("https://lab.s3.us-east-1.amazonaws.com/a/b%20c");
  });

  it("that can be none are refused", async () => {
    expect(() => new S3Store({ bucket: "a/b" })).toThrow("no name of a bucket");
    await expect(asked("lab", { "vfs.s3.scheme": "ftp" })).rejects.toMatchObject({ code: "ARGUMENT" });
    await expect(asked("lab", { "vfs.s3.region": "x/../y" })).rejects.toMatchObject({ code: "ARGUMENT" });
    await expect(asked("lab", { "vfs.s3.endpoint_override": "http://" })).rejects.toMatchObject({
      code: "ARGUMENT",
    });
  });
});

describe("headers", () => {
  it("sign, unless that is not wanted", async () => {
    const signed = await asked("lab", { "vfs.s3.aws_session_token": "token" });
    expect(signed.headers.get("authorization")).toMatch(
      /^AWS4-HMAC-SHA256 Credential=id\/\d{8}\/us-east-1\/s3\//,
    );
    expect(signed.headers.get("x-amz-security-token")).toBe("token");
    const { fetch, requests } = fakeFetch(ok);
    const store = new S3Store({ bucket: "lab", fetch, config: { "vfs.s3.no_sign_request": "true" } });
    await store.get("k");
    expect([...requests[0]!.headers.keys()].filter((name) => /^authorization|^x-amz/.test(name))).toEqual([]);
  });

  it("say who pays, and how objects are kept", async () => {
    const { fetch, requests } = fakeFetch(ok);
    const config = {
      ...KEYS,
      "vfs.s3.requester_pays": "true",
      "vfs.s3.sse": "KMS",
      "vfs.s3.sse_kms_key_id": "key",
      "vfs.s3.storage_class": "STANDARD_IA",
      "vfs.s3.object_canned_acl": "bucket_owner_full_control",
    };
    const store = new S3Store({ bucket: "lab", fetch, config });
    await store.put("k", new Uint8Array(1));
    await store.get("k");
    const names = [
      "server-side-encryption",
      "server-side-encryption-aws-kms-key-id",
      "storage-class",
      "acl",
      "request-payer",
    ];
    const [put, get] = requests.map(({ headers }) => names.map((name) => headers.get(`x-amz-${name}`)));
    expect(put).toEqual(["aws:kms", "key", "STANDARD_IA", "bucket-owner-full-control", "requester"]);
    expect(get).toEqual([null, null, null, null, "requester"]);
  });

  it("that fetch does not decide are no settings", async () => {
    for (const setting of [
      { "vfs.s3.proxy_host": "p" },
      { "vfs.s3.ca_file": "f" },
      { "vfs.s3.verify_ssl": "false" },
    ]) {
      await expect(asked("lab", setting as Record<string, string>)).rejects.toMatchObject({
        code: "UNSUPPORTED",
      });
    }
    await expect(asked("lab", { "vfs.s3.multipart_part_size": "100" })).rejects.toThrow("5242880 to");
    await expect(asked("lab", { "vfs.s3.sse": "rot13" })).rejects.toThrow("expected aes256 or kms");
    // As a tiledb.Config gives them, defaults included.
    const defaults = {
      "vfs.s3.proxy_host": "",
      "vfs.s3.verify_ssl": "true",
      "vfs.s3.storage_class": "NOT_SET",
    };
    expect((await asked("lab", { ...defaults, "vfs.s3.region": "" })).url).toContain("us-east-1");
  });
});

describe("regions", () => {
  const refusals = {
    "301 with a header": () =>
      xml(errorXml("PermanentRedirect", "elsewhere"), 301, { "x-amz-bucket-region": "ap-east-1" }),
    "301 with an endpoint": () =>
      xml(errorXml("PermanentRedirect", "e", "<Endpoint>b.s3-ap-east-1.amazonaws.com</Endpoint>"), 301),
    "307 to another server": () =>
      xml("", 307, { location: "https://x.s3.ap-east-1.amazonaws.com/", "x-amz-bucket-region": "ap-east-1" }),
    "400 with the region": () =>
      xml(errorXml("AuthorizationHeaderMalformed", "wrong region", "<Region>ap-east-1</Region>"), 400),
  };

  it.each(Object.entries(refusals))("other than asked: %s", async (_, refusal) => {
    const bucket = newBucket();
    const { fetch, requests } = fakeFetch(({ url }) => (url.includes("ap-east-1") ? ok() : refusal()));
    const store = new S3Store({ bucket, fetch, config: KEYS });
    await store.get("k");
    await store.get("k");
    await new S3Store({ bucket, fetch, config: KEYS }).get("k");
    const regions = requests.map(({ url, headers }) => [
      url.split(".")[2],
      headers.get("authorization")!.split("/")[2],
    ]);
    const there = ["ap-east-1", "ap-east-1"];
    expect(regions).toEqual([["us-east-1", "us-east-1"], there, there, there]);
  });

  it("are signed for at servers of one's own, which stay where they are", async () => {
    const answer = refusals["400 with the region"];
    const { fetch, requests } = fakeFetch((_, count) => (count === 1 ? answer() : ok()));
    const config = { ...KEYS, "vfs.s3.endpoint_override": "own.org" };
    await new S3Store({ bucket: newBucket(), fetch, config }).get("k");
    expect(requests[1]!.url).toContain(".own.org/k");
    expect(requests[1]!.headers.get("authorization")).toContain("/ap-east-1/s3/");
  });

  it("that send to and fro end with an error", async () => {
    const { fetch, requests } = fakeFetch(({ url }) =>
      xml(errorXml("PermanentRedirect", "not here"), 301, {
        "x-amz-bucket-region": url.includes("us-east-1") ? "eu-west-1" : "us-east-1",
      }),
    );
    const store = new S3Store({ bucket: newBucket(), fetch, config: KEYS });
    await expect(store.get("k")).rejects.toThrow("PermanentRedirect: not here (HTTP 301)");
    expect(requests).toHaveLength(2);
  });
});

describe("refusals", () => {
  const storeOf = (
    answer: (request: Request, count: number) => Response,
    config: Record<string, string> = KEYS,
  ) => {
    const { fetch, requests } = fakeFetch(answer);
    const quick = { "vfs.s3.connect_scale_factor": "1" };
    return { store: new S3Store({ bucket: "lab", fetch, config: { ...quick, ...config } }), requests };
  };

  it("say what S3 says, and where", async () => {
    const { store } = storeOf(() => xml(errorXml("AccessDenied", "Access &amp; more Denied"), 403));
    await expect(store.get("a/b")).rejects.toMatchObject({
      code: "STORAGE",
      message: "S3: cannot read: AccessDenied: Access & more Denied (HTTP 403) (s3://lab/a/b)",
    });
    const anonymous = storeOf(() => xml(errorXml("AccessDenied", "no"), 403), {
      "vfs.s3.no_sign_request": "true",
    });
    await expect(anonymous.store.list("")).rejects.toThrow(
      "requests are not signed (vfs.s3.no_sign_request)",
    );
  });

  it("that pass are waited for", async () => {
    const slow = () => xml(errorXml("SlowDown", "Please reduce your request rate."), 503);
    const timeout = () => xml(errorXml("RequestTimeout", "idle"), 400);
    const { store, requests } = storeOf((_, count) =>
      count === 1 ? slow() : count === 2 ? timeout() : ok(),
    );
    expect(new TextDecoder().decode(await store.get("k"))).toBe("value");
    expect(requests).toHaveLength(3);
  });

  it("of credentials that have expired are followed by new ones, once", async () => {
    const expired = () => xml(errorXml("ExpiredToken", "The provided token has expired."), 400);
    useEnvironment({ ...NONE, AWS_ACCESS_KEY_ID: "old", AWS_SECRET_ACCESS_KEY: "s", AWS_SESSION_TOKEN: "t" });
    const { store, requests } = storeOf(({ headers }) => {
      process.env.AWS_ACCESS_KEY_ID = "new";
      return headers.get("authorization")!.includes("=old/") ? expired() : ok();
    }, {});
    await store.get("k");
    expect(requests).toHaveLength(2);
    const always = storeOf(expired);
    await expect(always.store.get("k")).rejects.toThrow("ExpiredToken");
    expect(always.requests).toHaveLength(2);
  });

  it("of parts of a deletion are told, after all others were deleted", async () => {
    const keys = ["d/a", "d/b<&", "d/c"];
    const listing = `<ListBucketResult><EncodingType>url</EncodingType>${keys
      .map((key) => `<Contents><Key>${encodeURIComponent(key)}</Key><Size>1</Size></Contents>`)
      .join("")}</ListBucketResult>`;
    const { store, requests } = storeOf(({ method }) => {
      if (method === "GET") return xml(listing, 200);
      if (method === "DELETE") return xml(errorXml("AccessDenied", "locked"), 403);
      return xml(
        "<DeleteResult><Error><Key>d/b&lt;&amp;</Key><Code>AccessDenied</Code></Error></DeleteResult>",
        200,
      );
    });
    await expect(store.deletePrefix("d")).rejects.toThrow(
      "cannot delete: AccessDenied: locked (HTTP 403) (s3://lab/d/b<&)",
    );
    expect(await requests[1]!.text()).toContain("<Key>d/b&lt;&amp;</Key>");
    expect(requests[1]!.headers.get("content-md5")).toMatch(/^[\w+/]{22}==$/);
  });
});

describe("deletions", () => {
  it("of many keys are few requests; keys that XML cannot hold go alone", async () => {
    const keys = [...Array.from({ length: 2300 }, (_, at) => `d/${at}`), "d/a\u0001b"];
    const listing = `<ListBucketResult><EncodingType>url</EncodingType>${keys
      .map((key) => `<Contents><Key>${encodeURIComponent(key)}</Key><Size>1</Size></Contents>`)
      .join("")}</ListBucketResult>`;
    const { fetch, requests } = fakeFetch(({ method }) =>
      method === "GET"
        ? xml(listing, 200)
        : method === "POST"
          ? xml("<DeleteResult/>", 200)
          : new Response(null, { status: 204 }),
    );
    await new S3Store({ bucket: "lab", fetch, config: KEYS }).deletePrefix("d");
    const batches = await Promise.all(
      requests
        .filter(({ method }) => method === "POST")
        .map(async (request) => (await request.text()).match(/<Key>/g)!.length),
    );
    expect(batches).toEqual([1000, 1000, 300]);
    expect(
      requests.filter(({ method }) => method === "DELETE").map(({ url }) => new URL(url).pathname),
    ).toEqual(["/d/a%01b"]);
  });

  it("go one by one where the server knows no other way", async () => {
    const listing =
      "<ListBucketResult><Contents><Key>d/a</Key><Size>1</Size></Contents><Contents><Key>d/b</Key><Size>1</Size></Contents></ListBucketResult>";
    const { fetch, requests } = fakeFetch(({ method }) => {
      if (method === "GET") return xml(listing, 200);
      return method === "POST"
        ? xml(errorXml("NotImplemented", "what?"), 501)
        : new Response(null, { status: 204 });
    });
    await new S3Store({ bucket: "lab", fetch, config: KEYS }).deletePrefix("d");
    const deleted = requests
      .filter(({ method }) => method === "DELETE")
      .map(({ url }) => new URL(url).pathname);
    expect(deleted.sort()).toEqual(["/d/a", "/d/b"]);
  });
});

describe("listings", () => {
  const page = (inside: string, more = "") =>
    `<?xml version="1.0"?><ListBucketResult xmlns="x">${more}${inside}</ListBucketResult>`;
  const listed = (answer: (request: Request, count: number) => string) => {
    const { fetch, requests } = fakeFetch((request, count) => xml(answer(request, count), 200));
    return { store: new S3Store({ bucket: "lab", fetch, config: KEYS }), requests };
  };

  it("go on page by page", async () => {
    const object = (at: number) => `<Contents><Key>d/${at}</Key><Size>${at}</Size></Contents>`;
    const { store, requests } = listed((_, count) =>
      count < 3
        ? page(
            object(count),
            `<IsTruncated>true</IsTruncated><NextContinuationToken>t/${count}+=</NextContinuationToken>`,
          )
        : page(object(count), "<IsTruncated>false</IsTruncated>"),
    );
    expect(await store.list("d")).toEqual([1, 2, 3].map((at) => ({ key: `d/${at}`, size: at })));
    const queries = requests.map(({ url }) => Object.fromEntries(new URL(url).searchParams));
    const first = { "encoding-type": "url", "list-type": "2", prefix: "d/" };
    expect(queries).toEqual([
      first,
      { ...first, "continuation-token": "t/1+=" },
      { ...first, "continuation-token": "t/2+=" },
    ]);
  });

  it("leave out what is no key: markers of folders, empty names", async () => {
    const keys = ["d/", "d/x", "d//y", "d/a%2Fb+c%25", "d/..%2Fz"];
    const contents = keys.map((key) => `<Contents><Key>${key}</Key><Size>0</Size></Contents>`).join("");
    const { store } = listed(() => page(contents, "<EncodingType>url</EncodingType>"));
    expect((await store.list("d")).map(({ key }) => key)).toEqual(["d/a/b c%", "d/x"]);
  });

  it("that are none are errors", async () => {
    for (const [answer, problem] of [
      ["<html><body>hello</body></html>", "expected ListBucketResult, got html"],
      ["<ListBucketResult>", "has no end"],
      ["not xml", "malformed"],
      [page("<Contents><Key>k</Key><Size>-1</Size></Contents>"), "the size of 'k' is '-1'"],
      [page("<Contents><Key>k</Key></Contents>"), "Contents has no Size"],
      [page("", "<IsTruncated>true</IsTruncated>"), "has no NextContinuationToken"],
      [
        page("", "<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>"),
        "does not go on",
      ],
    ] as const) {
      const { store } = listed(() => answer);
      await expect(store.list("")).rejects.toMatchObject({ code: "STORAGE" });
      await expect(store.list("")).rejects.toThrow(problem);
    }
  });
});
