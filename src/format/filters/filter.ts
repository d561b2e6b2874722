import { FormatError } from "../../errors.js";
import type { Datatype } from "../datatype.js";
import type { FilterSpec } from "../filter-pipeline.js";

/**
 * What a filter is. A chunk of a tile runs through the filters of a pipeline in order on writing and in reverse
 * on reading. Besides its data a filter may put out metadata; on writing the metadata stay apart, one part per
 * filter, newest first, because compressors and checksums treat each part by itself. On reading they come as one
 * run of bytes, of which each filter takes its own from the front.
 */

/** One filter of a pipeline with what it needs to know about the cells. */
export interface FilterStep {
  readonly spec: FilterSpec;
  /** Type of the values that the filter takes in on writing; earlier filters may have changed it. */
  readonly datatype: Datatype;
  /** Bytes of one cell of the tile; of one value where cells have a variable length. */
  readonly cellBytes: number;
  /** Format version of the fragment. */
  readonly version: number;
  /**
   * Memory for data that a filter puts out on writing, not cleared, good until the next chunk. Only where the filters
   * after it keep no view of them.
   */
  readonly output?: ((bytes: number) => Uint8Array) | undefined;
}

/** Memory for what a filter puts out on writing. Not cleared where it is used again. */
export function memoryFor(step: FilterStep, bytes: number): Uint8Array {
  return step.output === undefined ? new Uint8Array(bytes) : step.output(bytes);
}

/** A chunk on its way through the pipeline, writing. */
export interface Filtered {
  /** Parts without bytes do not occur. */
  readonly metadata: readonly Uint8Array[];
  readonly data: Uint8Array;
}

/** A chunk on its way back, reading. */
export interface Stored {
  readonly metadata: Uint8Array;
  readonly data: Uint8Array;
}

/** Memory for what a filter puts out on reading; sizes that the chunk cannot have are refused with a FormatError. */
export interface Output {
  /** Memory for the data. Not cleared: the filter has to fill all of it. */
  data(bytes: number): Uint8Array;
  metadata(bytes: number): Uint8Array;
}

export interface Filter {
  /** Does not change its input, but may pass on views of it. */
  forward(input: Filtered, step: FilterStep): Filtered;
  /** What it puts out may be views of its input. */
  reverse(input: Stored, step: FilterStep, output: Output): Stored;
}

/** Compresses one part: a chunk's data, or the metadata of an earlier filter. */
export type Compress = (part: Uint8Array, step: FilterStep) => Uint8Array;

/** Fills all of `out` or throws a FormatError. */
export type Decompress = (part: Uint8Array, out: Uint8Array, step: FilterStep) => void;

/** The digest of some bytes. */
export type Digest = (bytes: Uint8Array) => Uint8Array;

const nothing = new Uint8Array(0);

/** The metadata that are left after a filter took its own from the front. */
export function restOf(metadata: Uint8Array, offset: number): Uint8Array {
  return offset === metadata.byteLength ? nothing : metadata.subarray(offset);
}

/** `own` before the metadata parts that were there. */
export function withMetadata(own: Uint8Array, parts: readonly Uint8Array[]): readonly Uint8Array[] {
  return own.byteLength === 0 ? parts : [own, ...parts];
}

/** Uint32 values as bytes, little-endian. */
export function u32Bytes(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < values.length; i++) view.setUint32(i * 4, values[i]!, true);
  return bytes;
}

/**
 * Calls `fill` with memory of that many bytes whose typed-array views of `width` bytes are aligned, and sees to
 * it that what was filled in is in `out`.
 */
export function fillAligned(out: Uint8Array, width: number, fill: (aligned: Uint8Array) => void): void {
  if (out.byteOffset % width === 0) {
    fill(out);
    return;
  }
  const aligned = new Uint8Array(out.byteLength);
  fill(aligned);
  out.set(aligned);
}

/** The list of part lengths that the shuffling filters write: number of parts, length of each (uint32). */
export function readPartLengths(filter: string, metadata: Uint8Array, dataBytes: number): Uint32Array {
  const view = new DataView(metadata.buffer, metadata.byteOffset, metadata.byteLength);
  const count = metadata.byteLength >= 4 ? view.getUint32(0, true) : 0;
  if (metadata.byteLength < 4 || count > (metadata.byteLength - 4) / 4) {
    throw new FormatError(`${filter} filter: ${metadata.byteLength} bytes of metadata for ${count} parts`);
  }
  const lengths = new Uint32Array(count);
  let total = 0;
  for (let i = 0; i < count; i++) {
    lengths[i] = view.getUint32(4 + i * 4, true);
    total += lengths[i]!;
  }
  if (total !== dataBytes) {
    throw new FormatError(`${filter} filter: expected parts of ${dataBytes} bytes in all, found ${total}`);
  }
  return lengths;
}
