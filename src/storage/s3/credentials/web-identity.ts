import { environmentVariable } from "../../remote/machine.js";
import type { ServiceFetch } from "./ask-service.js";
import { webIdentityCredentials } from "./sts.js";
import type { AwsCredentials } from "./types.js";

/** AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN, which Kubernetes on AWS sets. */
export async function environmentWebIdentity(
  region: string,
  fetch: ServiceFetch,
): Promise<AwsCredentials | undefined> {
  const tokenFile = environmentVariable("AWS_WEB_IDENTITY_TOKEN_FILE");
  const arn = environmentVariable("AWS_ROLE_ARN");
  if (tokenFile === undefined || arn === undefined) return undefined;
  const sessionName = environmentVariable("AWS_ROLE_SESSION_NAME");
  return webIdentityCredentials({ arn, sessionName }, tokenFile, region, fetch);
}
