import { md5 } from "@noble/hashes/legacy.js";
import { sha256 } from "@noble/hashes/sha2.js";
import type { Digest } from "./filter.js";

/** Portable digests; synchronous, which WebCrypto's are not. */
export const md5Digest: Digest = (bytes) => md5(bytes);
export const sha256Digest: Digest = (bytes) => sha256(bytes);
