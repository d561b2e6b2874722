import { bytesOf, type TypedArray } from "../util/typed-arrays.js";

/** Values that are appended to a dataset of one dimension, written by whole chunks: each is compressed once. */
export class GrowingNumbers {
  readonly #chunk: number;
  readonly #write: (bytes: Uint8Array, first: number, end: number) => void;
  #pending: TypedArray | null = null;
  #held = 0;
  #written = 0;

  /**
   * @param chunk values of a chunk
   * @param write puts bytes of the values from `first` to `end`, exclusive, into the dataset, which it extends
   */
  constructor(chunk: number, write: (bytes: Uint8Array, first: number, end: number) => void) {
    this.#chunk = chunk;
    this.#write = write;
  }

  /** Values appended until now. */
  get length(): number {
    return this.#written + this.#held;
  }

  append(values: TypedArray): void {
    let at = this.#fill(values, 0);
    const whole = at + Math.floor((values.length - at) / this.#chunk) * this.#chunk;
    if (whole > at) this.#put(values.subarray(at, whole));
    at = whole;
    if (at < values.length) this.#fill(values, at);
  }

  /** Writes what is left. */
  finish(): void {
    if (this.#pending !== null && this.#held > 0) this.#put(this.#pending.subarray(0, this.#held));
    this.#held = 0;
  }

  /** Fills the chunk that was begun, or begins one where less than a chunk is left; returns where to go on. */
  #fill(values: TypedArray, from: number): number {
    const left = values.length - from;
    if (this.#held === 0 && left >= this.#chunk) return from;
    const Type = values.constructor as new (length: number) => TypedArray;
    this.#pending ??= new Type(this.#chunk);
    const count = Math.min(left, this.#chunk - this.#held);
    copy(values.subarray(from, from + count), this.#pending, this.#held);
    this.#held += count;
    if (this.#held === this.#chunk) this.finish();
    return from + count;
  }

  #put(values: TypedArray): void {
    const end = this.#written + values.length;
    this.#write(bytesOf(values), this.#written, end);
    this.#written = end;
  }
}

/** Both of one type. */
function copy(from: TypedArray, to: TypedArray, at: number): void {
  bytesOf(to).set(bytesOf(from), at * to.BYTES_PER_ELEMENT);
}
