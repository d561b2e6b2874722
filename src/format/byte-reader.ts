import { FormatError } from "../errors.js";
import { plainBytes } from "../util/typed-arrays.js";

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * A bounds-checked cursor over the bytes of one structure, little-endian. Reading past the end throws a FormatError
 * that names the structure, the field and the offset; nothing is ever padded.
 */
export class ByteReader {
  readonly bytes: Uint8Array;
  /** What is being read, for errors: "array schema", "fragment footer". */
  readonly structure: string;
  /** File that the bytes come from, for errors. */
  readonly where: string | undefined;
  /** Offset of the next byte to read. */
  offset: number;
  readonly #view: DataView;

  constructor(bytes: Uint8Array, structure: string, where?: string, offset = 0) {
    this.bytes = plainBytes(bytes);
    this.structure = structure;
    this.where = where;
    this.offset = offset;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get remaining(): number {
    return this.bytes.byteLength - this.offset;
  }

  u8(field: string): number {
    return this.#view.getUint8(this.#take(1, field));
  }

  /** A byte that must be 0 or 1. */
  flag(field: string): boolean {
    const at = this.offset;
    const value = this.u8(field);
    if (value > 1) throw this.error(`expected 0 or 1 for ${field} at offset ${at}, found ${value}`);
    return value === 1;
  }

  u16(field: string): number {
    return this.#view.getUint16(this.#take(2, field), true);
  }

  u32(field: string): number {
    return this.#view.getUint32(this.#take(4, field), true);
  }

  i32(field: string): number {
    return this.#view.getInt32(this.#take(4, field), true);
  }

  f32(field: string): number {
    return this.#view.getFloat32(this.#take(4, field), true);
  }

  f64(field: string): number {
    return this.#view.getFloat64(this.#take(8, field), true);
  }

  /** A uint64 that is a size, count or offset: a number, which must not exceed 2^53 - 1. */
  u64n(field: string): number {
    const at = this.offset;
    const low = this.u32(field);
    const high = this.u32(field);
    if (high > 0x1fffff) {
      throw this.error(`${field} at offset ${at} is ${this.#view.getBigUint64(at, true)}, beyond 2^53 - 1`);
    }
    return high * 0x100000000 + low;
  }

  /** A uint64 that is a value, kept whole. */
  u64(field: string): bigint {
    return this.#view.getBigUint64(this.#take(8, field), true);
  }

  /**
   * A count of things that take at least `bytesEach` bytes of what remains; checked here so that no memory is
   * taken for a count that the bytes cannot hold.
   */
  count(field: string, width: 4 | 8, bytesEach: number): number {
    const at = this.offset;
    const count = width === 4 ? this.u32(field) : this.u64n(field);
    if (count * bytesEach > this.remaining) {
      throw this.error(
        `${field} at offset ${at} is ${count}, needing at least ${count * bytesEach} bytes, ${this.remaining} left`,
      );
    }
    return count;
  }

  /** The next `length` bytes, a view over the same memory. */
  take(length: number, field: string): Uint8Array {
    const at = this.#take(length, field);
    return this.bytes.subarray(at, at + length);
  }

  skip(length: number, field: string): void {
    this.#take(length, field);
  }

  /** `length` bytes as UTF-8 text. */
  text(length: number, field: string): string {
    return utf8.decode(this.take(length, field));
  }

  /** A length of `width` bytes followed by that many bytes of UTF-8 text. */
  sizedText(width: 4 | 8, field: string): string {
    const length = width === 4 ? this.u32(`length of ${field}`) : this.u64n(`length of ${field}`);
    return this.text(length, field);
  }

  /** Throws if bytes are left over. */
  end(): void {
    if (this.remaining > 0) throw this.error(`${this.remaining} unexpected bytes at offset ${this.offset}`);
  }

  error(message: string): FormatError {
    return new FormatError(
      `${this.structure}: ${message}`,
      this.where === undefined ? {} : { where: this.where },
    );
  }

  #take(length: number, field: string): number {
    const at = this.offset;
    if (!(length >= 0) || length > this.remaining) {
      throw this.error(`expected ${length} bytes for ${field} at offset ${at}, ${this.remaining} left`);
    }
    this.offset = at + length;
    return at;
  }
}
