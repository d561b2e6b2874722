import { NotFoundError, StorageError, throwIfAborted } from "../../errors.js";
import { mapBounded } from "../../util/concurrency.js";
import { isSame } from "../../util/typed-arrays.js";
import { checkKey, checkPrefix } from "../key.js";
import { byKey, checkRange } from "../memory.js";
import { type HttpAnswer, HttpClient } from "../remote/http-client.js";
import { PartWriter } from "../remote/part-writer.js";
import { rangeBytes, rangeFlaw, rangeHeader } from "../remote/range-answer.js";
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
import { type AzureAccount, azureAccount } from "./azure-settings.js";
import { BlockTarget } from "./block-target.js";
import { readBlobPage } from "./list-blobs.js";

/**
 * A container of Azure Blob Storage, by the Blob service's REST protocol. Requests carry an access token, an account's
 * signature, a shared access signature, or nothing, as the settings say.
 */

export interface AzureStoreOptions extends StorageOptions {
  readonly container: string;
}

/** Spoken by the service since 2021 and by its emulator. Blobs of up to 190 TiB in blocks of up to 4000 MiB. */
const VERSION = "2021-08-06";

const PUT_HEADERS = { "x-ms-version": VERSION, "Content-Type": "application/octet-stream" };

/** Larger values go as blocks, so that a broken connection does not begin them anew. */
const SINGLE_PUT_BYTES = 64 * 2 ** 20;

/** TileDB's default of `vfs.azure.block_list_block_size`. */
const BLOCK_BYTES = 5 * 2 ** 20;

/** Blocks under way of one writer, and keys deleted at a time. */
const PARALLEL_BLOCKS = 4;
const PARALLEL_DELETES = 16;

/** A page has up to 5000 blobs. */
const MAX_PAGE_BYTES = 64 * 2 ** 20;

export class AzureStore implements WritableStore {
  readonly uri: string;
  readonly isRemote = true;
  readonly #url: string;
  readonly #account: AzureAccount;
  readonly #settings: Settings;
  readonly #http: HttpClient;

  /** Throws ArgumentError for settings that do not say which account it is. */
  constructor(options: AzureStoreOptions) {
    this.uri = `azure://${options.container}`;
    this.#settings = readSettings(options.config);
    this.#account = azureAccount(options, this.uri);
    this.#url = `${this.#account.endpoint}/${encodeURIComponent(options.container)}`;
    this.#http = new HttpClient({
      fetch: options.fetch,
      sign: this.#account.sign,
      retry: { ...retryOf(this.#settings, "azure"), ...azureRetry(this.#settings) },
      concurrency: concurrencyOf(this.#settings, "azure"),
    });
  }

  async get(key: string, options?: ReadOptions): Promise<Uint8Array | undefined> {
    const answer = await this.#read(key, "GET", undefined, options);
    if (answer !== undefined) checkVersion(answer, options?.version, this.#where(key));
    return answer?.bytes;
  }

  async getRange(key: string, range: ByteRange, options?: ReadOptions): Promise<Uint8Array | undefined> {
    const where = this.#where(key);
    checkRange(range, Number.POSITIVE_INFINITY, where);
    if (range.start === range.end) {
      const size = await this.#size(key, options);
      if (size !== undefined) checkRange(range, size, where);
      return size === undefined ? undefined : new Uint8Array(0);
    }
    const answer = await this.#read(key, "GET", range, options);
    if (answer === undefined) return undefined;
    checkVersion(answer, options?.version, where);
    return rangeBytes(answer, range, where);
  }

  /** The service knows no ranges that are counted from the end: a HEAD comes first. */
  async getTail(key: string, length: number, options?: StoreOptions): Promise<ValueTail | undefined> {
    const size = await this.#size(key, options);
    if (size === undefined) return undefined;
    const bytes = await this.getRange(key, { start: Math.max(0, size - length), end: size }, options);
    return bytes && { bytes, size };
  }

  async list(prefix: string, options?: StoreOptions & { recursive?: boolean }): Promise<StoreEntry[]> {
    throwIfAborted(options?.signal);
    checkPrefix(prefix, this.uri);
    const entries: StoreEntry[] = [];
    let marker = "";
    do {
      const query = new URLSearchParams({ restype: "container", comp: "list" });
      if (prefix !== "") query.set("prefix", `${prefix}/`);
      if (options?.recursive === false) query.set("delimiter", "/");
      if (marker !== "") query.set("marker", marker);
      const answer = await this.#http.send({
        method: "GET",
        url: this.#urlOf("", query),
        headers: { "x-ms-version": VERSION },
        signal: options?.signal,
        accept: [200, 404],
        where: this.#where(prefix),
        maxBytes: MAX_PAGE_BYTES,
      });
      if (answer.status === 404) throw this.#noContainer();
      const page = readBlobPage(answer.bytes, this.#where(prefix));
      for (const entry of page.entries) entries.push(entry);
      marker = page.nextMarker;
    } while (marker !== "");
    return entries.sort(byKey);
  }

  async put(key: string, bytes: Uint8Array, options?: StoreOptions): Promise<void> {
    throwIfAborted(options?.signal);
    checkKey(key, this.uri);
    if (bytes.byteLength <= SINGLE_PUT_BYTES) return this.#putBlob(key, bytes, options?.signal);
    await writeWhole(await this.writer(key, options), bytes);
  }

  /** See `WritableStore`: `put`, unless there is a value already. */
  async putNew(key: string, bytes: Uint8Array, options?: StoreOptions): Promise<boolean> {
    throwIfAborted(options?.signal);
    checkKey(key, this.uri);
    const answer = await this.#http.send({
      method: "PUT",
      url: this.#urlOf(key),
      headers: { ...PUT_HEADERS, "x-ms-blob-type": "BlockBlob", "If-None-Match": "*" },
      body: bytes,
      signal: options?.signal,
      accept: [201, 404, 409, 412],
      where: this.#where(key),
    });
    if (answer.status === 404) throw this.#noContainer();
    if (answer.status === 201 || answer.attempt === 1) return answer.status === 201;
    // What is there may be the work of an earlier attempt, whose answer was lost.
    return isSame(await this.get(key, options), bytes);
  }

  async writer(key: string, options?: StoreOptions): Promise<StoreWriter> {
    throwIfAborted(options?.signal);
    checkKey(key, this.uri);
    const target = new BlockTarget({
      blockBytes: this.#settings.integer("vfs.azure.block_list_block_size", 1) ?? BLOCK_BYTES,
      parallel: this.#settings.integer("vfs.azure.max_parallel_ops", 1) ?? PARALLEL_BLOCKS,
      putBlob: (bytes, signal) => this.#putBlob(key, bytes, signal),
      put: (parameters, body, signal) => this.#put(key, parameters, {}, body, signal),
    });
    return new PartWriter(target, options?.signal);
  }

  async delete(key: string, options?: StoreOptions): Promise<void> {
    throwIfAborted(options?.signal);
    checkKey(key, this.uri);
    await this.#http.send({
      method: "DELETE",
      url: this.#urlOf(key),
      headers: { "x-ms-version": VERSION, "x-ms-delete-snapshots": "include" },
      signal: options?.signal,
      accept: [202, 404],
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

  async #putBlob(key: string, bytes: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
    await this.#put(key, {}, { "x-ms-blob-type": "BlockBlob" }, bytes, signal);
  }

  async #put(
    key: string,
    parameters: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>>,
    body: Uint8Array,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const answer = await this.#http.send({
      method: "PUT",
      url: this.#urlOf(key, new URLSearchParams(parameters)),
      headers: { ...PUT_HEADERS, ...headers },
      body,
      signal,
      accept: [201, 404],
      where: this.#where(key),
    });
    if (answer.status === 404) throw this.#noContainer();
  }

  async #size(key: string, options: StoreOptions | undefined): Promise<number | undefined> {
    const answer = await this.#read(key, "HEAD", undefined, options);
    if (answer === undefined) return undefined;
    const length = answer.headers.get("content-length");
    const size = Number(length);
    if (length !== null && Number.isSafeInteger(size)) return size;
    throw new StorageError("the answer does not say how large the blob is", { where: this.#where(key) });
  }

  async #read(
    key: string,
    method: "GET" | "HEAD",
    range: ByteRange | undefined,
    options: StoreOptions | undefined,
  ): Promise<HttpAnswer | undefined> {
    throwIfAborted(options?.signal);
    checkKey(key, this.uri);
    const { sign } = this.#account;
    const answer = await this.#http.send({
      method,
      url: this.#urlOf(key),
      headers: {
        // Without own headers, and with the standard one for ranges, a page's read needs no CORS preflight.
        ...(sign && { "x-ms-version": VERSION }),
        ...(range && { Range: rangeHeader(range) }),
      },
      signal: options?.signal,
      accept: range === undefined ? [200, 404] : [200, 206, 404, 416],
      where: this.#where(key),
      ...(range && { flaw: (came: HttpAnswer) => rangeFlaw(came, range) }),
    });
    if (answer.status !== 404) return answer;
    if (answer.headers.get("x-ms-error-code") === "ContainerNotFound") throw this.#noContainer();
    return undefined;
  }

  #urlOf(key: string, parameters = new URLSearchParams()): string {
    const path = key === "" ? "" : `/${key.split("/").map(encodeURIComponent).join("/")}`;
    const query = [parameters.toString().replaceAll("+", "%20"), this.#account.query].filter(
      (part) => part !== "",
    );
    return `${this.#url}${path}${query.length > 0 ? `?${query.join("&")}` : ""}`;
  }

  #where(key: string): string {
    return key === "" ? this.uri : `${this.uri}/${key}`;
  }

  #noContainer(): NotFoundError {
    return new NotFoundError("there is no such container", { where: this.uri });
  }
}

/** TileDB's own names for Azure's retries. */
function azureRetry(settings: Settings) {
  const retries = settings.integer("vfs.azure.max_retries");
  const baseDelay = settings.integer("vfs.azure.retry_delay_ms");
  const maxDelay = settings.integer("vfs.azure.max_retry_delay_ms");
  return {
    ...(retries !== undefined && { tries: retries + 1 }),
    ...(baseDelay !== undefined && { baseDelay }),
    ...(maxDelay !== undefined && { maxDelay }),
  };
}
