import { createCipheriv, createDecipheriv, createHash } from "node:crypto";
import { type Cipher, newIv } from "./encryption.js";
import type { Digest } from "./filter.js";

/** Digests and AES of node:crypto. */

export function digest(algorithm: string): Digest {
  return (bytes) => createHash(algorithm).update(bytes).digest();
}

const CIPHER = "aes-256-gcm";

export const nodeCipher: Cipher = {
  seal: (key, plain) => {
    const iv = newIv();
    const cipher = createCipheriv(CIPHER, key, iv);
    const data = cipher.update(plain);
    // In this mode nothing is left for the end.
    cipher.final();
    return { data, iv, tag: cipher.getAuthTag() };
  },
  open: (key, { data, iv, tag }) => {
    const decipher = createDecipheriv(CIPHER, key, iv);
    decipher.setAuthTag(tag);
    const plain = decipher.update(data);
    try {
      decipher.final();
    } catch {
      return null;
    }
    return plain;
  },
};
