/**
 * Protocol buffers, writing: a field is a varint of number and wire type (0: varint, 2: length and bytes, 5: 4 bytes),
 * then its value. Parts are kept, not copied, until the whole message is asked for.
 */

const encoder = new TextEncoder();

export class ProtobufWriter {
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  /** Bytes so far. */
  get length(): number {
    return this.#length;
  }

  /** A whole number from 0 on. */
  integer(field: number, value: number): this {
    this.#varint(field * 8);
    return this.#varint(value);
  }

  float(field: number, value: number): this {
    this.#varint(field * 8 + 5);
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    return this.#add(bytes);
  }

  text(field: number, value: string): this {
    return this.bytes(field, encoder.encode(value));
  }

  bytes(field: number, value: Uint8Array): this {
    this.#varint(field * 8 + 2);
    this.#varint(value.length);
    return this.#add(value);
  }

  message(field: number, message: ProtobufWriter): this {
    this.#varint(field * 8 + 2);
    this.#varint(message.#length);
    for (const part of message.#parts) this.#add(part);
    return this;
  }

  finish(): Uint8Array {
    const bytes = new Uint8Array(this.#length);
    let at = 0;
    for (const part of this.#parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  }

  #varint(value: number): this {
    const bytes: number[] = [];
    let rest = value;
    while (rest > 127) {
      bytes.push((rest % 128) + 128);
      rest = Math.floor(rest / 128);
    }
    return this.#add(Uint8Array.from([...bytes, rest]));
  }

  #add(part: Uint8Array): this {
    this.#parts.push(part);
    this.#length += part.length;
    return this;
  }
}
