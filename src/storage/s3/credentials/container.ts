import { StorageError, UnsupportedError } from "../../../errors.js";
import { environmentVariable, readTextFile } from "../../remote/machine.js";
import { askService, type ServiceFetch } from "./ask-service.js";
import { credentialsOfAnswer } from "./metadata-answer.js";
import type { AwsCredentials } from "./types.js";

/**
 * Credentials of a task of ECS, a pod of EKS or a function: from the address that
 * AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or AWS_CONTAINER_CREDENTIALS_FULL_URI names.
 */

const SERVICE = "http://169.254.170.2";

/** Hosts that may be asked without encryption: those of ECS and EKS, and this machine. */
const PLAIN_HOSTS = ["169.254.170.2", "169.254.170.23", "[fd00:ec2::23]", "localhost", "[::1]"];

export async function containerCredentials(fetch: ServiceFetch): Promise<AwsCredentials | undefined> {
  const address = serviceAddress();
  if (address === undefined) return undefined;
  const token = await authorizationToken();
  const headers = token === undefined ? {} : { authorization: token };
  const text = await askService(fetch, { url: address, headers });
  return credentialsOfAnswer(text, address);
}

function serviceAddress(): string | undefined {
  const relative = environmentVariable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  if (relative !== undefined) return `${SERVICE}${relative.startsWith("/") ? "" : "/"}${relative}`;
  const full = environmentVariable("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  if (full === undefined) return undefined;
  if (!URL.canParse(full)) {
    throw new StorageError("AWS_CONTAINER_CREDENTIALS_FULL_URI is no URL", { where: full });
  }
  const { protocol, hostname } = new URL(full);
  const isPlainAllowed = PLAIN_HOSTS.includes(hostname) || /^127\./.test(hostname);
  if (protocol === "https:" || (protocol === "http:" && isPlainAllowed)) return full;
  throw new UnsupportedError(
    "AWS_CONTAINER_CREDENTIALS_FULL_URI must be https, or http to this machine or to the services of ECS and EKS",
    { where: full },
  );
}

async function authorizationToken(): Promise<string | undefined> {
  const file = environmentVariable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
  if (file === undefined) return environmentVariable("AWS_CONTAINER_AUTHORIZATION_TOKEN");
  const text = await readTextFile(file);
  if (text === undefined) {
    throw new StorageError("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE names a file that is not there", {
      where: file,
    });
  }
  return text.trim();
}
