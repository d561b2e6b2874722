import { UnsupportedError } from "../../errors.js";
import { platformSigner } from "../remote/machine.js";
import type { AwsCredentials } from "./credentials/types.js";

/** Signatures of AWS, version 4, in headers: by node:crypto where it is there, otherwise by `crypto.subtle`. */

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

/** Gives the headers with the signature, of which `time` (as in 20130524T000000Z) is part. */
export type RequestSigner = (
  request: SignableRequest,
  credentials: AwsCredentials,
  scope: SigningScope,
  time: string,
) => Record<string, string> | Promise<Record<string, string>>;

/** SHA-256 of nothing. */
export const EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

let signer: Promise<RequestSigner> | undefined;

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
  const sign = await loadSigner();
  return sign(request, credentials, scope, new Date(now).toISOString().replace(/[:-]|\.\d{3}/g, ""));
}

function loadSigner(): Promise<RequestSigner> {
  // A bundler may have left behind what the platform signs by.
  signer ??= (platformSigner()?.catch(subtleSigner) ?? subtleSigner()).catch((error: unknown) => {
    signer = undefined;
    throw error;
  });
  return signer;
}

async function subtleSigner(): Promise<RequestSigner> {
  const { signBySubtle } = await import("./sign-subtle.js");
  return (...request) => {
    checkSubtle();
    return signBySubtle(...request);
  };
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
