import { ArgumentError, NotFoundError, UnsupportedError } from "../../errors.js";
import { HttpClient } from "../remote/http-client.js";
import { environment, environmentVariable, readTextFile } from "../remote/machine.js";
import { readSettings, type Settings, type StorageOptions } from "../remote/settings.js";
import { askToken, keptToken, type TokenSource } from "./access-token.js";
import { tokenOfCredentials } from "./credential-file.js";

/** Where Google Cloud Storage is and who asks: from settings, then from the environment. */

const ENDPOINT = "https://storage.googleapis.com";

/** Where `gcloud auth application-default login` puts its file. */
const GCLOUD_FILE = "~/.config/gcloud/application_default_credentials.json";

const METADATA_HOST = "metadata.google.internal";

export interface GcsAccess {
  /** Without a trailing slash. */
  readonly endpoint: string;
  /** Gives an access token, or undefined for anonymous requests. Undefined: all requests are anonymous. */
  readonly token: (() => Promise<string | undefined>) | undefined;
}

/** Throws ArgumentError for an endpoint that is none. */
export function gcsAccess(options: StorageOptions): GcsAccess {
  const settings = readSettings(options.config);
  const own = settings.text("vfs.gcs.endpoint");
  const emulator =
    environmentVariable("STORAGE_EMULATOR_HOST") ?? environmentVariable("CLOUD_STORAGE_EMULATOR_ENDPOINT");
  const endpoint =
    own ?? (emulator && (emulator.includes("://") ? emulator : `http://${emulator}`)) ?? ENDPOINT;
  if (!/^https?:\/\/[^/]/.test(endpoint)) {
    throw new ArgumentError(`vfs.gcs.endpoint '${endpoint}' must begin with https:// or http://`);
  }
  return {
    endpoint: endpoint.replace(/\/+$/, ""),
    token: tokenOf(options, settings, endpoint === ENDPOINT),
  };
}

function tokenOf(options: StorageOptions, settings: Settings, isGoogle: boolean): GcsAccess["token"] {
  const { accessToken } = options;
  if (typeof accessToken === "string") return async () => accessToken;
  if (accessToken !== undefined) return async () => accessToken();
  for (const name of ["workload_identity_configuration", "impersonate_service_account"] as const) {
    if (settings.text(`vfs.gcs.${name}`) === undefined) continue;
    throw new UnsupportedError(`setting vfs.gcs.${name} is not supported; pass accessToken`);
  }
  const http = new HttpClient({ fetch: options.fetch });
  const key = settings.text("vfs.gcs.service_account_key");
  if (key !== undefined) return tokenOfCredentials(key, "vfs.gcs.service_account_key", http);
  // As in TileDB: what is not Google's gets nobody's credentials.
  if (!isGoogle) return undefined;
  return foundToken(options.fetch);
}

/** What the machine has, looked for at the first request and then kept. */
function foundToken(fetch: StorageOptions["fetch"]): GcsAccess["token"] {
  if (environment() === undefined) return undefined;
  let source: Promise<TokenSource | undefined> | undefined;
  return async () => {
    source ??= findToken(fetch).catch((error: unknown) => {
      source = undefined;
      throw error;
    });
    return (await source)?.();
  };
}

/** Google's order: the file that is named, gcloud's file, the machine's own service account; else anonymous. */
async function findToken(fetch: StorageOptions["fetch"]): Promise<TokenSource | undefined> {
  const http = new HttpClient({ fetch });
  const named = environmentVariable("GOOGLE_APPLICATION_CREDENTIALS");
  const path = named ?? GCLOUD_FILE;
  const json = await readTextFile(path);
  if (json !== undefined) return tokenOfCredentials(json, path, http);
  if (named !== undefined) {
    throw new NotFoundError("there is no file that GOOGLE_APPLICATION_CREDENTIALS names", { where: named });
  }
  return metadataToken(fetch);
}

/** The metadata server of Compute Engine, Cloud Run and their kin; undefined where none answers. */
async function metadataToken(fetch: StorageOptions["fetch"]): Promise<TokenSource | undefined> {
  const host = environmentVariable("GCE_METADATA_HOST") ?? METADATA_HOST;
  const account = `http://${host}/computeMetadata/v1/instance/service-accounts/default`;
  const headers = { "Metadata-Flavor": "Google" };
  // Elsewhere nothing answers to that name, or something else does.
  const probe = new HttpClient({ fetch, retry: { tries: 1, timeout: 1000 } });
  try {
    const answer = await probe.send({
      method: "GET",
      url: `${account}/email`,
      headers,
      accept: [200, 404],
      where: account,
      maxBytes: 4096,
    });
    if (answer.status === 404 || answer.headers.get("metadata-flavor") !== "Google") return undefined;
  } catch {
    return undefined;
  }
  const http = new HttpClient({ fetch });
  return keptToken(() => askToken(http, { url: `${account}/token`, headers }));
}
