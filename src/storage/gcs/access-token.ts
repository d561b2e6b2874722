import { StorageError } from "../../errors.js";
import type { HttpClient } from "../remote/http-client.js";

/** Access tokens of Google's services: kept until shortly before they expire. */

export interface AccessToken {
  readonly token: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** Gives the token for a request. */
export type TokenSource = () => Promise<string>;

/** Tokens are renewed this long before they expire, in milliseconds: the metadata server has new ones by then. */
const RENEW_BEFORE = 4 * 60_000;

/** `ask` is called for the first token and when one is about to expire; who asks meanwhile waits for the same answer. */
export function keptToken(ask: () => Promise<AccessToken>, now: () => number = Date.now): TokenSource {
  let current: AccessToken | undefined;
  let asking: Promise<AccessToken> | undefined;
  return async () => {
    if (current !== undefined && current.expiresAt - now() > RENEW_BEFORE) return current.token;
    asking ??= ask().finally(() => {
      asking = undefined;
    });
    try {
      current = await asking;
    } catch (error) {
      if (current === undefined || current.expiresAt <= now()) throw error;
    }
    return current.token;
  };
}

/** Asks an OAuth token endpoint, or the metadata server, whose answers look the same. */
export async function askToken(
  http: HttpClient,
  request: {
    url: string;
    form?: Readonly<Record<string, string>>;
    headers?: Readonly<Record<string, string>>;
  },
): Promise<AccessToken> {
  const { url, form, headers } = request;
  const asked = Date.now();
  const answer = await http.send({
    method: form === undefined ? "GET" : "POST",
    url,
    headers: { ...headers, ...(form && { "Content-Type": "application/x-www-form-urlencoded" }) },
    ...(form && { body: new URLSearchParams(form).toString() }),
    accept: [200],
    where: url,
    maxBytes: 1 << 20,
  });
  const { access_token: token, expires_in: seconds } = parseAnswer(answer.bytes, url);
  if (typeof token !== "string" || typeof seconds !== "number") {
    throw new StorageError("the answer has no access_token and expires_in", { where: url });
  }
  return { token, expiresAt: asked + seconds * 1000 };
}

function parseAnswer(bytes: Uint8Array, where: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw new StorageError("the answer is no JSON object", { where });
}
