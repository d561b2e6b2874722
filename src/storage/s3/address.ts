import { ArgumentError } from "../../errors.js";

/** URLs of buckets and their objects: https://bucket.host/key, or https://host/bucket/key ("path style"). */

/** A server that speaks S3. */
export interface Endpoint {
  /** "http" or "https". */
  readonly scheme: string;
  /** With its port. */
  readonly host: string;
  /** Before the bucket: "" or "/prefix". */
  readonly path: string;
}

/** "host:port", "host/path" or a whole URL. */
export function parseEndpoint(text: string, scheme: string): Endpoint {
  const whole = /^https?:\/\//i.test(text) ? text : `${scheme}://${text}`;
  if (!URL.canParse(whole)) {
    // It may have a password in it.
    throw new ArgumentError("the S3 endpoint is no host or URL (vfs.s3.endpoint_override, AWS_ENDPOINT_URL)");
  }
  const url = new URL(whole);
  return { scheme: url.protocol.slice(0, -1), host: url.host, path: url.pathname.replace(/\/+$/, "") };
}

/** Amazon's server of a region. */
export function awsEndpoint(region: string, scheme: string): Endpoint {
  const domain = region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
  return { scheme, host: `s3.${region}.${domain}`, path: "" };
}

/**
 * Whether the bucket must be named in the path, whatever is wanted: addresses by number have no subdomains, and
 * certificates for `*.host` do not hold for names with dots.
 */
export function needsPathStyle(endpoint: Endpoint, bucket: string): boolean {
  const { hostname } = new URL(`${endpoint.scheme}://${endpoint.host}`);
  if (hostname === "localhost" || hostname.startsWith("[") || /^[\d.]+$/.test(hostname)) return true;
  return !/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(bucket);
}

/** The URL of `key` ("": of the bucket) with its query; everything that may be is escaped. */
export function requestUrl(
  endpoint: Endpoint,
  bucket: string,
  isPathStyle: boolean,
  key: string,
  query: Readonly<Record<string, string>> = {},
): string {
  const { scheme, host, path } = endpoint;
  const base = isPathStyle ? `${scheme}://${host}${path}/${bucket}` : `${scheme}://${bucket}.${host}${path}`;
  const names = Object.keys(query).sort();
  const search = names.map((name) => `${escapePart(name)}=${escapePart(query[name]!)}`).join("&");
  return `${base}/${key.split("/").map(escapePart).join("/")}${search === "" ? "" : `?${search}`}`;
}

/** All but the unreserved letters of RFC 3986, as signatures want it. */
export function escapePart(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** `bucket` itself. Throws ArgumentError for what can be no bucket's name. */
export function checkBucket(bucket: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/.test(bucket)) return bucket;
  throw new ArgumentError(
    `'${bucket}' is no name of a bucket: expected 2 to 255 letters, digits, '.', '-' and '_'`,
  );
}
