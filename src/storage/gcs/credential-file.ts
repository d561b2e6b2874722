import { ArgumentError, UnsupportedError } from "../../errors.js";
import type { HttpClient } from "../remote/http-client.js";
import { type AccessToken, askToken, keptToken, type TokenSource } from "./access-token.js";

/**
 * Google's credentials in JSON, as `gcloud` and the console write them: the key of a service account, which signs a
 * request for a token (RFC 7523), and what `gcloud auth application-default login` leaves, a refresh token.
 */

const TOKEN_ENDPOINT = "https://oauth2.googleapis.com/token";
const SCOPE = "https://www.googleapis.com/auth/devstorage.read_write";

/** Seconds that a signed request is good for; Google takes no more. */
const LIFETIME = 3600;

/** Throws ArgumentError for what is no such JSON, UnsupportedError for kinds that are not known here. */
export function tokenOfCredentials(json: string, where: string, http: HttpClient): TokenSource {
  const fields = parse(json, where);
  const text = (name: string): string => {
    const value = fields[name];
    if (typeof value === "string" && value !== "") return value;
    throw new ArgumentError(`Google credentials of type ${String(fields.type)} lack '${name}'`, { where });
  };
  if (fields.type === "service_account") {
    const account = {
      email: text("client_email"),
      key: text("private_key"),
      keyId: typeof fields.private_key_id === "string" ? fields.private_key_id : undefined,
      endpoint: typeof fields.token_uri === "string" ? fields.token_uri : TOKEN_ENDPOINT,
    };
    return keptToken(() => askAsAccount(account, where, http));
  }
  if (fields.type === "authorized_user") {
    const form = {
      grant_type: "refresh_token",
      client_id: text("client_id"),
      client_secret: text("client_secret"),
      refresh_token: text("refresh_token"),
    };
    const url = typeof fields.token_uri === "string" ? fields.token_uri : TOKEN_ENDPOINT;
    return keptToken(() => askToken(http, { url, form }));
  }
  throw new UnsupportedError(
    `Google credentials of type '${String(fields.type)}' are not known; expected service_account or ` +
      "authorized_user; for others pass accessToken",
    { where },
  );
}

interface ServiceAccount {
  readonly email: string;
  readonly key: string;
  readonly keyId: string | undefined;
  readonly endpoint: string;
}

async function askAsAccount(account: ServiceAccount, where: string, http: HttpClient): Promise<AccessToken> {
  const issued = Math.floor(Date.now() / 1000);
  const claims = {
    iss: account.email,
    scope: SCOPE,
    aud: account.endpoint,
    iat: issued,
    exp: issued + LIFETIME,
  };
  const header = { alg: "RS256", typ: "JWT", ...(account.keyId !== undefined && { kid: account.keyId }) };
  const signed = `${base64Url(encodeJson(header))}.${base64Url(encodeJson(claims))}`;
  const key = await importKey(account.key, where);
  const signature = await crypto.subtle.sign("RSASSA-PKCS1-v1_5", key, new TextEncoder().encode(signed));
  const form = {
    grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
    assertion: `${signed}.${base64Url(new Uint8Array(signature))}`,
  };
  return askToken(http, { url: account.endpoint, form });
}

/** A key in PEM, "BEGIN PRIVATE KEY" (PKCS 8). */
async function importKey(pem: string, where: string): Promise<CryptoKey> {
  const base64 = /-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END PRIVATE KEY-----/.exec(pem)?.[1];
  try {
    if (base64 === undefined) throw new Error("no PRIVATE KEY in PEM");
    const bytes = Uint8Array.from(atob(base64.replace(/\s/g, "")), (byte) => byte.charCodeAt(0));
    const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
    return await crypto.subtle.importKey("pkcs8", bytes, algorithm, false, ["sign"]);
  } catch (cause) {
    throw new ArgumentError("the private_key of the Google service account is not usable", { where, cause });
  }
}

function parse(json: string, where: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Said below, without the text, which is a secret.
  }
  throw new ArgumentError("Google credentials must be a JSON object", { where });
}

const encodeJson = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

function base64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}
