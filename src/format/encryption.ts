import { ArgumentError } from "../errors.js";

/**
 * Encryption of arrays: AES-256-GCM with one key for the whole array. The numbers of `EncryptionType` stand in generic
 * tiles; the schema does not say that its fields are encrypted, the generic tile that it lies in does.
 */
export const ENCRYPTION_NONE = 0;
export const ENCRYPTION_AES_256_GCM = 1;

const KEY_BYTES = 32;

/** A key as callers give it: 32 bytes, or a text whose UTF-8 form has that many. */
export type EncryptionKey = string | Uint8Array;

/** The key's bytes, a copy; ArgumentError unless there are 32. The key itself is in no error. */
export function encryptionKeyBytes(key: EncryptionKey): Uint8Array {
  const bytes = typeof key === "string" ? new TextEncoder().encode(key) : key.slice();
  if (bytes.byteLength === KEY_BYTES) return bytes;
  throw new ArgumentError(
    `encryption key of ${bytes.byteLength} bytes, expected ${KEY_BYTES} (AES-256-GCM has no other)`,
  );
}
