import { ArgumentError } from "../errors.js";

/**
 * Keys: relative, `/`-separated names without empty, `.` or `..` parts. Everything that turns a caller's or a file's
 * text into a key goes through here, so that no key leaves its store.
 */

/** Joins key parts; empty parts vanish. No `..` is resolved: `checkKey` refuses it. */
export function joinKey(...parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join("/");
}

/** `key` itself if it names something inside a store; throws ArgumentError otherwise. */
export function checkKey(key: string, store: string): string {
  if (key === "") throw new ArgumentError("an empty key names no value", { where: store });
  return checkPrefix(key, store);
}

/** Like `checkKey`, but "" (the store's root) is allowed. */
export function checkPrefix(prefix: string, store: string): string {
  if (prefix === "") return prefix;
  for (const part of prefix.split("/")) {
    if (part === "" || part === "." || part === ".." || part.includes("\0") || part.includes("\\")) {
      throw new ArgumentError(
        `key '${prefix}' must be '/'-separated names without empty, '.' or '..' parts, '\\' or NUL`,
        { where: store },
      );
    }
  }
  return prefix;
}

/** The last part of a key or URI; a trailing slash is ignored. */
export function lastPart(key: string): string {
  const trimmed = key.endsWith("/") ? key.slice(0, -1) : key;
  return trimmed.slice(trimmed.lastIndexOf("/") + 1);
}

/** The key without its last part; "" at the root. */
export function parentKey(key: string): string {
  const slash = key.lastIndexOf("/");
  return slash < 0 ? "" : key.slice(0, slash);
}

/** True if `key` lies below the folder `prefix` ("" is the root). */
export function isBelow(key: string, prefix: string): boolean {
  return prefix === "" || key.startsWith(`${prefix}/`);
}
