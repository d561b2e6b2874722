import { AbortedError, throwIfAborted } from "../errors.js";
import { concatBytes } from "../util/typed-arrays.js";
import { RequestLimitError } from "./problem.js";

/**
 * Bodies that are made piece by piece. An answer is held back until it is complete or has grown to `HELD` bytes: what fails
 * until then gets a status of its own, and short answers have a length. What is longer streams, as fast as it is
 * read; what fails then breaks the stream off, so that nobody takes a part for the whole.
 */

const HELD = 2 ** 20;

export type Produce = (write: (bytes: Uint8Array) => Promise<void>) => Promise<void>;

export interface BodyOptions {
  readonly maxBytes: number;
  /** Ends what produces, and is fired by `cancel`. */
  readonly signal: AbortSignal;
  /** Called when the reader of a stream goes away. */
  readonly cancel: (reason: unknown) => void;
  /** Told why a stream broke off. */
  readonly onBroken: (error: unknown) => void;
}

export function makeBody(
  produce: Produce,
  options: BodyOptions,
): Promise<Uint8Array | ReadableStream<Uint8Array>> {
  const { maxBytes } = options;
  return new Promise((resolve, reject) => {
    let held: Uint8Array[] = [];
    let size = 0;
    let stream: PulledStream | undefined;
    const write = async (bytes: Uint8Array): Promise<void> => {
      throwIfAborted(options.signal);
      size += bytes.byteLength;
      if (size > maxBytes) {
        throw new RequestLimitError("bytes", maxBytes, `the answer has more than ${maxBytes} bytes`);
      }
      if (stream !== undefined) return stream.write(bytes);
      held.push(bytes);
      if (size <= HELD) return;
      stream = new PulledStream(options);
      resolve(stream.readable);
      const parts = held;
      held = [];
      for (const part of parts) await stream.write(part);
    };
    produce(write).then(
      () => (stream === undefined ? resolve(concatBytes(held)) : stream.close()),
      (error: unknown) => {
        if (stream === undefined) return reject(error);
        stream.fail(error);
        options.onBroken(error);
      },
    );
  });
}

/** A stream whose writer waits until the reader asks for more. */
class PulledStream {
  readonly readable: ReadableStream<Uint8Array>;
  readonly #signal: AbortSignal;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #wake: (() => void) | undefined;
  #cancelled = false;

  constructor({ signal, cancel }: BodyOptions) {
    this.#signal = signal;
    signal.addEventListener("abort", () => this.#wake?.(), { once: true });
    this.readable = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
      },
      pull: () => this.#wake?.(),
      cancel: (reason) => {
        this.#cancelled = true;
        cancel(reason);
        this.#wake?.();
      },
    });
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#check();
    this.#controller!.enqueue(bytes);
    if (this.#controller!.desiredSize! > 0) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = undefined;
    this.#check();
  }

  close(): void {
    if (!this.#cancelled) this.#controller!.close();
  }

  /** The reader learns that it broke off, not why: messages may name places. */
  fail(error: unknown): void {
    if (this.#cancelled) return;
    const told = error instanceof RequestLimitError ? error : new Error("the answer broke off");
    this.#controller!.error(told);
  }

  #check(): void {
    throwIfAborted(this.#signal);
    if (this.#cancelled) throw new AbortedError("the reader of the answer has gone");
  }
}
