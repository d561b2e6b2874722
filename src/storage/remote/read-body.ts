import { StorageError } from "../../errors.js";
import type { AttemptWatch } from "./attempt-watch.js";
import type { HttpRequest } from "./http-client.js";
import { TransientError } from "./retry.js";

/** Memory that is taken because a server says that so much will come. */
const MAX_TRUSTED_BYTES = 16 * 2 ** 20;

/**
 * The body of an answer. Throws TransientError where it is shorter or longer than Content-Length says, StorageError where
 * it is longer than the request allows.
 */
export async function readBody(
  response: Response,
  request: Pick<HttpRequest, "method" | "maxBytes" | "where">,
  watch: AttemptWatch,
): Promise<Uint8Array> {
  const { maxBytes = Number.POSITIVE_INFINITY, where } = request;
  if (request.method === "HEAD" || response.body === null) return new Uint8Array(0);
  const length = bodyLength(response);
  const reader = response.body.getReader();
  checkSize(length ?? 0, maxBytes, where);
  const body = new GrowingBytes(length);
  for (;;) {
    const { done, value } = await watch.wait(reader.read());
    if (done) break;
    checkSize(body.length + value.byteLength, maxBytes, where);
    if (length !== null && body.length + value.byteLength > length) throw wrongLength("more than", length);
    body.append(value);
  }
  if (length !== null && body.length < length) throw wrongLength(`${body.length} of`, length);
  return body.bytes();
}

/**
 * Null where it is not said, or said of the compressed bytes. Of other origins pages are not told whether these are
 * compressed; but they check lengths themselves.
 */
function bodyLength({ headers, type }: Response): number | null {
  if (type === "cors") return null;
  if ((headers.get("content-encoding") ?? "identity") !== "identity") return null;
  const text = headers.get("content-length");
  if (text === null || !/^\d+$/.test(text)) return null;
  const length = Number(text);
  return Number.isSafeInteger(length) ? length : null;
}

function checkSize(bytes: number, maxBytes: number, where: string): void {
  if (bytes <= maxBytes) return;
  throw new StorageError(`the server sends ${bytes} bytes or more, at most ${maxBytes} were expected`, {
    where,
  });
}

function wrongLength(came: string, length: number): TransientError {
  return new TransientError(`the server sent ${came} the ${length} bytes that it announced`);
}

/** Bytes that come in pieces, of which the number is known or not. */
class GrowingBytes {
  length = 0;
  readonly #expected: number;
  #memory: Uint8Array;

  constructor(expected: number | null) {
    this.#expected = expected ?? 0;
    this.#memory = new Uint8Array(Math.min(this.#expected, MAX_TRUSTED_BYTES));
  }

  append(piece: Uint8Array): void {
    const needed = this.length + piece.byteLength;
    if (needed > this.#memory.byteLength) this.#grow(needed);
    this.#memory.set(piece, this.length);
    this.length = needed;
  }

  bytes(): Uint8Array {
    return this.#memory.subarray(0, this.length);
  }

  #grow(needed: number): void {
    const doubled = Math.max(needed, 2 * this.#memory.byteLength);
    const size = needed <= this.#expected ? Math.min(doubled, this.#expected) : doubled;
    const memory = new Uint8Array(size);
    memory.set(this.#memory.subarray(0, this.length));
    this.#memory = memory;
  }
}
