import { gcm } from "@noble/ciphers/aes.js";
import { concatBytes } from "../../util/typed-arrays.js";
import { type Cipher, newIv } from "./encryption.js";

const TAG_BYTES = 16;

/** The portable AES-256-GCM. */
export const portableCipher: Cipher = {
  seal: (key, plain) => {
    const iv = newIv();
    const bytes = gcm(key, iv).encrypt(plain);
    const end = bytes.byteLength - TAG_BYTES;
    return { data: bytes.subarray(0, end), iv, tag: bytes.subarray(end) };
  },
  open: (key, { data, iv, tag }) => {
    const stored = concatBytes([data, tag]);
    try {
      return gcm(key, iv).decrypt(stored);
    } catch {
      // Lengths are right by now, so this is the tag.
      return null;
    }
  },
};
