import { ArgumentError, UnsupportedError } from "../../errors.js";
import { environmentVariable } from "../remote/machine.js";
import type { Settings } from "../remote/settings.js";
import { type Endpoint, parseEndpoint } from "./address.js";
import type { Profile } from "./credentials/parse-profiles.js";
import { activeProfile } from "./credentials/profile.js";

/** What the settings, the environment and the profile say of a bucket's place and of writing to it. */

export interface S3Settings {
  /** "http" or "https", for servers that are named without it. */
  readonly scheme: string;
  /** Undefined: Amazon's own of the region. */
  readonly endpoint: Endpoint | undefined;
  readonly region: string;
  readonly isPathStyle: boolean;
  readonly isAnonymous: boolean;
  /** Headers of every request. */
  readonly headers: Readonly<Record<string, string>>;
  /** Headers of requests that make objects. */
  readonly writeHeaders: Readonly<Record<string, string>>;
  /** Bytes of a part; Infinity: objects are sent whole. */
  readonly partBytes: number;
  /** Parts of one object under way at a time. */
  readonly parallelParts: number;
}

/** Amazon takes no smaller parts, the last one excepted. */
const LEAST_PART = 5 * 2 ** 20;
const MOST_PART = 5 * 2 ** 30;

/** Memory of a writer is this many parts. */
const PARALLEL_PARTS = 4;

const DEFAULT_REGION = "us-east-1";

/** Throws ArgumentError for settings that are wrong, UnsupportedError for those that requests have no way to heed. */
export async function readS3Settings(settings: Settings): Promise<S3Settings> {
  refuseConnectionSettings(settings);
  const scheme = settings.text("vfs.s3.scheme") ?? "https";
  if (scheme !== "http" && scheme !== "https") {
    throw new ArgumentError(`setting vfs.s3.scheme is '${scheme}', expected http or https`);
  }
  const isAnonymous = settings.flag("vfs.s3.no_sign_request") ?? false;
  const profile = lazyProfile();
  const { endpoint, isPathStyle } = await findEndpoint(settings, scheme, profile);
  const usesParts = settings.flag("vfs.s3.use_multipart_upload") ?? true;
  const parallel = settings.integer("vfs.s3.max_parallel_ops", 1) ?? PARALLEL_PARTS;
  return {
    scheme,
    endpoint,
    region: await findRegion(settings, profile),
    isPathStyle,
    isAnonymous,
    headers: settings.flag("vfs.s3.requester_pays") === true ? { "x-amz-request-payer": "requester" } : {},
    writeHeaders: writeHeaders(settings),
    partBytes: usesParts ? partBytes(settings) : Number.POSITIVE_INFINITY,
    parallelParts: Math.min(parallel, PARALLEL_PARTS),
  };
}

/** Addresses of the environment and of profiles go with the bucket in the path, as in AWS's own tools. */
async function findEndpoint(
  settings: Settings,
  scheme: string,
  profile: LazyProfile,
): Promise<{ readonly endpoint: Endpoint | undefined; readonly isPathStyle: boolean }> {
  const isVirtual = settings.flag("vfs.s3.use_virtual_addressing");
  const given = settings.text("vfs.s3.endpoint_override");
  if (given !== undefined)
    return { endpoint: parseEndpoint(given, scheme), isPathStyle: isVirtual === false };
  const isIgnored = environmentVariable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")?.toLowerCase() === "true";
  const other = isIgnored
    ? undefined
    : (environmentVariable("AWS_ENDPOINT_URL_S3") ??
      environmentVariable("AWS_ENDPOINT_URL") ??
      (await profile())?.endpoint_url);
  if (other === undefined) return { endpoint: undefined, isPathStyle: isVirtual === false };
  return { endpoint: parseEndpoint(other, scheme), isPathStyle: true };
}

async function findRegion(settings: Settings, profile: LazyProfile): Promise<string> {
  const region =
    settings.text("vfs.s3.region") ??
    environmentVariable("AWS_REGION") ??
    environmentVariable("AWS_DEFAULT_REGION") ??
    (await profile())?.region ??
    DEFAULT_REGION;
  if (/^[A-Za-z0-9-]+$/.test(region)) return region;
  throw new ArgumentError(`'${region}' is no region's name`);
}

type LazyProfile = () => Promise<Profile | undefined>;

/** Files are read once, if anything is asked of them. A profile that is missing is said where its credentials are needed. */
function lazyProfile(): LazyProfile {
  let profile: Promise<Profile | undefined> | undefined;
  return () => {
    profile ??= activeProfile().catch(() => undefined);
    return profile;
  };
}

function partBytes(settings: Settings): number {
  const bytes = settings.integer("vfs.s3.multipart_part_size", 1) ?? LEAST_PART;
  if (bytes >= LEAST_PART && bytes <= MOST_PART) return bytes;
  throw new ArgumentError(
    `setting vfs.s3.multipart_part_size is ${bytes}, expected ${LEAST_PART} to ${MOST_PART} bytes`,
  );
}

function writeHeaders(settings: Settings): Record<string, string> {
  const headers: Record<string, string> = {};
  const encryption = settings.text("vfs.s3.sse")?.toLowerCase();
  if (encryption !== undefined) {
    const name = { aes256: "AES256", kms: "aws:kms" }[encryption];
    if (name === undefined) {
      throw new ArgumentError(`setting vfs.s3.sse is '${encryption}', expected aes256 or kms`);
    }
    headers["x-amz-server-side-encryption"] = name;
    const key = settings.text("vfs.s3.sse_kms_key_id");
    if (name === "aws:kms" && key !== undefined) headers["x-amz-server-side-encryption-aws-kms-key-id"] = key;
  }
  const storageClass = chosen(settings.text("vfs.s3.storage_class"));
  if (storageClass !== undefined) headers["x-amz-storage-class"] = storageClass;
  const acl = chosen(settings.text("vfs.s3.object_canned_acl"));
  // TileDB writes them with underscores.
  if (acl !== undefined) headers["x-amz-acl"] = acl.replaceAll("_", "-");
  return headers;
}

function chosen(text: string | undefined): string | undefined {
  return text === "NOT_SET" ? undefined : text;
}

function refuseConnectionSettings(settings: Settings): void {
  const set = (["ca_file", "ca_path", "proxy_host"] as const).find((name) => settings.text(`vfs.s3.${name}`));
  const name = set ?? (settings.flag("vfs.s3.verify_ssl") === false ? "verify_ssl" : undefined);
  if (name === undefined) return;
  throw new UnsupportedError(
    `setting vfs.s3.${name} has no effect: pass a fetch of your own that connects so, or tell the runtime`,
  );
}
