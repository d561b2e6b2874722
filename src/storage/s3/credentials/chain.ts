import { ArgumentError, StorageError } from "../../../errors.js";
import { environment } from "../../remote/machine.js";
import type { Settings } from "../../remote/settings.js";
import type { ServiceFetch } from "./ask-service.js";
import { containerCredentials } from "./container.js";
import { environmentCredentials } from "./environment.js";
import { instanceCredentials } from "./instance.js";
import { profileCredentials } from "./profile.js";
import { RefreshedCredentials } from "./refreshed.js";
import { assumedRoleCredentials, type Role } from "./sts.js";
import type { AwsCredentials } from "./types.js";
import { environmentWebIdentity } from "./web-identity.js";

/**
 * Where credentials come from: the settings; otherwise the first of environment, web identity, profile, container and
 * instance that has some. With vfs.s3.aws_role_arn these take that role, as in TileDB.
 */

export interface CredentialContext {
  readonly region: string;
  readonly fetch: ServiceFetch;
}

/** Throws ArgumentError for settings that contradict each other. */
export function findCredentials(settings: Settings, context: CredentialContext): RefreshedCredentials {
  const given = givenCredentials(settings);
  const role = givenRole(settings);
  const source = settings.text("vfs.s3.config_source") ?? "auto";
  if (!["auto", "config_files", "sts_profile_with_web_identity"].includes(source)) {
    throw new ArgumentError(
      `setting vfs.s3.config_source is '${source}', expected auto, config_files or sts_profile_with_web_identity`,
    );
  }
  if ([given !== undefined, role !== undefined, source !== "auto"].filter(Boolean).length > 1) {
    throw new ArgumentError(
      "of the settings vfs.s3.aws_access_key_id, vfs.s3.aws_role_arn and vfs.s3.config_source only one can say who asks",
    );
  }
  if (given !== undefined) return new RefreshedCredentials(async () => given);
  const find = () => firstOf(source === "auto" ? AUTOMATIC : [profileOf], context);
  return shared(settings, context, async () => {
    const found = await find();
    return role === undefined ? found : assumedRoleCredentials(role, found, context.region, context.fetch);
  });
}

type Source = (context: CredentialContext) => Promise<AwsCredentials | undefined>;

const profileOf: Source = ({ region, fetch }) => profileCredentials(region, fetch);

const AUTOMATIC: readonly Source[] = [
  environmentCredentials,
  ({ region, fetch }) => environmentWebIdentity(region, fetch),
  profileOf,
  ({ fetch }) => containerCredentials(fetch),
  ({ fetch }) => instanceCredentials(fetch),
];

async function firstOf(sources: readonly Source[], context: CredentialContext): Promise<AwsCredentials> {
  for (const source of sources) {
    const credentials = await source(context);
    if (credentials !== undefined) return credentials;
  }
  const places =
    environment() === undefined ? "" : ", environment, profile files, container and instance services";
  throw new StorageError(
    `no AWS credentials found: looked in the settings (vfs.s3.aws_access_key_id)${places}; for buckets that anyone may read set vfs.s3.no_sign_request to true`,
  );
}

function givenCredentials(settings: Settings): AwsCredentials | undefined {
  const accessKeyId = settings.text("vfs.s3.aws_access_key_id");
  const secretAccessKey = settings.text("vfs.s3.aws_secret_access_key");
  if (accessKeyId === undefined && secretAccessKey === undefined) return undefined;
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new ArgumentError(
      "vfs.s3.aws_access_key_id and vfs.s3.aws_secret_access_key must be given together",
    );
  }
  return { accessKeyId, secretAccessKey, sessionToken: settings.text("vfs.s3.aws_session_token") };
}

function givenRole(settings: Settings): Role | undefined {
  const arn = settings.text("vfs.s3.aws_role_arn");
  if (arn === undefined) return undefined;
  return {
    arn,
    sessionName: settings.text("vfs.s3.aws_session_name"),
    externalId: settings.text("vfs.s3.aws_external_id"),
    duration: settings.text("vfs.s3.aws_load_frequency"),
  };
}

/** Credentials that were found, for all stores of the process that would find the same. */
const found = new Map<string, RefreshedCredentials>();
const MAX_FOUND = 32;

function shared(
  settings: Settings,
  context: CredentialContext,
  source: () => Promise<AwsCredentials>,
): RefreshedCredentials {
  if (context.fetch !== undefined) return new RefreshedCredentials(source);
  const variables = Object.entries(environment() ?? {}).filter(([name]) => name.startsWith("AWS_"));
  const who = [settings.text("vfs.s3.config_source"), givenRole(settings), context.region];
  const key = JSON.stringify([who, variables.sort()]);
  const known = found.get(key);
  if (known !== undefined) return known;
  if (found.size >= MAX_FOUND) found.clear();
  const credentials = new RefreshedCredentials(source);
  found.set(key, credentials);
  return credentials;
}
