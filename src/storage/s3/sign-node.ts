import { createRequire } from "node:module";
import type { Request } from "aws4";
import type { RequestSigner } from "./sign.js";

/** Headers that the proxies between may change, and that aws4 would sign nevertheless. */
const UNSIGNED = { "content-type": true, "content-length": true };

interface Signable extends Request {
  /** Headers that are left out of the signature. */
  readonly extraHeadersToIgnore: Readonly<Record<string, boolean>>;
}

/** By aws4, on node:crypto. Throws where a bundler has left it behind. */
export function nodeSigner(): RequestSigner {
  // An import would first search the package's text for what it exports, which takes twice as long as all that it does.
  const aws4 = createRequire(import.meta.url)("aws4") as typeof import("aws4");
  return ({ method, url, headers, body }, credentials, scope, time) => {
    const { host, pathname, search } = new URL(url);
    const { accessKeyId, secretAccessKey, sessionToken } = credentials;
    const sent = {
      ...lowerCased(headers),
      "x-amz-date": time,
      ...(sessionToken !== undefined && { "x-amz-security-token": sessionToken }),
    };
    const request: Signable = {
      ...scope,
      method,
      path: pathname + search,
      headers: { ...sent, host },
      ...(body !== undefined && { body }),
      extraHeadersToIgnore: UNSIGNED,
    };
    const signed = aws4.sign(request, { accessKeyId, secretAccessKey });
    return { ...sent, authorization: String(signed.headers?.Authorization) };
  };
}

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
