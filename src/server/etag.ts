import type { Format } from "./formats.js";

/** Entity tags: the store's state and the form of the answer. What is asked is in the URL already. */

/** Counts up when the same question to the same store is answered otherwise. */
const ANSWERS = 1;

/** Weak: what lies between may compress. */
export function tagOf(hash: string, format: Format): string {
  return `W/"${hash}-${ANSWERS}-${format}"`;
}

/** `If-None-Match`, compared weakly (RFC 9110, 13.1.2). */
export function matchesTag(header: string | null, tag: string): boolean {
  if (header === null) return false;
  const opaque = (text: string) => text.trim().replace(/^W\//, "");
  return header.trim() === "*" || header.split(",").some((one) => opaque(one) === opaque(tag));
}
