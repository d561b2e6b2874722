import type { CheckedOptions } from "./options.js";

/** Cross-origin requests (the Fetch standard's CORS protocol), without credentials. */

/** What pages may read besides the headers that are always open. */
const exposed = "ETag, Link, X-Total-Count";

/** Seconds for which a browser need not ask again. */
const preflightSeconds = 86_400;

/** Headers that every answer to this request gets. */
export function corsHeaders(
  request: Request,
  origins: CheckedOptions["cors"],
): Readonly<Record<string, string>> {
  if (origins === "*")
    return { "access-control-allow-origin": "*", "access-control-expose-headers": exposed };
  if (origins.length === 0) return {};
  const origin = request.headers.get("origin");
  // Caches must know that the answer depends on who asks, even where it says nothing.
  if (origin === null || !origins.includes(origin)) return { vary: "Origin" };
  return {
    "access-control-allow-origin": origin,
    "access-control-expose-headers": exposed,
    vary: "Origin",
  };
}

/** Further headers of the answer to a preflight. */
export function preflightHeaders(request: Request, allow: string): Readonly<Record<string, string>> {
  if (!request.headers.has("access-control-request-method")) return {};
  return {
    "access-control-allow-methods": allow,
    "access-control-allow-headers": "Accept, Content-Type, If-None-Match",
    "access-control-max-age": `${preflightSeconds}`,
  };
}
