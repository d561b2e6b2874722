import { AwsV4Signer } from "aws4fetch";
import type { RequestSigner } from "./sign.js";

/** Signing keys of days, regions and secrets, which four rounds of HMAC make. */
const signingKeys = new Map<string, ArrayBuffer>();
const MAX_SIGNING_KEYS = 64;

/** By aws4fetch, on every platform with `crypto.subtle`. It makes `Headers`, which takes Node some 20 ms the first time. */
export const signBySubtle: RequestSigner = async (request, credentials, scope, time) => {
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
    datetime: time,
    cache: signingKeys,
  });
  const signed = await signer.sign();
  return Object.fromEntries(signed.headers);
};
