/**
 * Bits from the lowest of each byte up, as Zstandard's entropy coders write them: decoders read them from the end, where
 * a last bit of 1 marks it (RFC 8878, section 4.1).
 */
export class BitWriter {
  readonly bytes: Uint8Array;
  readonly #start: number;
  #at: number;
  #pending = 0;
  #count = 0;

  /** @param start where in `bytes` writing begins; there has to be room for what comes and 4 bytes */
  constructor(bytes: Uint8Array, start: number) {
    this.bytes = bytes;
    this.#start = start;
    this.#at = start;
  }

  /** At most 16 bits; those of `value` above `count` have to be 0. */
  add(value: number, count: number): void {
    this.#pending |= value << this.#count;
    this.#count += count;
    while (this.#count >= 8) {
      this.bytes[this.#at++] = this.#pending;
      this.#pending >>>= 8;
      this.#count -= 8;
    }
  }

  /** Fills the last byte with zeros. Returns the bytes written. */
  finish(): number {
    if (this.#count > 0) this.bytes[this.#at++] = this.#pending;
    this.#count = this.#pending = 0;
    return this.#at - this.#start;
  }

  /** Writes the mark of the end. Returns the bytes written. */
  close(): number {
    this.add(1, 1);
    return this.finish();
  }
}
