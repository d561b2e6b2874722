import { ArgumentError, StorageError, UnsupportedError } from "../../../errors.js";
import { environmentVariable, readTextFile } from "../../remote/machine.js";
import type { ServiceFetch } from "./ask-service.js";
import { containerCredentials } from "./container.js";
import { environmentCredentials } from "./environment.js";
import { instanceCredentials } from "./instance.js";
import { type Profile, parseProfiles } from "./parse-profiles.js";
import { assumedRoleCredentials, type Role, webIdentityCredentials } from "./sts.js";
import type { AwsCredentials } from "./types.js";

/** Credentials and region of a profile: AWS_PROFILE or "default", of ~/.aws/credentials and ~/.aws/config. */

/** Profiles may take roles by other profiles; a longer row is a circle. */
const MAX_SOURCES = 5;

/** The profile that is asked for, or undefined where there is none and none was named. */
export async function activeProfile(): Promise<Profile | undefined> {
  const named = environmentVariable("AWS_PROFILE");
  const profile = (await readProfiles()).get(named ?? "default");
  if (profile === undefined && named !== undefined) {
    throw new ArgumentError(`AWS_PROFILE is '${named}', but there is no such profile`, {
      where: configFile(),
    });
  }
  return profile;
}

export async function profileCredentials(
  region: string,
  fetch: ServiceFetch,
): Promise<AwsCredentials | undefined> {
  const profile = await activeProfile();
  return profile === undefined ? undefined : credentialsOf(profile, { region, fetch, depth: 0 });
}

interface Context {
  readonly region: string;
  readonly fetch: ServiceFetch;
  readonly depth: number;
}

async function credentialsOf(profile: Profile, context: Context): Promise<AwsCredentials | undefined> {
  if (context.depth === MAX_SOURCES) {
    throw new StorageError("profiles name each other as their source", { where: configFile() });
  }
  const role = roleOf(profile);
  if (role !== undefined) return roleCredentials(profile, role, context);
  const accessKeyId = profile.aws_access_key_id;
  const secretAccessKey = profile.aws_secret_access_key;
  if (accessKeyId && secretAccessKey) {
    return { accessKeyId, secretAccessKey, sessionToken: profile.aws_session_token || undefined };
  }
  refuseOthers(profile);
  return undefined;
}

async function roleCredentials(profile: Profile, role: Role, context: Context): Promise<AwsCredentials> {
  const tokenFile = profile.web_identity_token_file;
  if (tokenFile) return webIdentityCredentials(role, tokenFile, context.region, context.fetch);
  if (profile.mfa_serial) {
    throw new UnsupportedError("profiles with mfa_serial ask for a code, which nobody types here", {
      where: configFile(),
    });
  }
  const by = await sourceCredentials(profile, context);
  if (by === undefined) {
    throw new StorageError(`the profile's source has no credentials to take the role ${role.arn} with`, {
      where: configFile(),
    });
  }
  return assumedRoleCredentials(role, by, context.region, context.fetch);
}

async function sourceCredentials(profile: Profile, context: Context): Promise<AwsCredentials | undefined> {
  const name = profile.source_profile;
  if (name) {
    const source = (await readProfiles()).get(name);
    if (source === undefined) {
      throw new StorageError(`source_profile '${name}' is not there`, { where: configFile() });
    }
    // A profile may take a role with keys of its own.
    const { role_arn, ...own } = source;
    const isItself = source.source_profile === name;
    return credentialsOf(isItself ? own : source, { ...context, depth: context.depth + 1 });
  }
  const place = profile.credential_source;
  if (place === "Environment") return environmentCredentials();
  if (place === "Ec2InstanceMetadata") return instanceCredentials(context.fetch);
  if (place === "EcsContainer") return containerCredentials(context.fetch);
  throw new StorageError(
    "a profile with role_arn needs source_profile, web_identity_token_file, or credential_source: Environment, Ec2InstanceMetadata or EcsContainer",
    { where: configFile() },
  );
}

function roleOf(profile: Profile): Role | undefined {
  if (!profile.role_arn) return undefined;
  return {
    arn: profile.role_arn,
    sessionName: profile.role_session_name || undefined,
    externalId: profile.external_id || undefined,
    duration: profile.duration_seconds || undefined,
  };
}

/** A profile that says how to get credentials must not be passed over as if it had none. */
function refuseOthers(profile: Profile): void {
  const other = ["credential_process", "sso_session", "sso_start_url", "login_session"].find(
    (name) => profile[name],
  );
  if (other === undefined) return;
  throw new UnsupportedError(
    `profiles with ${other} are not read; 'aws configure export-credentials --format env' gives the variables to set`,
    { where: configFile() },
  );
}

function configFile(): string {
  return environmentVariable("AWS_CONFIG_FILE") ?? "~/.aws/config";
}

async function readProfiles(): Promise<ReadonlyMap<string, Profile>> {
  const credentials = environmentVariable("AWS_SHARED_CREDENTIALS_FILE") ?? "~/.aws/credentials";
  const [first, second] = await Promise.all([readTextFile(configFile()), readTextFile(credentials)]);
  return parseProfiles(first ?? "", second ?? "");
}
