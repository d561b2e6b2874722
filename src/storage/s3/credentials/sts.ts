import { StorageError } from "../../../errors.js";
import { environmentVariable, readTextFile } from "../../remote/machine.js";
import { serverMessage } from "../../remote/server-message.js";
import { readXml, type XmlElement, xmlChild, xmlText } from "../../remote/xml.js";
import { signRequest } from "../sign.js";
import { askService, ServiceError, type ServiceFetch } from "./ask-service.js";
import { timeOf } from "./metadata-answer.js";
import type { AwsCredentials } from "./types.js";

/** Credentials of roles, from AWS's Security Token Service: version 2011-06-15, parameters as a form. */

export interface Role {
  readonly arn: string;
  readonly sessionName?: string | undefined;
  readonly externalId?: string | undefined;
  /** Seconds that the credentials shall last; left out: as the role says. */
  readonly duration?: string | undefined;
}

/** By the token of an identity provider, in a file that the platform renews (as in a pod of Kubernetes). */
export async function webIdentityCredentials(
  role: Role,
  tokenFile: string,
  region: string,
  fetch: ServiceFetch,
): Promise<AwsCredentials> {
  const token = await readTextFile(tokenFile);
  if (token === undefined) {
    throw new StorageError("the file of the web identity token is not there", { where: tokenFile });
  }
  const action = "AssumeRoleWithWebIdentity";
  const form = roleForm(action, role);
  form.set("WebIdentityToken", token.trim());
  return askSts(action, form, region, fetch, undefined);
}

/** By other credentials, which may take the role. */
export async function assumedRoleCredentials(
  role: Role,
  by: AwsCredentials,
  region: string,
  fetch: ServiceFetch,
): Promise<AwsCredentials> {
  const form = roleForm("AssumeRole", role);
  if (role.externalId !== undefined) form.set("ExternalId", role.externalId);
  return askSts("AssumeRole", form, region, fetch, by);
}

function roleForm(action: string, role: Role): URLSearchParams {
  const form = new URLSearchParams({
    Action: action,
    Version: "2011-06-15",
    RoleArn: role.arn,
    RoleSessionName: role.sessionName ?? `cellarr-${Date.now()}`,
  });
  if (role.duration !== undefined) form.set("DurationSeconds", role.duration);
  return form;
}

async function askSts(
  action: string,
  form: URLSearchParams,
  region: string,
  fetch: ServiceFetch,
  by: AwsCredentials | undefined,
): Promise<AwsCredentials> {
  const url = `${serviceAddress(region)}/`;
  const body = form.toString();
  const plain = { "content-type": "application/x-www-form-urlencoded; charset=utf-8" };
  const headers =
    by === undefined
      ? plain
      : await signRequest({ method: "POST", url, headers: plain, body }, by, { service: "sts", region });
  const text = await askService(fetch, { url, method: "POST", headers, body }).catch(explain);
  const result = xmlChild(readXml(text, url), `${action}Result`);
  return credentialsOf(result === undefined ? undefined : xmlChild(result, "Credentials"), url);
}

function serviceAddress(region: string): string {
  const given = environmentVariable("AWS_ENDPOINT_URL_STS");
  if (given !== undefined) return given.replace(/\/+$/, "");
  return `https://sts.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}`;
}

function credentialsOf(element: XmlElement | undefined, where: string): AwsCredentials {
  const field = (name: string) => (element === undefined ? undefined : xmlText(element, name));
  const accessKeyId = field("AccessKeyId");
  const secretAccessKey = field("SecretAccessKey");
  const expiration = field("Expiration");
  if (accessKeyId === undefined || secretAccessKey === undefined || expiration === undefined) {
    throw new StorageError("the token service's answer has no credentials", { where });
  }
  const expiresAt = timeOf(expiration, where);
  return { accessKeyId, secretAccessKey, sessionToken: field("SessionToken"), expiresAt };
}

/** Says what the service said. */
function explain(error: unknown): never {
  if (!(error instanceof ServiceError)) throw error;
  const said = serverMessage(new TextEncoder().encode(error.answer));
  if (said.code === undefined) throw error;
  throw new StorageError(`the role's credentials were refused: ${said.code}: ${said.message ?? ""}`, {
    where: error.where ?? "",
    cause: error,
  });
}
