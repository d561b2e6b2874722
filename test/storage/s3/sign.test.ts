import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { requestUrl } from "../../../src/storage/s3/address.js";
import type { AwsCredentials } from "../../../src/storage/s3/credentials/types.js";
import {
  EMPTY_SHA256,
  type SignableRequest,
  type SigningScope,
  sha256Hex,
  signRequest,
} from "../../../src/storage/s3/sign.js";
import { nodeSigner } from "../../../src/storage/s3/sign-node.js";
import { signBySubtle } from "../../../src/storage/s3/sign-subtle.js";
import { runs } from "../../support/property.js";

/** The examples of Amazon's documentation, "Signature Calculations for the Authorization Header". */

const credentials = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
};
const scope = { service: "s3", region: "us-east-1" } as const;

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now: Date.UTC(2013, 4, 24) }));
afterEach(() => void vi.useRealTimers());

function sign(query: string, headers: Record<string, string> = {}) {
  const url = `https://examplebucket.s3.amazonaws.com/${query}`;
  const all = { "x-amz-content-sha256": EMPTY_SHA256, ...headers };
  return signRequest({ method: "GET", url, headers: all }, credentials, scope);
}

describe("signatures", () => {
  it.each([
    ["?lifecycle=", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"],
    ["?max-keys=2&prefix=J", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"],
  ])("of %s are Amazon's", async (query, signature) => {
    const { authorization } = await sign(query);
    expect(authorization).toBe(
      `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=${signature}`,
    );
  });

  it("leave ranges to proxies, and hold session tokens", async () => {
    const plain = await sign("k");
    const ranged = await sign("k", { range: "bytes=0-9" });
    expect(ranged.authorization).toBe(plain.authorization);
    expect(ranged.range).toBe("bytes=0-9");
    const token = { ...credentials, sessionToken: "t" };
    const url = "https://examplebucket.s3.amazonaws.com/k";
    const headers = { "x-amz-content-sha256": EMPTY_SHA256 };
    const signed = await signRequest({ method: "GET", url, headers }, token, scope);
    expect(signed["x-amz-security-token"]).toBe("t");
    expect(signed.authorization).toContain(
      "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,",
    );
  });

  it("hash bodies, also in memory that threads share", async () => {
    const text = new TextEncoder().encode("Welcome to Amazon S3.");
    const hash = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
    expect(await sha256Hex(text)).toBe(hash);
    const shared = new Uint8Array(new SharedArrayBuffer(text.length));
    shared.set(text);
    expect(await sha256Hex(shared)).toBe(hash);
    expect(await sha256Hex(new Uint8Array(0))).toBe(EMPTY_SHA256);
  });

  it("without crypto.subtle are refused", async () => {
    vi.stubGlobal("crypto", {});
    await expect(sign("k")).rejects.toMatchObject({ code: "UNSUPPORTED" });
    vi.unstubAllGlobals();
  });
});

describe("signatures by aws4", () => {
  // Another time than the clock's, which may be wrong.
  const time = "20130521T175959Z";
  const bucket = "https://examplebucket.s3.amazonaws.com";
  const content = { "x-amz-content-sha256": EMPTY_SHA256 };
  const token = { ...credentials, sessionToken: "to+ken/==" };
  const form = "Action=AssumeRole&Version=2011-06-15&RoleSessionName=a%20b";
  const asForm = { "content-type": "application/x-www-form-urlencoded; charset=utf-8" };

  it.each<[string, SignableRequest, AwsCredentials, SigningScope["service"]]>([
    ["a key", { method: "GET", url: `${bucket}/folder/key`, headers: content }, credentials, "s3"],
    ["the bucket", { method: "GET", url: `${bucket}/`, headers: content }, credentials, "s3"],
    [
      "spaces, letters beyond ASCII, +, ~ and all that is escaped",
      {
        method: "PUT",
        url: requestUrl(
          { scheme: "https", host: "s3.example:9000", path: "" },
          "bucket",
          true,
          "a b/grüße/漢字/𝄞/+~!*'()@,;:&=$?#[]%|^`<>\\\"/ü%20/../x/./y//z/",
        ),
        headers: content,
      },
      credentials,
      "s3",
    ],
    [
      "queries: several, empty, encoded, in another order",
      {
        method: "GET",
        url: `${bucket}/?prefix=a%20b%2Bc~%21&list-type=2&delimiter=%2F&continuation-token=x%2F%3D%3D&uploads=&start-after=gr%C3%BC%C3%9Fe%2A`,
        headers: content,
      },
      credentials,
      "s3",
    ],
    [
      "a query without a value",
      { method: "POST", url: `${bucket}/k?uploads`, headers: content },
      credentials,
      "s3",
    ],
    [
      "further headers, some with spaces, some of other cases, some not signed",
      {
        method: "PUT",
        url: `${bucket}/k`,
        headers: {
          ...content,
          Range: "bytes=0-9",
          "Content-Type": "text/plain",
          "content-length": "3",
          "X-Amz-Storage-Class": "STANDARD_IA",
          "x-amz-meta-name": "  a   b ",
          "x-amz-copy-source": "/bucket/a%20b",
          "if-none-match": "*",
          "user-agent": "u",
        },
      },
      credentials,
      "s3",
    ],
    ["a session token", { method: "DELETE", url: `${bucket}/k`, headers: content }, token, "s3"],
    [
      "another port",
      { method: "GET", url: "http://127.0.0.1:9000/bucket/k", headers: content },
      credentials,
      "s3",
    ],
    [
      "a port that need not be said",
      { method: "GET", url: "https://host:443/bucket/k", headers: content },
      credentials,
      "s3",
    ],
    [
      "a form to the token service",
      { method: "POST", url: "https://sts.eu-west-1.amazonaws.com/", headers: asForm, body: form },
      credentials,
      "sts",
    ],
    [
      "the same with a session token",
      { method: "POST", url: "https://sts.eu-west-1.amazonaws.com/", headers: asForm, body: form },
      token,
      "sts",
    ],
  ])("are those of aws4fetch: %s", async (_, request, by, service) => {
    const where = { service, region: "eu-west-1" };
    const expected = await signBySubtle(request, by, where, time);
    expect(expected.authorization).toMatch(/^AWS4-HMAC-SHA256 .*Signature=[0-9a-f]{64}$/);
    const found = await nodeSigner()(request, by, where, time);
    const trimmed = Object.entries(found).map(([name, value]) => [name, value.trim()]);
    expect(Object.fromEntries(trimmed)).toEqual(expected);
  });

  it("are those of aws4fetch for any key and query", async () => {
    const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 });
    // Names of a query are S3's own; aws4 keeps them in an object, where this one is no name.
    const name = text.filter((one) => one !== "__proto__");
    const query = fc.dictionary(name, fc.string({ unit: "grapheme", maxLength: 8 }), {
      maxKeys: 4,
      noNullPrototype: true,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 4 }), query, async (names, asked) => {
        const endpoint = { scheme: "https", host: "s3.example", path: "" } as const;
        const url = requestUrl(endpoint, "bucket", true, names.join("/"), asked);
        const request = { method: "GET", url, headers: content };
        expect(await nodeSigner()(request, credentials, scope, time)).toEqual(
          await signBySubtle(request, credentials, scope, time),
        );
      }),
      { numRuns: runs(100, 5000) },
    );
  });

  it("are made by aws4fetch where the platform's signer cannot be loaded", async () => {
    vi.resetModules();
    const { setSigner } = await import("../../../src/storage/remote/machine.js");
    const { signRequest: signAnew } = await import("../../../src/storage/s3/sign.js");
    setSigner(() => Promise.reject(new Error("Cannot find module 'aws4'")));
    const request = { method: "GET", url: `${bucket}/k`, headers: content };
    expect(await signAnew(request, credentials, scope)).toEqual(
      await signRequest(request, credentials, scope),
    );
  });
});
