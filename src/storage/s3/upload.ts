import { LimitError, StorageError } from "../../errors.js";
import type { PartTarget } from "../remote/part-writer.js";
import { escapeXml, readXml, xmlText } from "../remote/xml.js";
import type { S3Client } from "./client.js";
import { readRefusal, refusalError } from "./error.js";
import type { S3Settings } from "./settings.js";

/** An object in parts that become visible together; one that fits into a single part is sent as it is. */

const MAX_PARTS = 10_000;

export class S3Upload implements PartTarget {
  readonly parallel: number;
  readonly #client: S3Client;
  readonly #key: string;
  readonly #settings: S3Settings;
  readonly #etags: string[] = [];
  #id: Promise<string> | undefined;

  constructor(client: S3Client, key: string, settings: S3Settings) {
    this.#client = client;
    this.#key = key;
    this.#settings = settings;
    this.parallel = settings.parallelParts;
  }

  /** All parts are of the same size: some servers want that. */
  partBytes(): number {
    return this.#settings.partBytes;
  }

  async upload(
    part: Uint8Array,
    index: number,
    _offset: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const where = this.#client.where(this.#key);
    if (index >= MAX_PARTS) {
      const problem = `S3 takes at most ${MAX_PARTS} parts of ${this.partBytes()} bytes; set vfs.s3.multipart_part_size higher`;
      throw new LimitError(problem, { where });
    }
    this.#id ??= this.#begin(signal);
    const answer = await this.#client.send({
      method: "PUT",
      key: this.#key,
      what: "write a part",
      query: { partNumber: String(index + 1), uploadId: await this.#id },
      body: part,
      signal,
      accept: [200],
    });
    const etag = answer.headers.get("etag");
    if (etag === null) {
      throw new StorageError("S3: no ETag of a part; in browsers the bucket's CORS rules must expose it", {
        where,
      });
    }
    this.#etags[index] = etag;
  }

  /** Part `index` is bytes `start` to `end` (exclusive) of another object. */
  async copyPart(
    source: string,
    index: number,
    start: number,
    end: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    this.#id ??= this.#begin(signal);
    const answer = await this.#client.send({
      method: "PUT",
      key: this.#key,
      what: "copy a part",
      query: { partNumber: String(index + 1), uploadId: await this.#id },
      headers: { "x-amz-copy-source": source, "x-amz-copy-source-range": `bytes=${start}-${end - 1}` },
      signal,
      accept: [200],
      flaw: (given) => (given.status === 200 && isPassingError(given.bytes) ? "InternalError" : undefined),
    });
    const where = this.#client.where(this.#key);
    const refusal = readRefusal(answer);
    if (refusal.code !== undefined) throw refusalError("copy a part", refusal, where);
    const etag = xmlText(readXml(new TextDecoder().decode(answer.bytes), where), "ETag");
    if (!etag) throw new StorageError("S3: no ETag of a part", { where });
    this.#etags[index] = etag;
  }

  async finish(
    rest: Uint8Array,
    index: number,
    offset: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    if (index === 0) return putObject(this.#client, this.#key, rest, this.#settings, signal);
    if (rest.byteLength > 0) await this.upload(rest, index, offset, signal);
    await this.complete(offset + rest.byteLength, signal);
  }

  /** Parts that stay cost money. That they could not be dropped is not what the caller must hear of. */
  async discard(): Promise<void> {
    const uploadId = await this.#id?.catch(() => undefined);
    if (uploadId === undefined) return;
    const request = {
      method: "DELETE",
      key: this.#key,
      what: "drop the parts",
      query: { uploadId },
    } as const;
    await this.#client.send({ ...request, accept: [200, 204, 404] }).catch(() => undefined);
  }

  async #begin(signal: AbortSignal | undefined): Promise<string> {
    const answer = await this.#client.send({
      method: "POST",
      key: this.#key,
      what: "begin to write",
      query: { uploads: "" },
      headers: this.#settings.writeHeaders,
      signal,
      accept: [200],
    });
    const where = this.#client.where(this.#key);
    const id = xmlText(readXml(new TextDecoder().decode(answer.bytes), where), "UploadId");
    if (!id) throw new StorageError("S3: the answer has no UploadId", { where });
    return id;
  }

  /** Makes of the parts an object of `size` bytes. */
  async complete(size: number, signal: AbortSignal | undefined): Promise<void> {
    const parts = this.#etags.map(
      (etag, at) => `<Part><PartNumber>${at + 1}</PartNumber><ETag>${escapeXml(etag)}</ETag></Part>`,
    );
    const answer = await this.#client.send({
      method: "POST",
      key: this.#key,
      what: "finish writing",
      query: { uploadId: await this.#id! },
      headers: { "content-type": "application/xml" },
      body: `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${parts.join("")}</CompleteMultipartUpload>`,
      signal,
      accept: [200, 404],
      flaw: (given) => (given.status === 200 && isPassingError(given.bytes) ? "InternalError" : undefined),
    });
    const refusal = readRefusal(answer);
    if (answer.status === 200 && refusal.code === undefined) return;
    // An attempt whose answer got lost may have done it.
    if (refusal.code === "NoSuchUpload" && answer.attempt > 1 && (await this.#isThere(size, signal))) return;
    throw refusalError("finish writing", refusal, this.#client.where(this.#key));
  }

  /** Whether the object is what these parts make: objects of n parts have ETags that end with "-n". */
  async #isThere(size: number, signal: AbortSignal | undefined): Promise<boolean> {
    const { status, headers } = await this.#client.send({
      method: "HEAD",
      key: this.#key,
      what: "look at what was written",
      signal,
      accept: [200, 404],
    });
    const hasParts = headers.get("etag")?.replaceAll('"', "").endsWith(`-${this.#etags.length}`) === true;
    return status === 200 && hasParts && headers.get("content-length") === String(size);
  }
}

export async function putObject(
  client: S3Client,
  key: string,
  bytes: Uint8Array,
  settings: S3Settings,
  signal: AbortSignal | undefined,
): Promise<void> {
  await client.send({
    method: "PUT",
    key,
    what: "write",
    headers: settings.writeHeaders,
    body: bytes,
    signal,
    accept: [200],
  });
}

/** Whether it was written: not where there is an object already. */
export async function putNewObject(
  client: S3Client,
  key: string,
  bytes: Uint8Array,
  settings: S3Settings,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const answer = await client.send({
    method: "PUT",
    key,
    what: "write",
    headers: { ...settings.writeHeaders, "if-none-match": "*" },
    body: bytes,
    signal,
    // 409: another one is being written now.
    accept: [200, 409, 412],
  });
  if (answer.status === 200) return true;
  if (answer.attempt === 1) return false;
  // An attempt whose answer got lost may have done it.
  const there = await client.send({ method: "GET", key, what: "read", signal, accept: [200, 404] });
  return there.status === 200 && isSame(there.bytes, bytes);
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && a.every((byte, at) => byte === b[at]);
}

/** The status was sent before it was known that it would not work. */
export function isPassingError(bytes: Uint8Array): boolean {
  const text = new TextDecoder().decode(bytes.subarray(0, 4096));
  return /<Code>(InternalError|SlowDown|ServiceUnavailable)<\/Code>/.test(text);
}
