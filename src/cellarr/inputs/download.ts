import { isCellarrError, NotFoundError, StorageError, throwIfAborted } from "../../errors.js";
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
  /** Bytes so far, and of the file where the server says it. */
  readonly onBytes?: ((done: number, total: number | null) => void) | undefined;
}

export function isHttpUrl(text: string): boolean {
  return /^https?:\/\//i.test(text);
}

/** Throws NotFoundError for a file that is not there, StorageError with the last reason, AbortedError. */
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
        const reason = error instanceof Error ? reasonOf(error) : String(error);
        throw new StorageError(`download failed after ${transfer.done} bytes: ${reason}`, {
          where: url,
          cause: error,
        });
      }
      await pause(delay * 2 ** (failed - 1), signal);
    }
  }
}

/** What may be different the next time. */
class Interruption extends Error {}

class Transfer {
  /** Bytes that the target has. */
  done = 0;
  readonly #url: string;
  readonly #target: DownloadTarget;
  readonly #options: DownloadOptions;
  #validator: string | null = null;
  #total: number | null = null;

  constructor(url: string, target: DownloadTarget, options: DownloadOptions) {
    this.#url = url;
    this.#target = target;
    this.#options = options;
  }

  async attempt(): Promise<void> {
    const response = await fetch(this.#url, {
      headers: this.#headers(),
      ...(this.#options.signal && { signal: this.#options.signal }),
    });
    await this.#begin(response);
    const reader = response.body?.getReader();
    try {
      for (;;) {
        const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
        if (done) break;
        await this.#target.write(value);
        this.done += value.byteLength;
        this.#options.onBytes?.(this.done, this.#total);
      }
    } finally {
      await reader?.cancel().catch(() => {});
    }
    if (this.#total === null || this.done === this.#total) return;
    throw new Interruption(`the server sent ${this.done} of ${this.#total} bytes`);
  }

  #headers(): Record<string, string> {
    const identity = { "accept-encoding": "identity" };
    if (this.done === 0) return identity;
    // Without a validator nothing says that it is still the same file: it is taken from the start then.
    if (this.#validator === null) return identity;
    return { ...identity, range: `bytes=${this.done}-`, "if-range": this.#validator };
  }

  async #begin(response: Response): Promise<void> {
    if (response.status === 206) {
      const range = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers.get("content-range") ?? "");
      if (range !== null && Number(range[1]) === this.done && Number(range[2]) === this.#total) return;
      await response.body?.cancel();
      await this.#restart();
      throw new Interruption("the server answered with another range than was asked for");
    }
    if (response.status !== 200) {
      await response.body?.cancel();
      throw this.#refusal(response);
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

  #refusal({ status, statusText }: Response): Error {
    const where = { where: this.#url };
    if (status === 404 || status === 410) return new NotFoundError("no such file", where);
    const answer = `the server answered ${status} ${statusText}`.trim();
    const mayPass = status === 408 || status === 416 || status === 425 || status === 429 || status >= 500;
    return mayPass ? new Interruption(answer) : new StorageError(answer, where);
  }
}

/** "fetch failed" says nothing, its cause does. */
function reasonOf(error: Error): string {
  const cause = error.cause instanceof Error && error.cause.message !== "" ? error.cause : error;
  return cause.message;
}
