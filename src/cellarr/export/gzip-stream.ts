import type { Gzip } from "./gzip.js";

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
