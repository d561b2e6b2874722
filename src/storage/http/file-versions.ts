import { StorageError } from "../../errors.js";
import type { HttpAnswer } from "../remote/http-client.js";
import { totalSize } from "../remote/range-answer.js";

interface FileVersion {
  /** Without the marks of weak and of compressed ones; null where the server does not say it, or hides it (CORS). */
  readonly etag: string | null;
  readonly size: number | undefined;
}

/**
 * That ranges of one file are of one version of it. The first range pins it: what comes later must have the same ETag and
 * size. Files that are only read whole may change.
 */
export class FileVersions {
  readonly #pinned = new Map<string, FileVersion>();

  /** Throws StorageError where the file has changed since its first range. */
  pin(key: string, answer: HttpAnswer, where: string): void {
    if (answer.status === 416) return;
    if (this.#pinned.has(key)) this.check(key, answer, where);
    else this.#pinned.set(key, versionOf(answer));
  }

  /** The same of a file that is read whole, which pins nothing. */
  check(key: string, answer: HttpAnswer, where: string): void {
    const first = this.#pinned.get(key);
    if (first === undefined) return;
    const now = versionOf(answer);
    if (first.etag !== null && now.etag !== null && first.etag !== now.etag) {
      throw changed(`ETag ${first.etag} before, ${now.etag} now`, where);
    }
    if (first.size !== undefined && now.size !== undefined && first.size !== now.size) {
      throw changed(`${first.size} bytes before, ${now.size} now`, where);
    }
  }
}

function versionOf(answer: HttpAnswer): FileVersion {
  const etag = answer.headers.get("etag");
  // In browsers files that are asked for whole may come compressed, under a name of their own.
  const plain = etag?.replace(/^W\//, "").replace(/[-;:](gzip|br|zstd|deflate)"$/, '"');
  return { etag: plain ?? null, size: totalSize(answer) };
}

function changed(how: string, where: string): StorageError {
  return new StorageError(`the file changed while it was read (${how}); open the store anew`, { where });
}
