import type { S3Client } from "./client.js";
import { readRefusal, refusalError } from "./error.js";
import type { S3Settings } from "./settings.js";
import { isPassingError, S3Upload } from "./upload.js";

/** Copies inside the bucket, which the server makes by itself. */

/**
 * Larger objects are copied in parts of this size. Amazon copies up to 5 GiB at once, but a server that says nothing
 * before it is done must be done before the time without a byte is over.
 */
const MAX_COPY = 256 * 2 ** 20;

const MAX_PARTS = 10_000;

export interface Copy {
  readonly from: string;
  readonly size: number;
  readonly to: string;
  readonly signal?: AbortSignal | undefined;
}

export async function copyObject(
  client: S3Client,
  copy: Copy,
  settings: S3Settings,
  limit = MAX_COPY,
): Promise<void> {
  if (copy.size <= limit) await copyWhole(client, copy, settings);
  else await copyInParts(client, copy, settings, Math.max(limit, Math.ceil(copy.size / MAX_PARTS)));
}

async function copyWhole(client: S3Client, { from, to, signal }: Copy, settings: S3Settings): Promise<void> {
  const answer = await client.send({
    method: "PUT",
    key: to,
    what: `copy '${from}'`,
    headers: { ...settings.writeHeaders, "x-amz-copy-source": client.source(from) },
    signal,
    accept: [200],
    flaw: (given) => (given.status === 200 && isPassingError(given.bytes) ? "InternalError" : undefined),
  });
  // The status was sent before it was known that it would not work.
  const refusal = readRefusal(answer);
  if (refusal.code !== undefined) throw refusalError(`copy '${from}'`, refusal, client.where(to));
}

async function copyInParts(client: S3Client, copy: Copy, settings: S3Settings, part: number): Promise<void> {
  const { from, size, to, signal } = copy;
  const upload = new S3Upload(client, to, settings);
  try {
    for (let start = 0, index = 0; start < size; start += part, index++) {
      const end = Math.min(size, start + part);
      await upload.copyPart(client.source(from), index, start, end, signal);
    }
    await upload.complete(size, signal);
  } catch (error) {
    await upload.discard();
    throw error;
  }
}
