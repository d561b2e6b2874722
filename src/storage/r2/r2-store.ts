import { isCellarrError, StorageError, throwIfAborted } from "../../errors.js";
import { concatBytes } from "../../util/typed-arrays.js";
import { checkKey, checkPrefix } from "../key.js";
import { byKey, checkRange } from "../memory.js";
import { requestSent } from "../remote/while-waiting.js";
import type { ByteRange, StoreEntry, StoreOptions, StoreWriter, WritableStore } from "../types.js";
import type { R2Body, R2Bucket, R2Listing } from "./r2-bucket.js";

/**
 * A bucket of Cloudflare R2 through the binding of a Worker: `new R2Store(env.BUCKET)`. From elsewhere the same bucket is
 * reached by S3's protocol.
 */
export class R2Store implements WritableStore {
  readonly uri: string;
  readonly isRemote = true;
  readonly coalesceGap = 256 * 1024;
  readonly #bucket: R2Bucket;
  /** "" or ends with a slash. */
  readonly #prefix: string;

  /** @param options.prefix folder of the bucket that is the store's root; default the bucket's own */
  constructor(bucket: R2Bucket, options: { readonly prefix?: string; readonly name?: string } = {}) {
    const prefix = checkPrefix(options.prefix ?? "", "r2");
    this.uri = `r2://${options.name ?? "bucket"}${prefix === "" ? "" : `/${prefix}`}`;
    this.#bucket = bucket;
    this.#prefix = prefix === "" ? "" : `${prefix}/`;
  }

  async get(key: string, options?: StoreOptions): Promise<Uint8Array | undefined> {
    const name = this.#name(key);
    return this.#ask(key, options, async () => {
      const body = await this.#bucket.get(name);
      return body === null ? undefined : bytesOf(body);
    });
  }

  async getRange(key: string, range: ByteRange, options?: StoreOptions): Promise<Uint8Array | undefined> {
    const name = this.#name(key);
    const where = `${this.uri}/${key}`;
    checkRange(range, Number.MAX_SAFE_INTEGER, where);
    const length = range.end - range.start;
    return this.#ask(key, options, async () => {
      // R2 refuses ranges of no bytes, and those that begin behind the end; shorter objects give shorter answers.
      if (length === 0) return this.#checkEmpty(name, range, where);
      const body = await this.#bucket.get(name, { range: { offset: range.start, length } });
      if (body === null) return undefined;
      checkRange(range, body.size, where);
      const bytes = await bytesOf(body);
      if (bytes.byteLength === length) return bytes;
      throw new StorageError(`${bytes.byteLength} bytes came of ${length}`, { where });
    });
  }

  async list(prefix: string, options?: StoreOptions & { recursive?: boolean }): Promise<StoreEntry[]> {
    checkPrefix(prefix, this.uri);
    const top = prefix === "" ? this.#prefix : `${this.#prefix}${prefix}/`;
    const request = { prefix: top, ...(options?.recursive === false ? { delimiter: "/" } : {}) };
    const entries: StoreEntry[] = [];
    let page: R2Listing | undefined;
    do {
      const cursor = page?.cursor;
      page = await this.#ask(prefix, options, () =>
        this.#bucket.list(cursor === undefined ? request : { ...request, cursor }),
      );
      for (const { key, size } of page.objects) entries.push({ key: key.slice(this.#prefix.length), size });
      for (const folder of page.delimitedPrefixes) {
        entries.push({ key: folder.slice(this.#prefix.length, -1), size: undefined });
      }
    } while (page.truncated);
    // Markers of empty folders are no keys.
    return entries.filter(({ key }) => key !== "" && !key.endsWith("/")).sort(byKey);
  }

  async put(key: string, bytes: Uint8Array, options?: StoreOptions): Promise<void> {
    const name = this.#name(key);
    await this.#ask(key, options, () => this.#bucket.put(name, bytes));
  }

  /** Keeps what is written in memory until `close`: a Worker has little of it, and R2 wants to know sizes. */
  async writer(key: string, options?: StoreOptions): Promise<StoreWriter> {
    throwIfAborted(options?.signal);
    this.#name(key);
    let parts: Uint8Array[] = [];
    return {
      write: async (bytes) => {
        throwIfAborted(options?.signal);
        parts.push(new Uint8Array(bytes));
      },
      close: async () => {
        await this.put(key, concatBytes(parts), options);
        parts = [];
      },
      abort: async () => {
        parts = [];
      },
    };
  }

  async delete(key: string, options?: StoreOptions): Promise<void> {
    const name = this.#name(key);
    await this.#ask(key, options, () => this.#bucket.delete(name));
  }

  async deletePrefix(prefix: string, options?: StoreOptions): Promise<void> {
    const keys = (await this.list(prefix, options)).map(({ key }) => `${this.#prefix}${key}`);
    // R2 deletes 1,000 keys at a time.
    for (let at = 0; at < keys.length; at += 1000) {
      await this.#ask(prefix, options, () => this.#bucket.delete(keys.slice(at, at + 1000)));
    }
  }

  async makeFolder(prefix: string, options?: StoreOptions): Promise<void> {
    throwIfAborted(options?.signal);
    checkPrefix(prefix, this.uri);
  }

  #name(key: string): string {
    return this.#prefix + checkKey(key, this.uri);
  }

  async #checkEmpty(name: string, range: ByteRange, where: string): Promise<Uint8Array | undefined> {
    const entry = await this.#bucket.head(name);
    if (entry === null) return undefined;
    checkRange(range, entry.size, where);
    return new Uint8Array(0);
  }

  /** The binding takes no AbortSignal: an abort is noticed before and after a request. */
  async #ask<T>(key: string, options: StoreOptions | undefined, work: () => Promise<T>): Promise<T> {
    throwIfAborted(options?.signal);
    try {
      const asked = work();
      requestSent();
      const answer = await asked;
      throwIfAborted(options?.signal);
      return answer;
    } catch (cause) {
      if (isCellarrError(cause)) throw cause;
      const text = cause instanceof Error ? cause.message : String(cause);
      throw new StorageError(`R2: ${text}`, { where: `${this.uri}/${key}`, cause });
    }
  }
}

async function bytesOf(body: R2Body): Promise<Uint8Array> {
  return new Uint8Array(await body.arrayBuffer());
}
