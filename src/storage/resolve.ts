import { ArgumentError, UnsupportedError } from "../errors.js";
import { joinKey } from "./key.js";
import type { ReadableStore, StoreLocation, WritableStore } from "./types.js";

/**
 * From what callers pass to a place in a store. Text needs a platform that knows what to make of it: the Node entries
 * set a resolver for paths and file: URIs; without one only `{ store, path }` is understood.
 */

/** Turns a path or URI into a location; returns undefined for a scheme that it does not know. */
export type LocationResolver = (text: string) => StoreLocation<WritableStore> | undefined;

let resolver: LocationResolver | undefined;

/** Sets what text locations mean; called by the platform entries. */
export function setLocationResolver(next: LocationResolver | undefined): void {
  resolver = next;
}

/** The location for reading. Throws UnsupportedError for text that this platform cannot resolve. */
export function resolveReadable(location: string | StoreLocation): StoreLocation {
  return typeof location === "string" ? resolveText(location) : checkLocation(location);
}

/** The location for writing. Throws ArgumentError if the store is read-only. */
export function resolveLocation(location: string | StoreLocation): StoreLocation<WritableStore> {
  if (typeof location === "string") return resolveText(location);
  const { store, path } = checkLocation(location);
  if (!isWritable(store)) throw new ArgumentError("the store is read-only", { where: store.uri });
  return { store, path };
}

/** A place below `location`. */
export function childLocation<S extends ReadableStore>(
  location: StoreLocation<S>,
  ...parts: readonly string[]
): StoreLocation<S> {
  return { store: location.store, path: joinKey(location.path, ...parts) };
}

/** The location as text, for messages and `uri` fields. */
export function locationUri(location: StoreLocation): string {
  const { store, path } = location;
  if (path === "") return store.uri;
  return store.uri.endsWith("/") ? `${store.uri}${path}` : `${store.uri}/${path}`;
}

function resolveText(text: string): StoreLocation<WritableStore> {
  if (text === "") throw new ArgumentError("a location is empty; expected a path, a URI or { store, path }");
  const resolved = resolver?.(text);
  if (resolved !== undefined) return resolved;
  const known =
    resolver === undefined ? "no paths or URIs are known here" : "only paths and file: URIs are known here";
  throw new UnsupportedError(
    `cannot open '${text}': ${known}; pass { store, path } with a store such as MemoryStore`,
  );
}

function checkLocation<S extends ReadableStore>(location: StoreLocation<S>): StoreLocation<S> {
  if (typeof location.path === "string" && typeof location.store?.getRange === "function") return location;
  throw new ArgumentError("a location must be a path, a URI or { store, path }");
}

function isWritable(store: ReadableStore): store is WritableStore {
  return "put" in store && "writer" in store && "delete" in store;
}
