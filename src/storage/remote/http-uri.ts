import { ArgumentError } from "../../errors.js";

/** An http(s) address without credentials, query, fragment and slashes at its end, for messages and `uri` fields. */
export function httpUri(text: string): string {
  if (!URL.canParse(text)) throw new ArgumentError("this is no URL", { where: withoutQuery(text) });
  const { origin, pathname } = new URL(text);
  return origin + pathname.replace(/\/+$/, "");
}

/** An address without its query: there may be signatures in it, which are secrets. */
export function withoutQuery(text: string): string {
  const query = text.indexOf("?");
  return query < 0 ? text : text.slice(0, query);
}
