import { platformGzip, type WriteBytes } from "./gzip.js";
import { streamGzip } from "./gzip-stream.js";
import { type Place, withWriter } from "./place.js";

/** Text into a value of a store, plain or gzipped. */

/** Text is collected to about this many characters before it is encoded. */
const PIECE = 1 << 17;

export type { WriteBytes };

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
  const gzip = options.gzip ? ((await platformGzip()) ?? streamGzip) : undefined;
  await withWriter(place, options.signal, async (writer) => {
    const write: WriteBytes = (bytes) => writer.write(bytes);
    if (gzip === undefined) await withSink(write, produce);
    else await gzip(write, (zipped) => withSink(zipped, produce));
  });
}

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
