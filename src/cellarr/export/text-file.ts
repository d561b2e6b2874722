import type { StoreWriter } from "../../storage/types.js";
import { type Place, withWriter } from "./place.js";

/** Text into a value of a store, plain or gzipped. */

/** Text is collected to about this many characters before it is encoded. */
const PIECE = 1 << 17;

/** Collects text and writes it in large pieces. */
export interface TextSink {
  /** Appends text; the promise, where there is one, must be awaited before the next call. */
  write(text: string): Promise<void> | undefined;
}

export async function writeTextFile(
  place: Place,
  options: { readonly signal?: AbortSignal | undefined; readonly gzip?: boolean },
  produce: (sink: TextSink) => Promise<void>,
): Promise<void> {
  await withWriter(place, options.signal, async (writer) => {
    if (options.gzip) await gzipInto(writer, (zipped) => withSink(zipped, produce));
    else await withSink((bytes) => writer.write(bytes), produce);
  });
}

export type WriteBytes = (bytes: Uint8Array) => Promise<void>;

/** Hands what `produce` writes to `write` as UTF-8, in large pieces. */
export async function withSink(write: WriteBytes, produce: (sink: TextSink) => Promise<void>): Promise<void> {
  const encoder = new TextEncoder();
  let pending = "";
  const flush = (): Promise<void> => {
    const bytes = encoder.encode(pending);
    pending = "";
    return write(bytes);
  };
  await produce({
    write(text) {
      pending += text;
      return pending.length < PIECE ? undefined : flush();
    },
  });
  await flush();
}

/** One gzip member of what `produce` writes; the platform compresses. */
async function gzipInto(writer: StoreWriter, produce: (write: WriteBytes) => Promise<void>): Promise<void> {
  const stream = new CompressionStream("gzip");
  const input = stream.writable.getWriter();
  const output = stream.readable.getReader();
  const pump = async () => {
    for (let read = await output.read(); !read.done; read = await output.read()) {
      await writer.write(read.value);
    }
  };
  const fill = async () => {
    await produce((bytes) => input.write(new Uint8Array(bytes)));
    await input.close();
  };
  try {
    await Promise.all([pump(), fill()]);
  } catch (error) {
    await Promise.allSettled([input.abort(error), output.cancel(error)]);
    throw error;
  }
}
