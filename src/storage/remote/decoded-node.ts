import { pipeline, type Readable, type Transform } from "node:stream";
import { constants, createBrotliDecompress, createGunzip, createInflate } from "node:zlib";

/** Bodies that a server compresses although it was asked not to, as fetch decodes them: what breaks off is told by its length. */

const { Z_SYNC_FLUSH, BROTLI_OPERATION_FLUSH } = constants;
const lenient = { flush: Z_SYNC_FLUSH, finishFlush: Z_SYNC_FLUSH };
const lenientBrotli = { flush: BROTLI_OPERATION_FLUSH, finishFlush: BROTLI_OPERATION_FLUSH };

const decoders = new Map<string, () => Transform>([
  ["gzip", () => createGunzip(lenient)],
  ["x-gzip", () => createGunzip(lenient)],
  ["deflate", () => createInflate(lenient)],
  ["br", () => createBrotliDecompress(lenientBrotli)],
]);

/** @param codings of Content-Encoding, in the order in which they were applied; with an unknown one the body stays as it is */
export function decoded(body: Readable, codings: string): Readable {
  const makers = codings.split(",").map((coding) => decoders.get(coding.trim()));
  if (makers.includes(undefined)) return body;
  const last = makers.reduceRight<Readable>((stream, make) => {
    const decoder = make!();
    // What fails is told by the stream at the end of the line.
    pipeline(stream, decoder, () => {});
    return decoder;
  }, body);
  // It may fail before anybody reads.
  last.on("error", () => {});
  return last;
}
