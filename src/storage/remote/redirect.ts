import { StorageError } from "../../errors.js";
import { withoutSecrets } from "./http-uri.js";
import type { AnswerHeaders, TransportRequest } from "./transport.js";

/** Redirects as fetch follows them (Fetch standard, "HTTP-redirect fetch"), for transports that do not by themselves. */

/** Redirects of one request that are followed. */
export const MAX_REDIRECTS = 20;

const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];

/** Names of headers that say something of a body. */
const OF_BODIES = /^(content-(encoding|language|location|type|length))$/i;

/** Names of headers that are for one origin only. */
const OF_ORIGINS = /^(authorization|proxy-authorization|cookie|host)$/i;

/**
 * What is to be sent next; undefined where the answer is none that leads elsewhere, or is wanted as it is. Throws
 * StorageError for a place that is none: to ask again would lead there again.
 */
export function redirected(
  request: TransportRequest,
  status: number,
  headers: AnswerHeaders,
): TransportRequest | undefined {
  const location = headers.get("location");
  if (request.redirect === "manual" || !REDIRECTS.includes(status)) return undefined;
  if (request.redirect === "error") throw new Error("the server answered with a redirect");
  if (location === null) return undefined;
  const from = new URL(request.url);
  const where = withoutSecrets(request.url);
  const to = targetOf(location, from, where);
  const isSame = to.origin === from.origin;
  if (!isSame && (to.username !== "" || to.password !== "")) {
    throw new StorageError("the server redirects to another origin with a name and password", { where });
  }
  const moved = { ...request, url: to.href };
  const plain = becomesGet(status, request.method) ? { ...moved, ...withoutBody(request) } : moved;
  return isSame ? plain : { ...plain, headers: without(plain.headers, OF_ORIGINS) };
}

/** Servers write addresses as UTF-8, of which headers give bytes as letters. */
function targetOf(location: string, from: URL, where: string): URL {
  const bytes = Uint8Array.from(location, (letter) => letter.charCodeAt(0));
  const text = new TextDecoder().decode(bytes);
  if (!URL.canParse(text, from)) throw new StorageError("the server redirects to what is no URL", { where });
  const to = new URL(text, from);
  if (to.protocol === "http:" || to.protocol === "https:") return to;
  throw new StorageError(`the server redirects to ${to.protocol}, expected http: or https:`, { where });
}

function becomesGet(status: number, method: string): boolean {
  if (status === 303) return method !== "GET" && method !== "HEAD";
  return (status === 301 || status === 302) && method === "POST";
}

function withoutBody({ headers }: TransportRequest): Partial<TransportRequest> {
  return { method: "GET", body: undefined, headers: without(headers, OF_BODIES) };
}

function without(headers: TransportRequest["headers"], names: RegExp): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.test(name)));
}
