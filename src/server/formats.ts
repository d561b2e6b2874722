import { ArgumentError } from "../errors.js";
import { HttpError } from "./problem.js";

/** In which form an answer comes: asked for by `?format=`, else by the `Accept` header (RFC 9110, 12.5.1). */

export type Format = "json" | "csv" | "arrow";

export const contentTypes: Readonly<Record<Format, string>> = {
  json: "application/json",
  csv: "text/csv; charset=utf-8",
  arrow: "application/vnd.apache.arrow.stream",
};

/** The first of `offered` is what comes where nothing is asked. Throws ArgumentError, HttpError 406. */
export function chooseFormat(
  asked: string | undefined,
  accept: string | null,
  offered: readonly Format[],
): Format {
  if (asked !== undefined) {
    const format = offered.find((one) => one === asked);
    if (format !== undefined) return format;
    throw new ArgumentError(`format '${asked}', expected ${offered.join(", ")}`);
  }
  if (accept === null || accept.trim() === "") return offered[0]!;
  const ranges = accept.split(",").map(parseRange);
  let best: { format: Format; quality: number } | undefined;
  for (const format of offered) {
    const quality = qualityOf(contentTypes[format].split(";")[0]!, ranges);
    if (quality > (best?.quality ?? 0)) best = { format, quality };
  }
  if (best !== undefined) return best.format;
  const types = offered.map((format) => contentTypes[format].split(";")[0]).join(", ");
  throw new HttpError(406, `nothing of what is accepted is there: ${types}`);
}

interface MediaRange {
  readonly type: string;
  readonly quality: number;
}

function parseRange(text: string): MediaRange {
  const [type = "", ...parameters] = text.split(";").map((part) => part.trim().toLowerCase());
  const quality = parameters.find((parameter) => parameter.startsWith("q="));
  const value = quality === undefined ? 1 : Number(quality.slice(2));
  return { type, quality: value >= 0 && value <= 1 ? value : 0 };
}

/** The most specific range that names the type counts. */
function qualityOf(type: string, ranges: readonly MediaRange[]): number {
  const group = `${type.split("/")[0]}/*`;
  for (const name of [type, group, "*/*"]) {
    const found = ranges.find((range) => range.type === name);
    if (found !== undefined) return found.quality;
  }
  return 0;
}
