import { StorageError } from "../../errors.js";
import type { AttemptWatch } from "./attempt-watch.js";
import type { HttpRequest } from "./http-client.js";
import { TransientError } from "./retry.js";
import type { TransportAnswer } from "./transport.js";

/** Memory that is taken because a server says that so much will come. */
const MAX_TRUSTED_BYTES = 16 * 2 ** 20;

/**
 * The body of an answer. Throws TransientError where it is shorter or longer than Content-Length says, StorageError where
 * it is longer than the request allows.
 */
export async function readBody(
  response: TransportAnswer,
  request: Pick<HttpRequest, "method" | "maxBytes" | "where">,
  watch: AttemptWatch,
): Promise<Uint8Array> {
  const { maxBytes = Number.POSITIVE_INFINITY, where } = request;
  const { body: source } = response;
  if (request.method === "HEAD" || source === null) return new Uint8Array(0);
  const length = bodyLength(response);
  checkSize(length ?? 0, maxBytes, where);
  const body = new GrowingBytes(length);
  for (;;) {
    const piece = await watch.wait(source.read());
    if (piece === undefined) break;
    checkSize(body.length + piece.byteLength, maxBytes, where);
    if (length !== null && body.length + piece.byteLength > length) throw wrongLength("more than", length);
    body.append(piece);
  }
  if (length !== null && body.length < length) throw wrongLength(`${body.length} of`, length);
  return body.bytes();
}

/**
 * Null where it is not said, or said of the compressed bytes. Of other origins pages are not told whether these are
 * compressed; but they check lengths themselves.
 */
function bodyLength({ headers, isCors }: TransportAnswer): number | null {
  if (isCors) return null;
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
