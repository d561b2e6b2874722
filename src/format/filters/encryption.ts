import { EncryptionError, UnsupportedError } from "../../errors.js";
import { concatBytes } from "../../util/typed-arrays.js";
import { ByteReader } from "../byte-reader.js";
import { ByteWriter } from "../byte-writer.js";
import type { Filter, Output, Stored } from "./filter.js";
import { restOf } from "./filter.js";

/**
 * Encryption filter (code 11, AES-256-GCM; format_spec/tile.md, "Encryption Filters"): the last one of every pipeline of
 * an encrypted array. It encrypts the metadata of earlier filters too, each part by itself. Its metadata:
 *
 * | field | type |
 * |---|---|
 * | number of metadata parts, of data parts | uint32, uint32 |
 * | of each part, metadata first: plain length, encrypted length | uint32, uint32 |
 * | and its initialization vector, its tag | 12 bytes, 16 bytes |
 */

const IV_BYTES = 12;
const TAG_BYTES = 16;
const PART_BYTES = 8 + IV_BYTES + TAG_BYTES;

/** Cipher text, which is as long as the plain text, with what deciphering it takes. */
export interface Sealed {
  readonly data: Uint8Array;
  /** 12 bytes, never twice with the same key. */
  readonly iv: Uint8Array;
  /** 16 bytes. */
  readonly tag: Uint8Array;
}

/** AES-256-GCM of one platform, without additional authenticated data; synchronous, which WebCrypto's is not. */
export interface Cipher {
  seal(key: Uint8Array, plain: Uint8Array): Sealed;
  /** Null where the tag does not fit: another key, or other bytes. */
  open(key: Uint8Array, sealed: Sealed): Uint8Array | null;
}

/** A vector for one part; random ones are what the official library takes too. */
export function newIv(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(IV_BYTES));
}

/** The filter with its key; without one it refuses. */
export function encryptionFilter(cipher: Cipher, key: Uint8Array | undefined): Filter {
  const keyOf = (): Uint8Array => {
    if (key !== undefined) return key;
    throw new UnsupportedError("aes_256_gcm filter: a pipeline of its own without a key");
  };
  return {
    forward: (input) => {
      const writer = new ByteWriter(128);
      writer.u32(input.metadata.length);
      writer.u32(1);
      const parts: Uint8Array[] = [];
      for (const part of [...input.metadata, input.data]) {
        const { data, iv, tag } = cipher.seal(keyOf(), part);
        writer.u32(part.byteLength);
        writer.u32(data.byteLength);
        writer.raw(iv);
        writer.raw(tag);
        parts.push(data);
      }
      return { metadata: [writer.finish()], data: concatBytes(parts) };
    },
    reverse: (input, _step, output) => reverse(input, output, cipher, keyOf()),
  };
}

function reverse(input: Stored, output: Output, cipher: Cipher, key: Uint8Array): Stored {
  const reader = new ByteReader(input.metadata, "aes_256_gcm filter");
  const metadataParts = reader.count("number of metadata parts", 4, PART_BYTES);
  const dataParts = reader.count("number of data parts", 4, PART_BYTES);
  let at = 0;
  const readParts = (count: number): Uint8Array[] => {
    const parts: Uint8Array[] = [];
    for (let i = 0; i < count; i++) {
      const plainLength = reader.u32("plain length");
      const length = reader.u32("encrypted length");
      const iv = reader.take(IV_BYTES, "initialization vector");
      const tag = reader.take(TAG_BYTES, "tag");
      if (length !== plainLength || length > input.data.byteLength - at) {
        throw reader.error(
          `${length} encrypted bytes of ${plainLength}, ${input.data.byteLength - at} left in the chunk`,
        );
      }
      const plain = cipher.open(key, { data: input.data.subarray(at, at + length), iv, tag });
      if (plain === null) {
        throw new EncryptionError("does not decrypt: the encryption key is wrong, or the bytes were changed");
      }
      parts.push(plain);
      at += length;
    }
    return parts;
  };
  const metadata = readParts(metadataParts);
  const data = readParts(dataParts);
  if (at !== input.data.byteLength)
    throw reader.error(`${input.data.byteLength - at} bytes after the last part`);
  return {
    // What follows its own metadata would be another filter's; the official library leaves none.
    metadata: concatBytes([...metadata, restOf(input.metadata, reader.offset)]),
    data: joined(data, output),
  };
}

function joined(parts: readonly Uint8Array[], output: Output): Uint8Array {
  const size = parts.reduce((sum, part) => sum + part.byteLength, 0);
  const data = output.data(size);
  let at = 0;
  for (const part of parts) {
    data.set(part, at);
    at += part.byteLength;
  }
  return data;
}
