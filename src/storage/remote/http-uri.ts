import { ArgumentError } from "../../errors.js";

/** An http(s) address without credentials, query, fragment and slashes at its end, for messages and `uri` fields. */
export function httpUri(text: string): string {
  if (!URL.canParse(text)) throw new ArgumentError("this is no URL", { where: withoutSecrets(text) });
  const { origin, pathname } = new URL(text);
  return origin + pathname.replace(/\/+$/, "");
}

/** Text without its %XX. Throws ArgumentError where they are no UTF-8. */
export function decodePart(text: string, where: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new ArgumentError("this is no URL: a % in it must be followed by the digits of UTF-8", {
      where: withoutSecrets(where),
      cause,
    });
  }
}

/** An address without the name and password before its host and without its query, in which there may be a signature. */
export function withoutSecrets(text: string): string {
  const query = text.indexOf("?");
  const address = query < 0 ? text : text.slice(0, query);
  return address.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/]*@/i, "$1");
}
