import { StorageError } from "../../../errors.js";
import type { AwsCredentials } from "./types.js";

/** What the credential services of containers and instances answer: JSON with the keys and their expiry. */
export function credentialsOfAnswer(text: string, where: string): AwsCredentials {
  const answer = parseObject(text, where);
  const field = (name: string) => (typeof answer[name] === "string" ? answer[name] : undefined);
  const accessKeyId = field("AccessKeyId");
  const secretAccessKey = field("SecretAccessKey");
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    const problem = [field("Code") ?? field("code"), field("Message") ?? field("message")]
      .filter(Boolean)
      .join(": ");
    throw new StorageError(
      `the credential service gave no credentials${problem === "" ? "; expected AccessKeyId and SecretAccessKey" : `: ${problem}`}`,
      { where },
    );
  }
  const expiration = field("Expiration");
  return {
    accessKeyId,
    secretAccessKey,
    sessionToken: field("Token"),
    expiresAt: expiration === undefined ? undefined : timeOf(expiration, where),
  };
}

/** Milliseconds since 1970 of an ISO date. */
export function timeOf(date: string, where: string): number {
  const time = Date.parse(date);
  if (Number.isNaN(time)) throw new StorageError(`the expiry '${date}' is no date`, { where });
  return time;
}

function parseObject(text: string, where: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw new StorageError("the credential service's answer is no JSON object", { where });
}
