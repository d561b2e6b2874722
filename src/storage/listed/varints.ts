import { FormatError } from "../../errors.js";

/** Numbers below 2^53 in as many bytes as they need: 7 bits each, the lowest first, the highest bit set if more follow. */

export class VarintWriter {
  #bytes = new Uint8Array(4096);
  #length = 0;

  number(value: number): void {
    let left = value;
    while (left >= 128) {
      this.#byte((left % 128) + 128);
      left = Math.floor(left / 128);
    }
    this.#byte(left);
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.byteLength);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.byteLength;
  }

  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.byteLength) return;
    const grown = new Uint8Array(Math.max(this.#bytes.byteLength * 2, this.#length + count));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

export class VarintReader {
  readonly #bytes: Uint8Array;
  readonly #where: string;
  #at: number;

  constructor(bytes: Uint8Array, at: number, where: string) {
    this.#bytes = bytes;
    this.#at = at;
    this.#where = where;
  }

  get remaining(): number {
    return this.#bytes.byteLength - this.#at;
  }

  number(field: string): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw this.error(`ends within ${field}`);
      value += (byte % 128) * factor;
      if (value > Number.MAX_SAFE_INTEGER) throw this.error(`${field} is beyond 2^53`);
      if (byte < 128) return value;
    }
  }

  /** A number of things that take at least `least` bytes each. */
  count(field: string, least: number): number {
    const count = this.number(field);
    if (count * least <= this.remaining) return count;
    throw this.error(`claims ${count} ${field}, ${this.remaining} bytes are left`);
  }

  /** A view of the next bytes. */
  bytes(length: number, field: string): Uint8Array {
    if (length > this.remaining) {
      throw this.error(`claims ${length} bytes of ${field}, ${this.remaining} are left`);
    }
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  error(problem: string): FormatError {
    return new FormatError(`index file: ${problem}`, { where: this.#where });
  }
}
