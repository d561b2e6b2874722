import { isCellarrError, NotFoundError, StorageError, throwIfAborted } from "../../errors.js";
import { HttpAddress } from "../../storage/http/http-address.js";
import { AttemptWatch } from "../../storage/remote/attempt-watch.js";
import { reasonOf, refusal } from "../../storage/remote/http-client.js";
import { defaultRetry, TransientError } from "../../storage/remote/retry.js";
import type { StorageOptions } from "../../storage/remote/settings.js";
import { type TransportAnswer, transportOf } from "../../storage/remote/transport.js";
import { pause } from "../../util/pause.js";

/**
 * Files over HTTP. HDF5 is read here and there by a library that cannot wait for a network, so a file is brought whole:
 * to a temporary file in Node, to memory elsewhere. What breaks off goes on where it stopped if the server has ranges,
 * otherwise from the start; a file that changed meanwhile (ETag, Last-Modified) is taken anew.
 */

/** Where a download goes. */
export interface DownloadTarget {
  write(bytes: Uint8Array): Promise<void>;
  /** Drops what was written. */
  restart(): Promise<void>;
}

export interface DownloadOptions {
  readonly signal?: AbortSignal | undefined;
  /** Attempts that bring nothing new before it is given up; default 5. */
  readonly attempts?: number | undefined;
  /** Milliseconds before the second attempt, doubled for each further one; default 250. */
  readonly delay?: number | undefined;
  /** Milliseconds without a byte after which an attempt is given up; default 30,000. */
  readonly timeout?: number | undefined;
  /** `fetch` and `headers` are used. */
  readonly storage?: StorageOptions | undefined;
  /** Bytes so far, and of the file where the server says it. */
  readonly onBytes?: ((done: number, total: number | null) => void) | undefined;
}

export function isHttpUrl(text: string): boolean {
  return /^https?:\/\//i.test(text);
}

/**
 * Throws ArgumentError for what is no URL, NotFoundError for a file that is not there, StorageError with the last reason,
 * AbortedError.
 */
export async function download(
  url: string,
  target: DownloadTarget,
  options: DownloadOptions = {},
): Promise<void> {
  const { attempts = 5, delay = 250, signal } = options;
  const transfer = new Transfer(url, target, options);
  for (let failed = 0; ; ) {
    const before = transfer.done;
    try {
      await transfer.attempt();
      return;
    } catch (error) {
      throwIfAborted(signal);
      if (isCellarrError(error)) throw error;
      failed = transfer.done > before ? 1 : failed + 1;
      if (failed >= attempts) {
        throw new StorageError(
          `download failed after ${transfer.done} bytes: ${reasonOf(error, transfer.url)}`,
          {
            where: transfer.where,
            cause: error,
          },
        );
      }
      const asked = error instanceof TransientError ? (error.retryAfter ?? 0) : 0;
      await pause(Math.max(Math.min(asked, defaultRetry.maxDelay), delay * 2 ** (failed - 1)), signal);
    }
  }
}

class Transfer {
  /** Bytes that the target has. */
  done = 0;
  /** Without credentials, which no client takes in a URL. */
  readonly url: string;
  /** For messages: without the query too. */
  readonly where: string;
  readonly #authorization: Readonly<Record<string, string>>;
  readonly #target: DownloadTarget;
  readonly #options: DownloadOptions;
  #validator: string | null = null;
  #total: number | null = null;

  constructor(url: string, target: DownloadTarget, options: DownloadOptions) {
    const { uri, headers } = new HttpAddress(url);
    this.where = uri;
    this.#authorization = headers;
    const bare = new URL(url);
    bare.username = "";
    bare.password = "";
    this.url = bare.href;
    this.#target = target;
    this.#options = options;
  }

  async attempt(): Promise<void> {
    const { signal, timeout = defaultRetry.timeout } = this.#options;
    const watch = new AttemptWatch(signal, timeout, 0);
    try {
      await this.#transfer(watch);
    } catch (error) {
      throw watch.end(error);
    } finally {
      watch.stop();
    }
  }

  async #transfer(watch: AttemptWatch): Promise<void> {
    const { storage, onBytes } = this.#options;
    const send = transportOf(storage?.fetch);
    const sent = { method: "GET", url: this.url, headers: this.#headers(), signal: watch.signal };
    const response = await watch.wait(send(sent));
    await this.#begin(response, watch);
    for (;;) {
      const piece = response.body === null ? undefined : await watch.wait(response.body.read());
      if (piece === undefined) break;
      await this.#target.write(piece);
      this.done += piece.byteLength;
      onBytes?.(this.done, this.#total);
    }
    if (this.#total === null || this.done === this.#total) return;
    throw new TransientError(`the server sent ${this.done} of ${this.#total} bytes`);
  }

  #headers(): Record<string, string> {
    const { storage } = this.#options;
    const identity = { "accept-encoding": "identity", ...this.#authorization, ...storage?.headers };
    if (this.done === 0) return identity;
    // Without a validator nothing says that it is still the same file: it is taken from the start then.
    if (this.#validator === null) return identity;
    return { ...identity, range: `bytes=${this.done}-`, "if-range": this.#validator };
  }

  async #begin(response: TransportAnswer, watch: AttemptWatch): Promise<void> {
    if (response.status === 206) {
      const range = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers.get("content-range") ?? "");
      if (range !== null && Number(range[1]) === this.done && Number(range[2]) === this.#total) return;
      await this.#restart();
      throw new TransientError("the server answered with another range than was asked for");
    }
    if (response.status !== 200) {
      throw await this.#refusal(response, watch);
    }
    if (this.done > 0) await this.#restart();
    const length = response.headers.get("content-length");
    const isEncoded = (response.headers.get("content-encoding") ?? "identity") !== "identity";
    this.#total = length === null || isEncoded ? null : Number(length);
    const etag = response.headers.get("etag");
    // A weak ETag is no validator of ranges.
    const strong = etag?.startsWith("W/") ? null : etag;
    this.#validator = this.#total === null ? null : (strong ?? response.headers.get("last-modified"));
  }

  async #restart(): Promise<void> {
    await this.#target.restart();
    this.done = 0;
    this.#validator = null;
    this.#total = null;
  }

  async #refusal(response: TransportAnswer, watch: AttemptWatch): Promise<Error> {
    const { where } = this;
    const { status } = response;
    if (status === 404 || status === 410) return new NotFoundError("no such file", { where });
    const error = await refusal(response, where, watch);
    // Where it was to go on there is nothing: the file may have become shorter.
    return status === 416 ? new TransientError(error.message) : error;
  }
}
