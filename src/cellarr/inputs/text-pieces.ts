import { FormatError, isCellarrError, StorageError, throwIfAborted } from "../../errors.js";
import type { ReadableStore } from "../../storage/types.js";

/** A file of text, gzipped or not, piece by piece: memory does not grow with its size. */

const PIECE = 1 << 20;

export interface TextFile {
  readonly store: ReadableStore;
  readonly key: string;
  readonly size: number;
}

export function whereOf({ store, key }: TextFile): string {
  return `${store.uri}/${key}`;
}

/** Decompressed bytes; pieces are views that are valid until the next one. Files that end with .gz are gzipped. */
export async function* textPieces(file: TextFile, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  if (!file.key.endsWith(".gz")) {
    yield* storedPieces(file, signal);
    return;
  }
  try {
    yield* inflated(storedPieces(file, signal));
  } catch (error) {
    if (isCellarrError(error)) throw error;
    throw new FormatError(`not whole as gzip: ${error instanceof Error ? error.message : error}`, {
      where: whereOf(file),
      cause: error,
    });
  }
}

async function* storedPieces(file: TextFile, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const { store, key, size } = file;
  for (let start = 0; start < size; start += PIECE) {
    throwIfAborted(signal);
    const bytes = await store.getRange(key, { start, end: Math.min(size, start + PIECE) }, { signal });
    if (bytes === undefined) throw new StorageError("file is gone", { where: whereOf(file) });
    yield bytes;
  }
}

async function* inflated(pieces: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  const stream = new DecompressionStream("gzip");
  const writer = stream.writable.getWriter();
  const reader = (stream.readable as ReadableStream<Uint8Array>).getReader();
  let failure: unknown;
  const feed = async (): Promise<void> => {
    try {
      for await (const piece of pieces) await writer.write(piece as Uint8Array<ArrayBuffer>);
      await writer.close();
    } catch (error) {
      failure ??= error;
      await writer.abort(error).catch(() => {});
    }
  };
  const fed = feed();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      yield value;
    }
  } catch (error) {
    // What stopped the feeding explains more than the stream that it broke.
    await fed;
    throw isCellarrError(failure) ? failure : error;
  } finally {
    await reader.cancel().catch(() => {});
  }
  await fed;
  if (failure !== undefined) throw failure;
}
