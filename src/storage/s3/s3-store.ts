import { StorageError, throwIfAborted } from "../../errors.js";
import { checkKey, checkPrefix } from "../key.js";
import { byKey } from "../memory.js";
import type { HttpAnswer } from "../remote/http-client.js";
import { PartWriter } from "../remote/part-writer.js";
import { rangeBytes, rangeFlaw, rangeHeader, totalSize } from "../remote/range-answer.js";
import type { StorageOptions } from "../remote/settings.js";
import { checkVersion } from "../remote/value-version.js";
import type {
  ByteRange,
  ReadOptions,
  StoreEntry,
  StoreOptions,
  StoreWriter,
  ValueTail,
  WritableStore,
} from "../types.js";
import { writeWhole } from "../write-whole.js";
import { checkBucket } from "./address.js";
import { S3Client } from "./client.js";
import { copyObject } from "./copy.js";
import { deleteKey, deleteKeys } from "./delete.js";
import { listObjects } from "./list.js";
import { putNewObject, putObject, S3Upload } from "./upload.js";

export interface S3StoreOptions extends StorageOptions {
  readonly bucket: string;
}

/** Larger values are sent in parts, several at a time. */
const MAX_SINGLE_PUT = 32 * 2 ** 20;

/**
 * A bucket of Amazon S3, or of another server that speaks its protocol. Settings are TileDB's `vfs.s3.*`; what they leave
 * open comes from the environment and profile files. Folders exist only as prefixes of keys, nothing can be renamed.
 *
 * Where a user may not list the bucket, S3 answers 403 for keys that do not exist: a StorageError then, not `undefined`.
 */
export class S3Store implements WritableStore {
  readonly uri: string;
  readonly isRemote = true;
  readonly #client: S3Client;

  /** Throws ArgumentError for a name that can be no bucket's, or settings that are not known. */
  constructor({ bucket, ...options }: S3StoreOptions) {
    this.uri = `s3://${checkBucket(bucket)}`;
    this.#client = new S3Client(bucket, options);
  }

  async get(key: string, options?: ReadOptions): Promise<Uint8Array | undefined> {
    throwIfAborted(options?.signal);
    const request = {
      method: "GET",
      key: checkKey(key, this.uri),
      what: "read",
      accept: [200, 404],
    } as const;
    const answer = await this.#client.send({ ...request, signal: options?.signal });
    if (answer.status === 404) return undefined;
    checkVersion(answer, options?.version, this.#client.where(key));
    return answer.bytes;
  }

  async getRange(key: string, range: ByteRange, options?: ReadOptions): Promise<Uint8Array | undefined> {
    throwIfAborted(options?.signal);
    const where = this.#client.where(checkKey(key, this.uri));
    const { start, end } = range;
    if (!(start >= 0 && start <= end)) throw new StorageError(`bytes ${start} to ${end} asked`, { where });
    if (start === end) return this.#emptyRange(key, start, options);
    const answer = await this.#client.send({
      method: "GET",
      key,
      what: "read",
      headers: { range: rangeHeader(range) },
      signal: options?.signal,
      accept: [200, 206, 404, 416],
      flaw: (given) => rangeFlaw(given, range),
    });
    if (answer.status === 404) return undefined;
    checkVersion(answer, options?.version, where);
    return rangeBytes(answer, range, where);
  }

  async getTail(key: string, length: number, options?: StoreOptions): Promise<ValueTail | undefined> {
    throwIfAborted(options?.signal);
    const where = this.#client.where(checkKey(key, this.uri));
    const wanted = Math.max(1, length);
    const answer = await this.#client.send({
      method: "GET",
      key,
      what: "read",
      headers: { range: `bytes=-${wanted}` },
      signal: options?.signal,
      accept: [200, 206, 404, 416],
      flaw: (given) => tailFlaw(given, wanted),
    });
    if (answer.status === 404) return undefined;
    // Only an empty object has no last byte.
    if (answer.status === 416) return { bytes: new Uint8Array(0), size: 0 };
    const size = totalSize(answer);
    if (size === undefined) {
      const problem = "S3: no Content-Range; in browsers the bucket's CORS rules must expose it";
      throw new StorageError(problem, { where });
    }
    return { bytes: rangeBytes(answer, { start: Math.max(0, size - wanted), end: size }, where), size };
  }

  async list(prefix: string, options?: StoreOptions & { recursive?: boolean }): Promise<StoreEntry[]> {
    throwIfAborted(options?.signal);
    checkPrefix(prefix, this.uri);
    const isRecursive = options?.recursive !== false;
    return (await listObjects(this.#client, prefix, isRecursive, options?.signal)).sort(byKey);
  }

  async put(key: string, bytes: Uint8Array, options?: StoreOptions): Promise<void> {
    throwIfAborted(options?.signal);
    checkKey(key, this.uri);
    const settings = await this.#client.settings();
    const isWhole = bytes.byteLength <= Math.max(MAX_SINGLE_PUT, settings.partBytes);
    if (isWhole) return putObject(this.#client, key, bytes, settings, options?.signal);
    await writeWhole(await this.writer(key, options), bytes);
  }

  async writer(key: string, options?: StoreOptions): Promise<StoreWriter> {
    throwIfAborted(options?.signal);
    checkKey(key, this.uri);
    const settings = await this.#client.settings();
    return new PartWriter(new S3Upload(this.#client, key, settings), options?.signal);
  }

  async delete(key: string, options?: StoreOptions): Promise<void> {
    throwIfAborted(options?.signal);
    await deleteKey(this.#client, checkKey(key, this.uri), options?.signal);
  }

  async deletePrefix(prefix: string, options?: StoreOptions): Promise<void> {
    throwIfAborted(options?.signal);
    const entries = await this.list(prefix, options);
    const keys = entries.map(({ key }) => key);
    await deleteKeys(this.#client, keys, options?.signal);
  }

  async copy(from: string, size: number, to: string, options?: StoreOptions): Promise<void> {
    throwIfAborted(options?.signal);
    checkKey(from, this.uri);
    checkKey(to, this.uri);
    const copy = { from, size, to, signal: options?.signal };
    await copyObject(this.#client, copy, await this.#client.settings());
  }

  async putNew(key: string, bytes: Uint8Array, options?: StoreOptions): Promise<boolean> {
    throwIfAborted(options?.signal);
    checkKey(key, this.uri);
    return putNewObject(this.#client, key, bytes, await this.#client.settings(), options?.signal);
  }

  async makeFolder(prefix: string, options?: StoreOptions): Promise<void> {
    throwIfAborted(options?.signal);
    checkPrefix(prefix, this.uri);
  }

  /** No request can ask for nothing: what matters is whether the key is there, and long enough. */
  async #emptyRange(key: string, at: number, options?: StoreOptions): Promise<Uint8Array | undefined> {
    const { status, headers } = await this.#client.send({
      method: "HEAD",
      key,
      what: "look at",
      signal: options?.signal,
      accept: [200, 404],
    });
    if (status === 404) return undefined;
    const size = headers.get("content-length");
    if (size === null || at <= Number(size)) return new Uint8Array(0);
    const where = this.#client.where(key);
    throw new StorageError(`bytes ${at} to ${at} asked of a file of ${size} bytes`, { where });
  }
}

function tailFlaw(answer: HttpAnswer, wanted: number): string | undefined {
  const size = totalSize(answer);
  return size === undefined ? undefined : rangeFlaw(answer, { start: Math.max(0, size - wanted), end: size });
}
