import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import type { Writable } from "node:stream";
import type { TextSink } from "../cellarr/export/text-file.js";
import { StorageError, throwIfAborted } from "../errors.js";
import { makeFolders } from "../storage/make-folders-node.js";

/** Where a command's answer goes: standard output, or a file that appears only when it is complete. */

/** Text is collected to about this many characters before it is handed to the stream. */
const CHUNK = 1 << 17;

export type { TextSink };

/** Writes to a stream in large pieces and waits while the stream is full. */
export class StreamSink implements TextSink {
  readonly #stream: Writable;
  readonly #signal: AbortSignal | undefined;
  #pending = "";

  constructor(stream: Writable, signal?: AbortSignal) {
    this.#stream = stream;
    this.#signal = signal;
  }

  write(text: string): Promise<void> | undefined {
    this.#pending += text;
    return this.#pending.length < CHUNK ? undefined : this.flush();
  }

  async flush(): Promise<void> {
    throwIfAborted(this.#signal);
    const text = this.#pending;
    this.#pending = "";
    if (text === "" || this.#stream.write(text)) return;
    await drained(this.#stream, this.#signal);
    throwIfAborted(this.#signal);
  }
}

function drained(stream: Writable, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (error?: Error): void => {
      stream.off("drain", done);
      stream.off("close", done);
      stream.off("error", reject);
      signal?.removeEventListener("abort", aborted);
      if (error) reject(error);
      else resolve();
    };
    const aborted = (): void => done();
    stream.once("drain", done);
    stream.once("close", done);
    stream.once("error", reject);
    signal?.addEventListener("abort", aborted, { once: true });
  });
}

/** Calls `produce` with a sink onto standard output or, with a path, onto a file; see `replaceFile`. */
export async function withTextSink(
  path: string | undefined,
  signal: AbortSignal | undefined,
  produce: (sink: TextSink) => Promise<void>,
): Promise<void> {
  if (path === undefined) {
    const sink = new StreamSink(process.stdout, signal);
    await produce(sink);
    await sink.flush();
    return;
  }
  await replaceFile(path, async (temporary) => {
    const stream = createWriteStream(temporary);
    const failed = new Promise<never>((_, reject) => stream.once("error", reject));
    const sink = new StreamSink(stream, signal);
    const work = produce(sink)
      .then(() => sink.flush())
      .then(() => closed(stream));
    try {
      await Promise.race([work, failed]);
    } catch (error) {
      work.catch(() => {});
      stream.destroy();
      throw error;
    }
    failed.catch(() => {});
  });
}

function closed(stream: Writable): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.once("error", reject);
    stream.end(resolve);
  });
}

/** Lets `produce` write a file beside `path` and puts it in place when that has worked; otherwise nothing is left. */
export async function replaceFile(
  path: string,
  produce: (temporary: string) => Promise<void>,
): Promise<void> {
  const temporary = `${path}.part-${process.pid}`;
  try {
    await produce(temporary);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw fileError(path, error);
  }
}

/** Makes the folder that several files go to. */
export async function makeOutputFolder(path: string): Promise<void> {
  try {
    await makeFolders(path);
  } catch (error) {
    throw fileError(path, error, "make the folder");
  }
}

function fileError(path: string, error: unknown, task = "write the file"): unknown {
  if (!(error instanceof Error) || !("syscall" in error)) return error;
  return new StorageError(`cannot ${task}: ${error.message}`, { where: path, cause: error });
}
