import { ArgumentError } from "../../errors.js";
import type { RetryPolicy } from "./retry.js";

/** What callers say about places that are reached over a network: settings by the names that TileDB gives them. */

export interface StorageOptions {
  /**
   * TileDB's settings by their names, such as "vfs.s3.region"; pairs as of a `tiledb.Config` are taken too. Values are
   * texts as there ("true", "5242880"), or numbers and booleans. Unknown names that begin with vfs.s3., vfs.gcs.,
   * vfs.azure. or vfs.http. are refused, others ignored.
   */
  readonly config?:
    | Readonly<Record<string, string | number | boolean>>
    | Iterable<readonly [string, string | number | boolean]>
    | undefined;
  /**
   * An access token for gs: and azure:, or what gives one, asked before each request: it keeps a token as long as that
   * is good. Goes before all other credentials.
   */
  readonly accessToken?: string | (() => string | Promise<string>) | undefined;
  /**
   * Gives a signed URL of a key, in place of credentials, for gs: places: whoever holds the key of the account makes them
   * elsewhere. Then nothing can be listed, and values are written whole.
   */
  readonly signedUrl?:
    | ((key: string, method: "GET" | "PUT" | "DELETE") => string | Promise<string>)
    | undefined;
  /** In place of what requests are made by otherwise: the global fetch, in Node node:http and node:https. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** Further headers of every request to http(s) stores. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Bytes of the memory cache that all remote stores of the process share; 0: none. */
  readonly cacheBytes?: number | undefined;
  /**
   * How a store's index file is used: "check", against a listing that is asked for at the same time (default where keys
   * can be listed); "trust" (default where they cannot); "ignore".
   */
  readonly index?: "check" | "trust" | "ignore" | undefined;
}

/** Retries and limits, which TileDB knows for S3; here they go for all. */
const COMMON = [
  "request_timeout_ms",
  "connect_max_tries",
  "connect_scale_factor",
  "max_parallel_ops",
] as const;

const S3 = [
  "aws_access_key_id",
  "aws_external_id",
  "aws_load_frequency",
  "aws_role_arn",
  "aws_secret_access_key",
  "aws_session_name",
  "aws_session_token",
  "bucket_canned_acl",
  "ca_file",
  "ca_path",
  "config_source",
  "connect_timeout_ms",
  "endpoint_override",
  "install_sigpipe_handler",
  "logging_level",
  "multipart_part_size",
  "no_sign_request",
  "object_canned_acl",
  "proxy_host",
  "proxy_password",
  "proxy_port",
  "proxy_scheme",
  "proxy_username",
  "region",
  "requester_pays",
  "retry_strategy",
  "scheme",
  "skip_init",
  "sse",
  "sse_kms_key_id",
  "storage_class",
  "use_multipart_upload",
  "use_virtual_addressing",
  "verify_ssl",
] as const;

const GCS = [
  "endpoint",
  "impersonate_service_account",
  "max_direct_upload_size",
  "multi_part_size",
  "project_id",
  "service_account_key",
  "use_multi_part_upload",
  "workload_identity_configuration",
] as const;

const AZURE = [
  "blob_endpoint",
  "block_list_block_size",
  "is_data_lake_endpoint",
  "max_retries",
  "max_retry_delay_ms",
  "retry_delay_ms",
  "storage_account_key",
  "storage_account_name",
  "storage_account_sas_token",
  "storage_sas_token",
  "use_block_list_upload",
] as const;

type Scheme = "s3" | "gcs" | "azure" | "http";

export type SettingName =
  | `vfs.${Scheme}.${(typeof COMMON)[number]}`
  | `vfs.s3.${(typeof S3)[number]}`
  | `vfs.gcs.${(typeof GCS)[number]}`
  | `vfs.azure.${(typeof AZURE)[number]}`;

const KNOWN: Readonly<Record<Scheme, readonly string[]>> = {
  s3: [...COMMON, ...S3],
  gcs: [...COMMON, ...GCS],
  azure: [...COMMON, ...AZURE],
  http: COMMON,
};

/** Settings as they were given; empty texts are as good as none, as in TileDB. */
export class Settings {
  readonly #values: ReadonlyMap<string, string>;

  constructor(values: ReadonlyMap<string, string>) {
    this.#values = values;
  }

  text(name: SettingName): string | undefined {
    return this.#values.get(name) || undefined;
  }

  /** Throws ArgumentError for what is no integer of at least `least`. */
  integer(name: SettingName, least = 0): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value;
    throw new ArgumentError(`setting ${name} is '${text}', expected an integer of at least ${least}`);
  }

  /** Throws ArgumentError for what is neither "true" nor "false". */
  flag(name: SettingName): boolean | undefined {
    const text = this.text(name)?.toLowerCase();
    if (text === undefined) return undefined;
    if (text === "true" || text === "false") return text === "true";
    throw new ArgumentError(`setting ${name} is '${text}', expected true or false`);
  }
}

/** Throws ArgumentError naming a setting that is not known. */
export function readSettings(config: StorageOptions["config"]): Settings {
  const values = new Map<string, string>();
  for (const [name, value] of pairs(config ?? {})) {
    checkName(name);
    values.set(name, String(value).trim());
  }
  return new Settings(values);
}

function pairs(
  config: NonNullable<StorageOptions["config"]>,
): Iterable<readonly [string, string | number | boolean]> {
  return isIterable(config) ? config : Object.entries(config);
}

function isIterable(
  config: NonNullable<StorageOptions["config"]>,
): config is Iterable<readonly [string, string | number | boolean]> {
  return Symbol.iterator in config;
}

function checkName(name: string): void {
  const [, scheme, rest] = /^vfs\.(s3|gcs|azure|http)\.(.*)$/.exec(name) ?? [];
  if (scheme === undefined || rest === undefined) return;
  const known = KNOWN[scheme as Scheme];
  // TileDB's parameters of single buckets or containers are not here: said rather than passed over.
  if (known.includes(rest)) return;
  throw new ArgumentError(`setting ${name} is unknown; vfs.${scheme}. has ${[...known].sort().join(", ")}`);
}

/** What the settings of a scheme say of retries; the rest is as the client's defaults. */
export function retryOf(settings: Settings, scheme: Scheme): Partial<RetryPolicy> {
  const tries = settings.integer(`vfs.${scheme}.connect_max_tries`, 1);
  const baseDelay = settings.integer(`vfs.${scheme}.connect_scale_factor`);
  const timeout = settings.integer(`vfs.${scheme}.request_timeout_ms`, 1);
  return {
    ...(tries !== undefined && { tries }),
    ...(baseDelay !== undefined && { baseDelay }),
    ...(timeout !== undefined && { timeout }),
  };
}

/** Requests of a store under way at a time, where the settings say it. */
export function concurrencyOf(settings: Settings, scheme: Scheme): number | undefined {
  return settings.integer(`vfs.${scheme}.max_parallel_ops`, 1);
}
