import { ArgumentError } from "../../errors.js";
import type { HttpRequest } from "../remote/http-client.js";

/**
 * Signatures of Azure Storage by an account's key: HMAC-SHA256 over the method, eleven headers by their place, the
 * x-ms- headers by their names, and the resource with its parameters.
 */

/** Headers whose values are signed, each on a line, empty where there is none. */
const SIGNED_HEADERS = [
  "content-encoding",
  "content-language",
  "content-length",
  "content-md5",
  "content-type",
  "date",
  "if-modified-since",
  "if-match",
  "if-none-match",
  "if-unmodified-since",
  "range",
] as const;

/** Signs requests with a key as the portal shows it, in base64. */
export class SharedKeySigner {
  readonly #account: string;
  readonly #secret: Uint8Array<ArrayBuffer>;
  #key: Promise<CryptoKey> | undefined;

  /** Throws ArgumentError if `key` is not base64. */
  constructor(account: string, key: string) {
    this.#account = account;
    try {
      this.#secret = Uint8Array.from(atob(key), (byte) => byte.charCodeAt(0));
    } catch {
      // The key itself is a secret: not in the message.
      throw new ArgumentError(`the storage key of Azure account '${account}' is not base64`);
    }
  }

  async sign(request: HttpRequest, now = new Date()): Promise<HttpRequest> {
    const headers = { ...request.headers, "x-ms-date": now.toUTCString() };
    const text = stringToSign({ ...request, headers }, this.#account);
    this.#key ??= crypto.subtle.importKey("raw", this.#secret, { name: "HMAC", hash: "SHA-256" }, false, [
      "sign",
    ]);
    const signature = await crypto.subtle.sign("HMAC", await this.#key, new TextEncoder().encode(text));
    const base64 = btoa(String.fromCharCode(...new Uint8Array(signature)));
    return { ...request, headers: { ...headers, Authorization: `SharedKey ${this.#account}:${base64}` } };
  }
}

/** What is signed; `request` has its date already. */
export function stringToSign(request: HttpRequest, account: string): string {
  const headers = new Map(
    Object.entries(request.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value.trim()]),
  );
  const length = bodyLength(request.body);
  if (length > 0) headers.set("content-length", String(length));
  const fixed = SIGNED_HEADERS.map((name) => headers.get(name) ?? "");
  const own = [...headers].filter(([name]) => name.startsWith("x-ms-")).sort(byName);
  return [
    request.method,
    ...fixed,
    ...own.map(([name, value]) => `${name}:${value}`),
    canonicalResource(new URL(request.url), account),
  ].join("\n");
}

function bodyLength(body: Uint8Array | string | undefined): number {
  if (body === undefined) return 0;
  return typeof body === "string" ? new TextEncoder().encode(body).byteLength : body.byteLength;
}

/** The path as it is sent; parameters decoded, their names in lower case. */
function canonicalResource(url: URL, account: string): string {
  const values = new Map<string, string[]>();
  for (const [name, value] of url.searchParams) {
    const key = name.toLowerCase();
    values.set(key, [...(values.get(key) ?? []), value]);
  }
  const parameters = [...values].sort(byName).map(([name, list]) => `\n${name}:${list.sort().join(",")}`);
  return `/${account}${url.pathname}${parameters.join("")}`;
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
