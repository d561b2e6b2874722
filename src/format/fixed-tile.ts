import { ArgumentError, CellarrError, EncryptionError, FormatError, LimitError } from "../errors.js";
import { ByteReader } from "./byte-reader.js";
import type { Filtered } from "./filters/filter.js";
import { type LoadedPipeline, runForward, runReverse } from "./filters/pipeline.js";

/**
 * Tile of cells of fixed size (format_spec/tile.md): cells of one field, in chunks, each filtered by itself.
 *
 * | field | type |
 * |---|---|
 * | number of chunks | uint64 |
 * | of each chunk: original length, filtered length, length of metadata | uint32, uint32, uint32 |
 * | metadata, filtered data | bytes |
 *
 * Since version 11 no chunk splits a cell. Tiles of variable-length cells are in var-tile.ts.
 */

const CHUNK_HEADER = 12;

/**
 * No compressor makes more than this of a byte: run lengths of 65,535 cells in a few bytes, Zstandard and bzip2 some
 * 45,000. A chunk that claims more is corrupt.
 */
const MAX_RATIO = 100_000;

/** WebP takes some 50 bytes for a picture of one colour, however large; its filter compares the size of the picture. */
const ratioOf = ({ steps }: LoadedPipeline): number =>
  steps.some((step) => step.spec.type === "webp") ? Number.POSITIVE_INFINITY : MAX_RATIO;

/**
 * Undoes the filters of a tile with cells of fixed size. Synchronous: filters were loaded with the pipeline.
 *
 * @param stored the tile's bytes in the file, exactly
 * @param size bytes of the tile when unfiltered, exactly
 * @param where file, for errors
 * @param into memory to decode into, `size` bytes; best with a byteOffset that is a multiple of 8
 * @returns `into`, or memory of its own: never a view of `stored`
 * @throws FormatError where the bytes are not such a tile, or a checksum does not hold
 */
export function decodeTile(
  stored: Uint8Array,
  pipeline: LoadedPipeline,
  size: number,
  where?: string,
  into?: Uint8Array,
): Uint8Array {
  if (into !== undefined && into.byteLength !== size) {
    throw new ArgumentError(`decodeTile: expected ${size} bytes to decode into, got ${into.byteLength}`);
  }
  const chunks = checkChunks(stored, size, where, ratioOf(pipeline));
  const out = into ?? allocateTile(size, where);
  const reader = new ByteReader(stored, "tile", where, 8);
  let at = 0;
  for (let i = 0; i < chunks; i++) {
    const original = reader.u32("original length");
    decodeChunk(reader, pipeline, out.subarray(at, at + original), i, where);
    at += original;
  }
  return out;
}

/** Reads the chunk's other lengths and its bytes, and decodes them into `target`. */
function decodeChunk(
  reader: ByteReader,
  pipeline: LoadedPipeline,
  target: Uint8Array,
  index: number,
  where: string | undefined,
): void {
  const filtered = reader.u32("filtered length");
  const metadataLength = reader.u32("length of metadata");
  const metadata = reader.take(metadataLength, "chunk metadata");
  const data = reader.take(filtered, "chunk data");
  locateErrors(index, where, () => runReverse(pipeline, { metadata, data }, target, target.byteLength));
}

/** Adds chunk and file to the errors of filters, which know neither. */
export function locateErrors<T>(index: number, where: string | undefined, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof CellarrError) || error.where !== undefined) throw error;
    const message = `tile, chunk ${index}: ${error.message}`;
    const details = where === undefined ? { cause: error } : { cause: error, where };
    if (error instanceof LimitError) throw new LimitError(message, details);
    if (error instanceof EncryptionError) throw new EncryptionError(message, details);
    throw new FormatError(message, details);
  }
}

/**
 * Checks that the chunks fill `stored` and come to `size` bytes, before any memory is taken; returns their number.
 */
export function checkChunks(
  stored: Uint8Array,
  size: number,
  where: string | undefined,
  maxRatio = MAX_RATIO,
): number {
  const reader = new ByteReader(stored, "tile", where);
  const chunks = reader.count("number of chunks", 8, CHUNK_HEADER);
  let total = 0;
  for (let i = 0; i < chunks; i++) {
    const original = reader.u32("original length");
    const bytes = reader.u32("filtered length") + reader.u32("length of metadata");
    reader.skip(bytes, `chunk ${i}`);
    total += original;
    if (original > 65536 && original > bytes * maxRatio) {
      throw reader.error(`chunk ${i} claims ${original} bytes, but takes only ${bytes}`);
    }
  }
  reader.end();
  if (total !== size) throw reader.error(`expected ${size} bytes of cells, found chunks of ${total}`);
  return chunks;
}

/** Memory for `size` bytes, or a LimitError. */
function allocateTile(size: number, where?: string): Uint8Array {
  try {
    return new Uint8Array(size);
  } catch (cause) {
    throw new LimitError(
      `tile: cannot take ${size} bytes`,
      where === undefined ? { cause } : { cause, where },
    );
  }
}

/**
 * Filters a tile with cells of fixed size.
 *
 * @param data the cells' bytes
 * @param pipeline loaded with `{ encode: true }`
 * @param cellBytes bytes of a cell: chunks do not split cells
 */
export function encodeTile(data: Uint8Array, pipeline: LoadedPipeline, cellBytes: number): Uint8Array {
  const chunk = chunkBytes(data.byteLength, cellBytes, pipeline.maxChunkSize);
  const ends: number[] = [];
  for (let at = 0; at < data.byteLength; ) {
    at = Math.min(data.byteLength, at + chunk);
    ends.push(at);
  }
  return encodeChunks(data, ends, pipeline);
}

/** Bytes of a chunk: whole cells, at least one. */
function chunkBytes(size: number, cellBytes: number, maxChunkSize: number): number {
  const most = maxChunkSize === 0 ? size : Math.min(maxChunkSize, size);
  const chunk = Math.max(Math.floor(most / cellBytes) * cellBytes, cellBytes);
  if (chunk > 0xffffffff) throw new LimitError(`tile: a chunk of ${chunk} bytes, at most 4,294,967,295`);
  return chunk;
}

/** Filters the chunks that end at `ends` (exclusive, the last is the end of the data) and puts them together. */
export function encodeChunks(
  data: Uint8Array,
  ends: readonly number[],
  pipeline: LoadedPipeline,
): Uint8Array {
  const chunks: Filtered[] = [];
  const lengths: number[] = [];
  let start = 0;
  for (const end of ends) {
    chunks.push(runForward(pipeline.steps, { metadata: [], data: data.subarray(start, end) }));
    lengths.push(end - start);
    start = end;
  }
  return joinChunks(chunks, lengths);
}

/** The tile of chunks that have been filtered; `lengths` are their unfiltered bytes. */
export function joinChunks(chunks: readonly Filtered[], lengths: readonly number[]): Uint8Array {
  let size = 8;
  for (const chunk of chunks) size += CHUNK_HEADER + metadataLength(chunk) + chunk.data.byteLength;
  const tile = allocateTile(size);
  const view = new DataView(tile.buffer);
  view.setUint32(0, chunks.length, true);
  let at = 8;
  for (let i = 0; i < chunks.length; i++) {
    const chunk = chunks[i]!;
    view.setUint32(at, lengths[i]!, true);
    view.setUint32(at + 4, chunk.data.byteLength, true);
    view.setUint32(at + 8, metadataLength(chunk), true);
    at += CHUNK_HEADER;
    for (const part of [...chunk.metadata, chunk.data]) {
      tile.set(part, at);
      at += part.byteLength;
    }
  }
  return tile;
}

function metadataLength(chunk: Filtered): number {
  let length = 0;
  for (const part of chunk.metadata) length += part.byteLength;
  return length;
}
