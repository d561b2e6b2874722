import { UnsupportedError } from "../../errors.js";

/** Throws UnsupportedError where the platform has no `crypto.subtle`. */
export function checkSubtle(): void {
  if (globalThis.crypto?.subtle !== undefined) return;
  throw new UnsupportedError(
    "requests cannot be signed: pages have crypto.subtle over https and on localhost only",
  );
}
