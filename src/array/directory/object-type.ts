import { NotFoundError } from "../../errors.js";
import { lastPart, parentKey } from "../../storage/key.js";
import type { StorageOptions } from "../../storage/remote/settings.js";
import { locationUri, resolveReadable } from "../../storage/resolve.js";
import type { StoreLocation, StoreOptions } from "../../storage/types.js";

/** What lies at a location: an array, a group, or neither. */
export async function objectType(
  location: string | StoreLocation,
  options: StoreOptions & { readonly storage?: StorageOptions | undefined } = {},
): Promise<"array" | "group" | null> {
  const { store, path } = resolveReadable(location, options.storage);
  const names = await childNames({ store, path }, { signal: options.signal });
  if (names.has("__schema") || names.has("__array_schema.tdb")) return "array";
  return names.has("__group") || names.has("__tiledb_group.tdb") ? "group" : null;
}

/** Throws NotFoundError, saying what is there instead, unless an array lies at the location. */
export async function requireArray(location: StoreLocation, options: StoreOptions = {}): Promise<void> {
  const type = await objectType(location, options);
  if (type === "array") return;
  const found = type === "group" ? "a group lies there" : await describe(location, options);
  throw new NotFoundError(`no array: ${found}`, { where: locationUri(location) });
}

async function childNames({ store, path }: StoreLocation, options: StoreOptions): Promise<Set<string>> {
  const children = await store.list(path, { ...options, recursive: false });
  return new Set(children.map((child) => lastPart(child.key)));
}

async function describe({ store, path }: StoreLocation, options: StoreOptions): Promise<string> {
  const names = await childNames({ store, path }, options);
  if (names.size > 0) {
    const some = [...names].slice(0, 5).join(", ");
    return `a folder without __schema lies there, with ${some}${names.size > 5 ? ", ..." : ""}`;
  }
  if (path === "") return "the folder is missing or empty";
  const siblings = await store.list(parentKey(path), { ...options, recursive: false });
  const itself = siblings.find((entry) => entry.key === path);
  if (itself === undefined) return "nothing lies there";
  return itself.size === undefined
    ? "an empty folder lies there"
    : `a file of ${itself.size} bytes lies there`;
}
