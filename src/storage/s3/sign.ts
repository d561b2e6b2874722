import { AwsV4Signer } from "aws4fetch";
import { UnsupportedError } from "../../errors.js";
import type { AwsCredentials } from "./credentials/types.js";

/** Signatures of AWS, version 4, in headers: by `crypto.subtle`, which every platform has. */

export interface SignableRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
}

export interface SigningScope {
  readonly service: "s3" | "sts";
  readonly region: string;
}

/** SHA-256 of nothing. */
export const EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** Signing keys of days, regions and secrets, which four rounds of HMAC make. */
const signingKeys = new Map<string, ArrayBuffer>();
const MAX_SIGNING_KEYS = 64;

/**
 * The headers with the signature. For S3 they must have `x-amz-content-sha256`, the hash of the body; elsewhere `body`
 * is hashed. `now`: milliseconds since 1970. `Range` and `Content-Type` stay out of the signature: the proxies between may change them.
 */
export async function signRequest(
  request: SignableRequest,
  credentials: AwsCredentials,
  scope: SigningScope,
  now = Date.now(),
): Promise<Record<string, string>> {
  checkSubtle();
  if (signingKeys.size > MAX_SIGNING_KEYS) signingKeys.clear();
  const { method, url, headers, body } = request;
  const signer = new AwsV4Signer({
    method,
    url,
    headers: { ...headers },
    ...(body === undefined ? {} : { body }),
    accessKeyId: credentials.accessKeyId,
    secretAccessKey: credentials.secretAccessKey,
    ...(credentials.sessionToken === undefined ? {} : { sessionToken: credentials.sessionToken }),
    ...scope,
    datetime: new Date(now).toISOString().replace(/[:-]|\.\d{3}/g, ""),
    cache: signingKeys,
  });
  const signed = await signer.sign();
  return Object.fromEntries(signed.headers);
}

/** SHA-256 in hex digits. */
export async function sha256Hex(bytes: Uint8Array): Promise<string> {
  if (bytes.byteLength === 0) return EMPTY_SHA256;
  checkSubtle();
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", unshared(bytes)));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Memory shared with threads is taken neither by crypto.subtle nor by fetch. */
export function unshared(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes);
}

function checkSubtle(): void {
  if (globalThis.crypto?.subtle !== undefined) return;
  throw new UnsupportedError(
    "requests cannot be signed: pages have crypto.subtle over https and on localhost only",
  );
}
