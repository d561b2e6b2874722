import { ArgumentError, LimitError } from "../../errors.js";
import { concatBytes } from "../../util/typed-arrays.js";
import type { StoreWriter } from "../types.js";

/**
 * Writes a zip file whose entries are stored as they are, so that ranges of them can be read (APPNOTE.TXT 6.3; records
 * as in `zip-directory.ts`). Sizes and checksums stand before the data; numbers beyond 32 bits go into zip64 fields. Dates
 * are 1980-01-01: the same store gives the same file.
 */

interface WrittenEntry {
  readonly name: Uint8Array;
  readonly isUtf8: boolean;
  readonly size: number;
  readonly crc: number;
  readonly offset: number;
}

const U16 = 0xffff;
const U32 = 0xffffffff;

const UTF8 = 0x0800;
const FIRST_DAY = 0x0021;

/** Version 2.0; 4.5 where there are zip64 fields. Made on Unix, so that the attributes below count. */
const VERSION = 20;
const VERSION_64 = 45;
const UNIX = 3 << 8;

/** A plain file that its owner may write and all may read. */
const ATTRIBUTES = 0o100644 * 2 ** 16;

/** The directory is written in pieces of so many entries. */
const ENTRIES_A_PIECE = 1000;

export class ZipWriter {
  readonly #out: StoreWriter;
  readonly #entries: WrittenEntry[] = [];
  #offset = 0;

  constructor(out: StoreWriter) {
    this.#out = out;
  }

  /** Begins an entry: exactly `size` bytes with that checksum are to follow by `write`. */
  async begin(key: string, size: number, crc: number): Promise<void> {
    const name = new TextEncoder().encode(key);
    if (name.byteLength > U16)
      throw new LimitError(`a name of ${name.byteLength} bytes; a zip file takes ${U16}`);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what is not ASCII is meant
    const entry = { name, isUtf8: /[^\x00-\x7f]/.test(key), size, crc, offset: this.#offset };
    this.#entries.push(entry);
    await this.#write(localHeader(entry));
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#write(bytes);
  }

  /** Writes the directory and closes the file. */
  async finish(): Promise<void> {
    const start = this.#offset;
    for (let at = 0; at < this.#entries.length; at += ENTRIES_A_PIECE) {
      await this.#write(concatBytes(this.#entries.slice(at, at + ENTRIES_A_PIECE).map(directoryEntry)));
    }
    await this.#write(endRecords(this.#entries.length, start, this.#offset - start));
    await this.#out.close();
  }

  async #write(bytes: Uint8Array): Promise<void> {
    await this.#out.write(bytes);
    this.#offset += bytes.byteLength;
  }
}

function localHeader({ name, isUtf8, size, crc }: WrittenEntry): Uint8Array {
  const isLarge = size >= U32;
  const record = new Record(30 + name.byteLength + (isLarge ? 20 : 0));
  record.u32(0x04034b50);
  record.u16(isLarge ? VERSION_64 : VERSION, isUtf8 ? UTF8 : 0, 0, 0, FIRST_DAY);
  record.u32(crc, isLarge ? U32 : size, isLarge ? U32 : size);
  record.u16(name.byteLength, isLarge ? 20 : 0);
  record.bytes(name);
  if (isLarge) {
    record.u16(1, 16);
    record.u64(size, size);
  }
  return record.done();
}

function directoryEntry({ name, isUtf8, size, crc, offset }: WrittenEntry): Uint8Array {
  const wide = [...(size >= U32 ? [size, size] : []), ...(offset >= U32 ? [offset] : [])];
  const extra = wide.length === 0 ? 0 : 4 + 8 * wide.length;
  const version = extra > 0 ? VERSION_64 : VERSION;
  const record = new Record(46 + name.byteLength + extra);
  record.u32(0x02014b50);
  record.u16(version | UNIX, version, isUtf8 ? UTF8 : 0, 0, 0, FIRST_DAY);
  record.u32(crc, Math.min(size, U32), Math.min(size, U32));
  record.u16(name.byteLength, extra, 0, 0, 0);
  record.u32(ATTRIBUTES, Math.min(offset, U32));
  record.bytes(name);
  if (extra > 0) {
    record.u16(1, 8 * wide.length);
    record.u64(...wide);
  }
  return record.done();
}

function endRecords(entries: number, offset: number, bytes: number): Uint8Array {
  const isLarge = entries >= U16 || offset >= U32 || bytes >= U32;
  const record = new Record(22 + (isLarge ? 76 : 0));
  if (isLarge) {
    record.u32(0x06064b50);
    record.u64(44);
    record.u16(VERSION_64 | UNIX, VERSION_64);
    record.u32(0, 0);
    record.u64(entries, entries, bytes, offset);
    record.u32(0x07064b50, 0);
    record.u64(offset + bytes);
    record.u32(1);
  }
  record.u32(0x06054b50);
  record.u16(0, 0, Math.min(entries, U16), Math.min(entries, U16));
  record.u32(Math.min(bytes, U32), Math.min(offset, U32));
  record.u16(0);
  return record.done();
}

/** Little-endian numbers one after the other. */
class Record {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(length: number) {
    this.#bytes = new Uint8Array(length);
    this.#view = new DataView(this.#bytes.buffer);
  }

  u16(...values: readonly number[]): void {
    for (const value of values) {
      this.#view.setUint16(this.#at, value, true);
      this.#at += 2;
    }
  }

  u32(...values: readonly number[]): void {
    for (const value of values) {
      this.#view.setUint32(this.#at, value, true);
      this.#at += 4;
    }
  }

  u64(...values: readonly number[]): void {
    for (const value of values) this.u32(value % 2 ** 32, Math.floor(value / 2 ** 32));
  }

  bytes(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.byteLength;
  }

  done(): Uint8Array {
    if (this.#at !== this.#bytes.byteLength)
      throw new ArgumentError("a record has another length than was said");
    return this.#bytes;
  }
}
