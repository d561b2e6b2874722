import type { ReusedArrays } from "../util/reused-arrays.js";
import type { TypedArray } from "../util/typed-arrays.js";
import type { H5Dataset } from "./h5-dataset.js";

/** Elements that a window holds at least, where the dataset is chunked. */
const WINDOW = 1 << 19;

/**
 * Reads a dataset of one dimension front to back in ranges of any size. Chunks are read once each: what a range
 * leaves of the last one is kept for the next. Holds a window of whole chunks, 512 Ki elements or one chunk.
 */
export class SequentialReader<T extends TypedArray> {
  private readonly dataset: H5Dataset;
  private readonly convert: (values: TypedArray) => T;
  private window: T | undefined;
  private windowStart = 0;

  constructor(dataset: H5Dataset, convert: (values: TypedArray) => T) {
    this.dataset = dataset;
    this.convert = convert;
  }

  /** Elements [start, end), in an array of their own, or one of `memory` with that name. */
  read(start: number, end: number, memory?: ReusedArrays, name = ""): T {
    const chunk = this.dataset.chunkRows;
    if (chunk === null || this.dataset.keepsChunk) {
      return this.convert(this.dataset.numbers(start, end, memory, name));
    }
    const head = this.fromWindow(start, end);
    const from = start + (head?.length ?? 0);
    if (head !== undefined && from === end) return head.slice() as T;
    // Whole chunks go straight to the caller, the last one by the window.
    const border = end === this.dataset.rows ? end : Math.max(from, end - (end % chunk));
    const parts: T[] = head === undefined ? [] : [head];
    if (border > from || border === end) parts.push(this.convert(this.dataset.numbers(from, border)));
    if (border < end) {
      this.fill(border - (border % chunk), chunk);
      const tail = this.fromWindow(border, end);
      if (tail !== undefined) parts.push(tail);
    }
    return joined(parts, end - start);
  }

  private fill(start: number, chunk: number): void {
    const length = Math.ceil(WINDOW / chunk) * chunk;
    const end = Math.min(this.dataset.rows, start + length);
    this.window = this.convert(this.dataset.numbers(start, end));
    this.windowStart = start;
  }

  /** What the window holds of [start, end) from `start` on. */
  private fromWindow(start: number, end: number): T | undefined {
    const { window, windowStart } = this;
    if (window === undefined || start < windowStart || start >= windowStart + window.length) return undefined;
    return window.subarray(start - windowStart, end - windowStart) as T;
  }
}

function joined<T extends TypedArray>(parts: readonly T[], length: number): T {
  const first = parts[0]!;
  if (parts.length === 1)
    return first.length === first.buffer.byteLength / first.BYTES_PER_ELEMENT ? first : (first.slice() as T);
  const all = first.slice(0, 0);
  const Type = all.constructor as new (length: number) => T;
  const result = new Type(length);
  let at = 0;
  for (const part of parts) {
    (result as Float64Array).set(part as Float64Array, at);
    at += part.length;
  }
  return result;
}
