import { RefusedError, type StorageError } from "../../errors.js";
import { serverMessage } from "../remote/server-message.js";
import type { AnswerHeaders } from "../remote/transport.js";

/** What S3 says of requests that it refuses: XML with Code, Message and, for some, Region. */

export interface Refusal {
  readonly status: number;
  readonly code: string | undefined;
  readonly message: string | undefined;
  /** Where the bucket is, if the server says so. */
  readonly region: string | undefined;
  /** The server's clock, in milliseconds since 1970, if it says so. */
  readonly time: number | undefined;
}

interface Answer {
  readonly status: number;
  readonly headers: AnswerHeaders;
  readonly bytes: Uint8Array;
}

export function readRefusal({ status, headers, bytes }: Answer): Refusal {
  const { code, message } = serverMessage(bytes);
  const region = headers.get("x-amz-bucket-region") ?? regionInside(bytes);
  return { status, code, message, region, time: timeOf(headers, bytes) };
}

/** The errors of single keys and of uploads come with status 200. */
export function refusalError(what: string, refusal: Refusal, where: string, hint = ""): StorageError {
  const { status, code, message } = refusal;
  const said = [code, message].filter((part) => part !== undefined).join(": ");
  return new RefusedError(`S3: cannot ${what}: ${said === "" ? "refused" : said} (HTTP ${status})${hint}`, {
    where,
  });
}

/** In AuthorizationHeaderMalformed the region that was expected, in PermanentRedirect the server to ask. */
function regionInside(bytes: Uint8Array): string | undefined {
  const text = new TextDecoder().decode(bytes.subarray(0, 4096));
  const named = /<Region>([a-z0-9-]+)<\/Region>/.exec(text)?.[1];
  return named ?? /<Endpoint>[^<]*\.?s3[.-]([a-z]{2}-[a-z-]+-\d)\.amazonaws\.com/.exec(text)?.[1];
}

/** Pages do not see the Date of answers; those of a wrong time have it inside as well. */
function timeOf(headers: AnswerHeaders, bytes: Uint8Array): number | undefined {
  const text = new TextDecoder().decode(bytes.subarray(0, 4096));
  const said = /<ServerTime>([^<]+)<\/ServerTime>/.exec(text)?.[1] ?? headers.get("date");
  const time = Date.parse(said ?? "");
  return Number.isNaN(time) ? undefined : time;
}
