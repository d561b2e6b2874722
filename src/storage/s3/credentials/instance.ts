import { StorageError } from "../../../errors.js";
import { environment, environmentVariable } from "../../remote/machine.js";
import { askService, ServiceError, type ServiceFetch } from "./ask-service.js";
import { credentialsOfAnswer } from "./metadata-answer.js";
import type { AwsCredentials } from "./types.js";

/**
 * Credentials of the role of an EC2 instance, from its metadata service (version 2, with a session token; version 1 has
 * been off by default for years and gives credentials to whoever can make a server ask).
 */

const SERVICE = "http://169.254.169.254";
const ROLES = "/latest/meta-data/iam/security-credentials/";

/** Elsewhere nothing answers at that address, so the first question is given up soon. */
const TIMEOUT = 1000;

/** Undefined where no such service answers, or the instance has no role. */
export async function instanceCredentials(fetch: ServiceFetch): Promise<AwsCredentials | undefined> {
  if (environment() === undefined) return undefined;
  if (environmentVariable("AWS_EC2_METADATA_DISABLED")?.toLowerCase() === "true") return undefined;
  const service = (environmentVariable("AWS_EC2_METADATA_SERVICE_ENDPOINT") ?? SERVICE).replace(/\/+$/, "");
  const token = await sessionToken(fetch, service);
  if (token === undefined) return undefined;
  const ask = (path: string) =>
    askService(fetch, {
      url: service + path,
      headers: { "x-aws-ec2-metadata-token": token },
      timeout: 5 * TIMEOUT,
    });
  const role = await ask(ROLES).catch(noneIfNotFound);
  const name = role?.split("\n")[0]?.trim();
  if (name === undefined || name === "") return undefined;
  return credentialsOfAnswer(await ask(ROLES + encodeURIComponent(name)), service + ROLES);
}

/** Undefined where no metadata service answers. */
async function sessionToken(fetch: ServiceFetch, service: string): Promise<string | undefined> {
  try {
    return await askService(fetch, {
      url: `${service}/latest/api/token`,
      method: "PUT",
      headers: { "x-aws-ec2-metadata-token-ttl-seconds": "21600" },
      timeout: TIMEOUT,
      attempts: 1,
    });
  } catch (error) {
    if (error instanceof ServiceError) return undefined;
    throw error;
  }
}

function noneIfNotFound(error: unknown): undefined {
  if (error instanceof ServiceError && error.status === 404) return undefined;
  throw error instanceof StorageError
    ? error
    : new StorageError("the metadata service failed", { cause: error });
}
