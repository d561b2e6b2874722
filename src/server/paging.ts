import { RequestLimitError } from "./problem.js";
import type { RouteContext } from "./route.js";

/** A part of the rows: `offset` and `limit`. */

export interface Page {
  readonly rows: Uint32Array;
  readonly offset: number;
  /** Rows in all. */
  readonly total: number;
  readonly headers: Readonly<Record<string, string>>;
}

export const pagingParameters = ["offset", "limit"] as const;

/** Rows of a page where the request does not say. */
export const defaultPage = 1000;

/** `limit` is what comes where the request does not say; a request for more than `most` rows is refused. */
export function pageOf(rows: Uint32Array, context: RouteContext, limit: number, most: number): Page {
  const { parameters, query } = context;
  const offset = parameters.count("offset") ?? 0;
  const asked = parameters.count("limit") ?? limit;
  const end = Math.min(offset + asked, rows.length);
  if (Math.min(asked, rows.length) > most) {
    throw new RequestLimitError("rows", most, `limit ${asked}, at most ${most} rows in one answer`);
  }
  const headers: Record<string, string> = { "x-total-count": `${rows.length}` };
  if (query !== null && asked > 0 && end < rows.length) headers.link = nextLink(query, end);
  return { rows: rows.subarray(offset, Math.max(offset, end)), offset, total: rows.length, headers };
}

/** Relative to the request's URL (RFC 8288). */
function nextLink(query: URLSearchParams, offset: number): string {
  const next = new URLSearchParams(query);
  next.set("offset", `${offset}`);
  return `<?${next}>; rel="next"`;
}
