import { StorageError } from "../../errors.js";
import type { StoreEntry } from "../types.js";

/** A page of a listing in JSON: `items` with `name` and `size` (digits, as 64 bits are), `prefixes`, `nextPageToken`. */

export interface ObjectPage {
  readonly entries: readonly StoreEntry[];
  /** "" on the last page. */
  readonly nextPageToken: string;
}

export function readObjectPage(bytes: Uint8Array, where: string): ObjectPage {
  const { items = [], prefixes = [], nextPageToken = "" } = parseObject(bytes, where);
  if (!Array.isArray(items) || !Array.isArray(prefixes) || typeof nextPageToken !== "string") {
    throw new StorageError("the listing is not what Google Cloud Storage gives", { where });
  }
  const entries: StoreEntry[] = [];
  for (const item of items as unknown[]) {
    const { name, size } = asObject(item, where);
    // The console and other programs mark folders by empty objects.
    if (typeof name === "string" && !name.endsWith("/"))
      entries.push({ key: name, size: sizeOf(size, where) });
  }
  for (const prefix of prefixes as unknown[]) {
    entries.push({ key: String(prefix).replace(/\/$/, ""), size: undefined });
  }
  return { entries, nextPageToken };
}

/** Bytes of the object that an answer describes. */
export function objectSize(bytes: Uint8Array, where: string): number {
  return sizeOf(parseObject(bytes, where).size, where);
}

function sizeOf(size: unknown, where: string): number {
  // Emulators leave out the size of an empty object.
  const value = size === undefined ? 0 : Number(size);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new StorageError(`an object's size is '${String(size)}'`, { where });
}

function parseObject(bytes: Uint8Array, where: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new StorageError("the answer is no JSON", { where, cause });
  }
  return asObject(value, where);
}

function asObject(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  throw new StorageError("the answer is not what Google Cloud Storage gives", { where });
}
