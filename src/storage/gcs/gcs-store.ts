import { NotFoundError, StorageError, throwIfAborted, UnsupportedError } from "../../errors.js";
import { mapBounded } from "../../util/concurrency.js";
import { isSame } from "../../util/typed-arrays.js";
import { checkKey, checkPrefix } from "../key.js";
import { byKey, checkRange } from "../memory.js";
import { type HttpAnswer, HttpClient, type HttpRequest } from "../remote/http-client.js";
import { PartWriter } from "../remote/part-writer.js";
import { rangeBytes, rangeFlaw, rangeHeader, totalSize } from "../remote/range-answer.js";
import {
  concurrencyOf,
  readSettings,
  retryOf,
  type Settings,
  type StorageOptions,
} from "../remote/settings.js";
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
import { type GcsAccess, gcsAccess } from "./gcs-settings.js";
import { objectSize, readObjectPage } from "./list-objects.js";
import { ResumableTarget } from "./resumable-target.js";

/**
 * A bucket of Google Cloud Storage, by its JSON protocol. Of the two it is the one that a page may use whatever the
 * bucket's CORS settings are, and whose listings give no more than is asked for: names and sizes.
 */

export interface GcsStoreOptions extends StorageOptions {
  readonly bucket: string;
}

/** Larger values go in parts, so that a broken connection does not begin them anew. */
const SINGLE_UPLOAD_BYTES = 64 * 2 ** 20;

/** TileDB's default of `vfs.gcs.multi_part_size`. */
const PART_BYTES = 5 * 2 ** 20;

const PARALLEL_DELETES = 16;

/** A page has up to 1000 objects. */
const MAX_PAGE_BYTES = 16 * 2 ** 20;

export class GcsStore implements WritableStore {
  readonly uri: string;
  readonly isRemote = true;
  readonly #bucket: string;
  readonly #access: GcsAccess;
  readonly #signedUrl: GcsStoreOptions["signedUrl"];
  readonly #settings: Settings;
  readonly #http: HttpClient;

  constructor(options: GcsStoreOptions) {
    this.uri = `gs://${options.bucket}`;
    this.#bucket = encodeURIComponent(options.bucket);
    this.#signedUrl = options.signedUrl;
    this.#settings = readSettings(options.config);
    this.#access = gcsAccess(options);
    this.#http = new HttpClient({
      fetch: options.fetch,
      sign: this.#signedUrl === undefined ? (request) => this.#authorize(request) : undefined,
      retry: retryOf(this.#settings, "gcs"),
      concurrency: concurrencyOf(this.#settings, "gcs"),
    });
  }

  async get(key: string, options?: ReadOptions): Promise<Uint8Array | undefined> {
    const answer = await this.#media(key, undefined, undefined, options);
    if (answer.status === 404) return undefined;
    checkVersion(answer, options?.version, this.#where(key));
    return answer.bytes;
  }

  async getRange(key: string, range: ByteRange, options?: ReadOptions): Promise<Uint8Array | undefined> {
    const where = this.#where(key);
    checkRange(range, Number.POSITIVE_INFINITY, where);
    if (range.start === range.end) return this.#emptyRange(key, range, options);
    const answer = await this.#media(key, rangeHeader(range), range, options);
    if (answer.status === 404) return undefined;
    checkVersion(answer, options?.version, where);
    return rangeBytes(answer, range, where);
  }

  async getTail(key: string, length: number, options?: StoreOptions): Promise<ValueTail | undefined> {
    const wanted = Math.max(1, length);
    const answer = await this.#media(key, `bytes=-${wanted}`, undefined, options);
    if (answer.status === 404) return undefined;
    // Of an empty value no range can be had.
    if (answer.status === 416) return { bytes: new Uint8Array(0), size: 0 };
    const size = totalSize(answer);
    if (size === undefined)
      throw new StorageError("the answer does not say how large the object is", { where: this.#where(key) });
    const start = Math.max(0, size - wanted);
    return { bytes: rangeBytes(answer, { start, end: size }, this.#where(key)), size };
  }

  async list(prefix: string, options?: StoreOptions & { recursive?: boolean }): Promise<StoreEntry[]> {
    throwIfAborted(options?.signal);
    checkPrefix(prefix, this.uri);
    if (this.#signedUrl !== undefined) {
      throw new UnsupportedError("a bucket that is reached by signed URLs cannot be listed", {
        where: this.uri,
      });
    }
    const entries: StoreEntry[] = [];
    let pageToken = "";
    do {
      const query = new URLSearchParams({ fields: "items(name,size),prefixes,nextPageToken" });
      if (prefix !== "") query.set("prefix", `${prefix}/`);
      if (options?.recursive === false) query.set("delimiter", "/");
      if (pageToken !== "") query.set("pageToken", pageToken);
      const answer = await this.#http.send({
        method: "GET",
        url: `${this.#access.endpoint}/storage/v1/b/${this.#bucket}/o?${query}`,
        signal: options?.signal,
        accept: [200, 404],
        where: this.#where(prefix),
        maxBytes: MAX_PAGE_BYTES,
      });
      if (answer.status === 404) throw this.#noBucket();
      const page = readObjectPage(answer.bytes, this.#where(prefix));
      for (const entry of page.entries) entries.push(entry);
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    return entries.sort(byKey);
  }

  async put(key: string, bytes: Uint8Array, options?: StoreOptions): Promise<void> {
    throwIfAborted(options?.signal);
    checkKey(key, this.uri);
    if (this.#signedUrl !== undefined) return this.#putSigned(key, bytes, options);
    if (bytes.byteLength <= SINGLE_UPLOAD_BYTES) return this.#upload(key, bytes, options?.signal);
    await writeWhole(await this.writer(key, options), bytes);
  }

  /** See `WritableStore`: `put`, unless there is a value already. */
  async putNew(key: string, bytes: Uint8Array, options?: StoreOptions): Promise<boolean> {
    throwIfAborted(options?.signal);
    checkKey(key, this.uri);
    if (this.#signedUrl !== undefined) {
      throw new UnsupportedError("a signed URL cannot say that a value must be new", {
        where: this.#where(key),
      });
    }
    // Generation 0 is that of what is not there.
    const answer = await this.#http.send({
      method: "POST",
      url: `${this.#uploadUrl(key, "media")}&ifGenerationMatch=0`,
      headers: { "Content-Type": "application/octet-stream" },
      body: bytes,
      signal: options?.signal,
      accept: [200, 404, 412],
      where: this.#where(key),
    });
    if (answer.status === 404) throw this.#noBucket();
    if (answer.status === 200 || answer.attempt === 1) return answer.status === 200;
    // What is there may be the work of an earlier attempt, whose answer was lost.
    return isSame(await this.get(key, options), bytes);
  }

  async writer(key: string, options?: StoreOptions): Promise<StoreWriter> {
    throwIfAborted(options?.signal);
    checkKey(key, this.uri);
    if (this.#signedUrl !== undefined) {
      throw new UnsupportedError("no value can be written in pieces by signed URLs", {
        where: this.#where(key),
      });
    }
    const target = new ResumableTarget({
      http: this.#http,
      url: this.#uploadUrl(key, "resumable"),
      where: this.#where(key),
      partBytes: this.#settings.integer("vfs.gcs.multi_part_size", 1) ?? PART_BYTES,
      upload: (bytes, signal) => this.#upload(key, bytes, signal),
      noBucket: () => this.#noBucket(),
    });
    return new PartWriter(target, options?.signal);
  }

  async delete(key: string, options?: StoreOptions): Promise<void> {
    throwIfAborted(options?.signal);
    checkKey(key, this.uri);
    await this.#http.send({
      method: "DELETE",
      url: (await this.#signedUrl?.(key, "DELETE")) ?? this.#objectUrl(key),
      signal: options?.signal,
      accept: [200, 204, 404],
      where: this.#where(key),
    });
  }

  async deletePrefix(prefix: string, options?: StoreOptions): Promise<void> {
    const entries = await this.list(prefix, options);
    await mapBounded(entries, PARALLEL_DELETES, ({ key }) => this.delete(key, options), options?.signal);
  }

  async makeFolder(prefix: string, options?: StoreOptions): Promise<void> {
    throwIfAborted(options?.signal);
    checkPrefix(prefix, this.uri);
  }

  async #media(
    key: string,
    header: string | undefined,
    range: ByteRange | undefined,
    options: StoreOptions | undefined,
  ): Promise<HttpAnswer> {
    throwIfAborted(options?.signal);
    checkKey(key, this.uri);
    return this.#http.send({
      method: "GET",
      url: (await this.#signedUrl?.(key, "GET")) ?? `${this.#objectUrl(key)}?alt=media`,
      ...(header !== undefined && { headers: { Range: header } }),
      signal: options?.signal,
      accept: header === undefined ? [200, 404] : [200, 206, 404, 416],
      where: this.#where(key),
      ...(range && { flaw: (came: HttpAnswer) => rangeFlaw(came, range) }),
    });
  }

  /** Nothing, of a value that is there and long enough. */
  async #emptyRange(key: string, range: ByteRange, options?: StoreOptions): Promise<Uint8Array | undefined> {
    const tail = await this.getTail(key, 1, options);
    if (tail !== undefined) checkRange(range, tail.size, this.#where(key));
    return tail && new Uint8Array(0);
  }

  async #upload(key: string, body: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
    const answer = await this.#http.send({
      method: "POST",
      url: this.#uploadUrl(key, "media"),
      headers: { "Content-Type": "application/octet-stream" },
      body,
      signal,
      accept: [200, 404],
      where: this.#where(key),
    });
    if (answer.status === 404) throw this.#noBucket();
    const size = objectSize(answer.bytes, this.#where(key));
    if (size === body.byteLength) return;
    throw new StorageError(`${body.byteLength} bytes were sent, ${size} arrived`, {
      where: this.#where(key),
    });
  }

  async #putSigned(key: string, body: Uint8Array, options: StoreOptions | undefined): Promise<void> {
    const url = await this.#signedUrl?.(key, "PUT");
    if (url === undefined) throw new StorageError("there is no signed URL", { where: this.#where(key) });
    await this.#http.send({
      method: "PUT",
      url,
      body,
      signal: options?.signal,
      accept: [200],
      where: this.#where(key),
    });
  }

  async #authorize(request: HttpRequest): Promise<HttpRequest> {
    const token = await this.#access.token?.();
    if (token === undefined) return request;
    return { ...request, headers: { ...request.headers, Authorization: `Bearer ${token}` } };
  }

  #objectUrl(key: string): string {
    return `${this.#access.endpoint}/storage/v1/b/${this.#bucket}/o/${encodeURIComponent(key)}`;
  }

  #uploadUrl(key: string, uploadType: "media" | "resumable"): string {
    const query = `uploadType=${uploadType}&fields=size&name=${encodeURIComponent(key)}`;
    return `${this.#access.endpoint}/upload/storage/v1/b/${this.#bucket}/o?${query}`;
  }

  #where(key: string): string {
    return key === "" ? this.uri : `${this.uri}/${key}`;
  }

  #noBucket(): NotFoundError {
    return new NotFoundError("there is no such bucket", { where: this.uri });
  }
}
