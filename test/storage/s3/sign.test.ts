import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { EMPTY_SHA256, sha256Hex, signRequest } from "../../../src/storage/s3/sign.js";

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
