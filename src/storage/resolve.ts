import { ArgumentError, UnsupportedError } from "../errors.js";
import { joinKey } from "./key.js";
import { isRemote, isZipName, locateRemote, locateRemoteFile, locateZip, zipPlace } from "./remote/locate.js";
import type { StorageOptions } from "./remote/settings.js";
import type { ReadableStore, StoreLocation, WritableStore } from "./types.js";

/**
 * From what callers pass to a place in a store. URIs of remote places are understood everywhere, paths and file: URIs
 * where the platform sets a resolver for them, as the Node entries do.
 */

/** Turns a path or URI into a location; returns undefined for a scheme that it does not know. */
export type LocationResolver = (text: string) => StoreLocation<WritableStore> | undefined;

let resolver: LocationResolver | undefined;
let isFile: (text: string) => boolean = () => false;

/** Sets what text locations mean, and which of them are files; called by the platform entries. */
export function setLocationResolver(
  next: LocationResolver | undefined,
  files: typeof isFile = () => false,
): void {
  resolver = next;
  isFile = files;
}

/** The location for reading. Throws UnsupportedError for text that this platform cannot resolve. */
export function resolveReadable(location: string | StoreLocation, storage?: StorageOptions): StoreLocation {
  return typeof location === "string" ? resolveText(location, storage) : checkLocation(location);
}

/** The location for writing. Throws ArgumentError if the store is read-only. */
export function resolveLocation(
  location: string | StoreLocation,
  storage?: StorageOptions,
): StoreLocation<WritableStore> {
  const { store, path } = resolveReadable(location, storage);
  if (!isWritable(store)) throw new ArgumentError("the store is read-only", { where: store.uri });
  return { store, path };
}

/** The place of a single file: its path is that of the file in the store. */
export function resolveFile(text: string, storage?: StorageOptions): StoreLocation {
  const zip = zipPlace(text);
  if (zip !== undefined) return locateZip(text, resolveFile(zip.file, storage), zip.folder);
  return locateRemoteFile(text, storage) ?? resolvePlain(text, storage);
}

/** A place below `location`. */
export function childLocation<S extends ReadableStore>(
  location: StoreLocation<S>,
  ...parts: readonly string[]
): StoreLocation<S> {
  return { store: location.store, path: joinKey(location.path, ...parts) };
}

/** The folder around a store of the local file system; undefined of others. */
export function placeAbove({ uri }: ReadableStore): StoreLocation<WritableStore> | undefined {
  const isUri = /^[a-zA-Z][a-zA-Z0-9+.-]+:\/\//.test(uri);
  const above = isUri ? undefined : resolver?.(`${uri}/..`);
  return above === undefined || locationUri(above) === uri ? undefined : above;
}

/** The location as text, for messages and `uri` fields. */
export function locationUri(location: StoreLocation): string {
  const { store, path } = location;
  if (path === "") return store.uri;
  return store.uri.endsWith("/") ? `${store.uri}${path}` : `${store.uri}/${path}`;
}

function resolveText(text: string, storage: StorageOptions | undefined): StoreLocation {
  const zip = zipPlace(text);
  if (zip !== undefined) return locateZip(text, resolveFile(zip.file, storage), zip.folder);
  const isZip = isZipName(text) && (isRemote(text) || isFile(text));
  return isZip ? locateZip(text, resolveFile(text, storage), "") : resolvePlain(text, storage);
}

/** Without regard for zip files. */
function resolvePlain(text: string, storage: StorageOptions | undefined): StoreLocation {
  if (text === "") throw new ArgumentError("a location is empty; expected a path, a URI or { store, path }");
  const resolved = locateRemote(text, storage) ?? resolver?.(text);
  if (resolved !== undefined) return resolved;
  const paths = resolver === undefined ? "" : "paths and file:, ";
  throw new UnsupportedError(
    `cannot open '${text}': known are ${paths}http:, https:, s3:, gs: and az: URIs; or pass { store, path } with a store such as MemoryStore`,
  );
}

function checkLocation<S extends ReadableStore>(location: StoreLocation<S>): StoreLocation<S> {
  if (typeof location.path === "string" && typeof location.store?.getRange === "function") return location;
  throw new ArgumentError("a location must be a path, a URI or { store, path }");
}

function isWritable(store: ReadableStore): store is WritableStore {
  return "put" in store && "writer" in store && "delete" in store;
}
