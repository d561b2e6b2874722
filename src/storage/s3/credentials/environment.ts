import { environmentVariable } from "../../remote/machine.js";
import type { AwsCredentials } from "./types.js";

/** AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, for temporary ones, AWS_SESSION_TOKEN. */
export async function environmentCredentials(): Promise<AwsCredentials | undefined> {
  const accessKeyId = environmentVariable("AWS_ACCESS_KEY_ID");
  const secretAccessKey = environmentVariable("AWS_SECRET_ACCESS_KEY");
  if (accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  return { accessKeyId, secretAccessKey, sessionToken: environmentVariable("AWS_SESSION_TOKEN") };
}
