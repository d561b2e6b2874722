import { ArgumentError } from "../../errors.js";
import { decodePart, httpUri, withoutSecrets } from "../remote/http-uri.js";

/** Addresses of the files of a folder: keys are encoded, so that none leads out of it; the folder's query goes along. */
export class HttpAddress {
  /** The folder, without credentials and query. */
  readonly uri: string;
  /** Credentials of the address as a header: fetch takes no others. */
  readonly headers: Readonly<Record<string, string>>;
  readonly #query: string;

  constructor(text: string) {
    this.uri = httpUri(text);
    const { search, username, password } = new URL(text);
    this.#query = search;
    this.headers = username === "" && password === "" ? {} : basicAuthorization(username, password, this.uri);
  }

  /** @param key as `checkKey` takes it */
  url(key: string): string {
    return `${this.uri}/${encodeKey(key, this.uri)}${this.#query}`;
  }
}

/** A key as part of a URL's path: all but unreserved characters and slashes as %XX of its UTF-8. */
export function encodeKey(key: string, where: string): string {
  try {
    return key.split("/").map(encodeURIComponent).join("/");
  } catch (cause) {
    throw new ArgumentError(`key '${key}' is no text: it has half of a surrogate pair`, {
      where: withoutSecrets(where),
      cause,
    });
  }
}

function basicAuthorization(username: string, password: string, where: string): Record<string, string> {
  const text = `${decodePart(username, where)}:${decodePart(password, where)}`;
  const bytes = String.fromCharCode(...new TextEncoder().encode(text));
  return { authorization: `Basic ${btoa(bytes)}` };
}
