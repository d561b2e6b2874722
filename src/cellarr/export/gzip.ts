/** One gzip member, written as it comes. */

export type WriteBytes = (bytes: Uint8Array) => Promise<void>;

/** Compresses what `produce` writes into `write`; ends when all is written, or with the first error. */
export type Gzip = (write: WriteBytes, produce: (write: WriteBytes) => Promise<void>) => Promise<void>;

let platform: (() => Promise<Gzip>) | undefined;

/** For the Node entries: what compresses in the place of CompressionStream. */
export function setGzip(load: () => Promise<Gzip>): void {
  platform = load;
}

export async function loadGzip(): Promise<Gzip> {
  return platform === undefined ? streamGzip : platform();
}

/** CompressionStream chooses its level itself: zlib's 6. */
export const streamGzip: Gzip = async (write, produce) => {
  const stream = new CompressionStream("gzip");
  const input = stream.writable.getWriter();
  const output = stream.readable.getReader();
  const pump = async () => {
    for (let read = await output.read(); !read.done; read = await output.read()) await write(read.value);
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
};
