import { ArgumentError } from "../../errors.js";

/** An http(s) address without credentials, query, fragment and slashes at its end, for messages and `uri` fields. */
export function httpUri(text: string): string {
  if (!URL.canParse(text)) throw new ArgumentError("this is no URL", { where: withoutQuery(text) });
  const { origin, pathname } = new URL(text);
  return origin + pathname.replace(/\/+$/, "");
}

/** Text without its %XX. Throws ArgumentError where they are no UTF-8. */
export function decodePart(text: string, where: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new ArgumentError("this is no URL: a % in it must be followed by the digits of UTF-8", {
      where: withoutQuery(where),
      cause,
    });
  }
}

/** An address without its query: there may be signatures in it, which are secrets. */
export function withoutQuery(text: string): string {
  const query = text.indexOf("?");
  return query < 0 ? text : text.slice(0, query);
}
