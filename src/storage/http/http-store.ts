import { StorageError, UnsupportedError } from "../../errors.js";
import { checkKey } from "../key.js";
import { type HttpAnswer, HttpClient } from "../remote/http-client.js";
import { environment } from "../remote/machine.js";
import { rangeBytes, rangeFlaw, rangeHeader, totalSize } from "../remote/range-answer.js";
import { TransientError } from "../remote/retry.js";
import { concurrencyOf, readSettings, retryOf, type StorageOptions } from "../remote/settings.js";
import type { AnswerHeaders } from "../remote/transport.js";
import { checkVersion } from "../remote/value-version.js";
import type { ByteRange, ReadableStore, ReadOptions, StoreEntry, StoreOptions, ValueTail } from "../types.js";
import { FileVersions } from "./file-versions.js";
import { HttpAddress } from "./http-address.js";

/** Bytes of a file that is taken whole where a server does not know ranges. */
const MAX_WITHOUT_RANGES = 16 * 2 ** 20;

/**
 * A folder on a web server: static hosting, or a bucket that everybody may read. Ranges are asked for; a server without
 * them will do for small files. Nothing can be listed, so an array opens by its index file.
 *
 * A file that changes while it is read range by range is a StorageError, now and later: open the store anew.
 */
export class HttpStore implements ReadableStore {
  readonly uri: string;
  readonly isRemote = true;
  readonly #address: HttpAddress;
  readonly #client: HttpClient;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #versions = new FileVersions();

  /** Throws ArgumentError where `url` is none, or a setting is wrong. A query is kept, and goes with every request. */
  constructor(url: string, options: StorageOptions = {}) {
    this.#address = new HttpAddress(url);
    this.uri = this.#address.uri;
    const settings = readSettings(options.config);
    this.#client = new HttpClient({
      fetch: options.fetch,
      retry: retryOf(settings, "http"),
      concurrency: concurrencyOf(settings, "http"),
    });
    this.#headers = { ...this.#address.headers, ...options.headers };
  }

  async get(key: string, options?: ReadOptions): Promise<Uint8Array | undefined> {
    const where = this.#where(key);
    const answer = await this.#send("GET", key, options, {});
    if (isMissing(answer)) return undefined;
    checkVersion(answer, options?.version, where);
    this.#versions.check(key, answer, where);
    return answer.bytes;
  }

  async getRange(key: string, range: ByteRange, options?: ReadOptions): Promise<Uint8Array | undefined> {
    const where = this.#where(key);
    const { start, end } = range;
    if (!(start >= 0 && start <= end)) throw new StorageError(`bytes ${start} to ${end} asked`, { where });
    if (start === end) return this.#emptyRange(key, range, options);
    const answer = await this.#send("GET", key, options, { range: rangeHeader(range) }, range);
    if (isMissing(answer)) return undefined;
    checkVersion(answer, options?.version, where);
    this.#versions.pin(key, answer, where);
    return rangeBytes(answer, range, where);
  }

  async getTail(key: string, length: number, options?: StoreOptions): Promise<ValueTail | undefined> {
    const where = this.#where(key);
    // Pages would have to ask (CORS preflight) for ranges that are counted from the end; absolute ones they may have.
    if (environment() !== undefined) {
      const found = await this.#suffix(key, length, options);
      if (found !== "unknown") return found;
    }
    const answer = await this.#send("HEAD", key, options, {});
    if (isMissing(answer)) return undefined;
    const text = answer.headers.get("content-length");
    const size = Number(text);
    if (text === null || !Number.isSafeInteger(size)) {
      throw new StorageError("the server does not say how large the file is", { where });
    }
    const bytes = await this.getRange(key, { start: Math.max(0, size - length), end: size }, options);
    return bytes && { bytes, size };
  }

  /** "unknown" where the server does not understand the question. */
  async #suffix(
    key: string,
    length: number,
    options: StoreOptions | undefined,
  ): Promise<ValueTail | undefined | "unknown"> {
    const where = this.#where(key);
    const wanted = Math.max(1, length);
    const answer = await this.#client.send({
      method: "GET",
      url: this.#address.url(key),
      headers: { ...this.#headers, range: `bytes=-${wanted}` },
      signal: options?.signal,
      accept: [200, 206, 400, 404, 410, 416, 501],
      where,
      maxBytes: Math.max(wanted, MAX_WITHOUT_RANGES),
      inspect: (status, headers) => checkRanged(status, headers, { start: 0, end: wanted }, where),
      flaw: (answered) => {
        const total = totalSize(answered);
        return total === undefined
          ? undefined
          : rangeFlaw(answered, { start: Math.max(0, total - wanted), end: total });
      },
    });
    if (isMissing(answer)) return undefined;
    const size = totalSize(answer);
    if (size === undefined || (answer.status !== 200 && answer.status !== 206)) return "unknown";
    this.#versions.pin(key, answer, where);
    return { bytes: rangeBytes(answer, { start: Math.max(0, size - wanted), end: size }, where), size };
  }

  async list(): Promise<StoreEntry[]> {
    throw new UnsupportedError(
      'plain HTTP cannot list files, and there is no index file; "cellarr publish" makes one',
      { where: this.uri },
    );
  }

  /** HTTP has no words for it: what is asked is whether there is such a file, of that size at least. */
  async #emptyRange(
    key: string,
    { start }: ByteRange,
    options: StoreOptions | undefined,
  ): Promise<Uint8Array | undefined> {
    const answer = await this.#send("HEAD", key, options, {});
    if (isMissing(answer)) return undefined;
    const size = Number(answer.headers.get("content-length") ?? Number.POSITIVE_INFINITY);
    if (start <= size) return new Uint8Array(0);
    throw new StorageError(`bytes ${start} to ${start} asked of a file of ${size} bytes`, {
      where: this.#where(key),
    });
  }

  #send(
    method: "GET" | "HEAD",
    key: string,
    options: StoreOptions | undefined,
    headers: Readonly<Record<string, string>>,
    range?: ByteRange,
  ): Promise<HttpAnswer> {
    const where = this.#where(key);
    return this.#client.send({
      method,
      url: this.#address.url(key),
      headers: { ...this.#headers, ...headers },
      signal: options?.signal,
      accept: range === undefined ? [200, 404, 410] : [200, 206, 404, 410, 416],
      where,
      ...(range !== undefined && {
        maxBytes: Math.max(range.end - range.start, MAX_WITHOUT_RANGES),
        inspect: (status: number, answered: AnswerHeaders) => checkRanged(status, answered, range, where),
        flaw: (answer: HttpAnswer) => rangeFlaw(answer, range),
      }),
    });
  }

  #where(key: string): string {
    return `${this.uri}/${checkKey(key, this.uri)}`;
  }
}

function isMissing({ status }: HttpAnswer): boolean {
  return status === 404 || status === 410;
}

/** Before the body is read: that it is not all of a large file, nor more than a range. */
function checkRanged(status: number, headers: AnswerHeaders, range: ByteRange, where: string): void {
  const length = Number(headers.get("content-length") ?? 0);
  if (status === 200 && length > MAX_WITHOUT_RANGES) {
    throw new StorageError(
      `the server does not answer requests for ranges; of such a server files of ${MAX_WITHOUT_RANGES} bytes at most are read, this one has ${length}`,
      { where },
    );
  }
  if (status !== 206) return;
  if ((headers.get("content-encoding") ?? "identity") !== "identity") {
    throw new StorageError("the server compresses what it sends of a range", { where });
  }
  if (length > range.end - range.start) {
    throw new TransientError(`the server sends ${length} bytes of ${rangeHeader(range)}`);
  }
}
