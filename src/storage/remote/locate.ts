import { ArgumentError } from "../../errors.js";
import { checkKey, checkPrefix } from "../key.js";
import type { StoreLocation, WritableStore } from "../types.js";
import { decodePart, httpUri } from "./http-uri.js";
import { LazyStore, LazyWritableStore } from "./lazy-store.js";
import type { StorageOptions } from "./settings.js";

/**
 * From URIs to places:
 *
 * | URI | Store | Path in it |
 * | :--- | :--- | :--- |
 * | `http(s)://host/folder?query` | that folder; the query goes with every request | the store's root |
 * | `s3://bucket/folder` | the bucket | `folder` |
 * | `gs://bucket/folder`, `gcs://...` | the bucket | `folder` |
 * | `az://container/folder`, `azure://...` | the container | `folder` |
 * | any of these, or a path ending with `.zip`, and `#zip` or `#zip/folder` | the inside of that zip file | `folder`, or the root |
 * | any of these ending with `.zip`, or the path of a file of such a name | the same | the root |
 *
 * Modules of schemes are loaded at the first request. What is wrong with settings is said then, too.
 */

/** Undefined for text without one of these schemes. Throws ArgumentError for one that is not well-formed. */
export function locateRemote(text: string, options: StorageOptions = {}): StoreLocation | undefined {
  const [, name, rest] = /^([a-zA-Z][a-zA-Z0-9+.-]*):\/\/(.*)$/s.exec(text) ?? [];
  switch (name?.toLowerCase()) {
    case "http":
    case "https":
      return locateHttp(text, options);
    case "s3":
      return locateBucket("s3", text, rest!, async (bucket) => {
        const { S3Store } = await import("../s3/s3-store.js");
        return new S3Store({ ...options, bucket });
      });
    case "gs":
    case "gcs":
      return locateBucket("gs", text, rest!, async (bucket) => {
        const { GcsStore } = await import("../gcs/gcs-store.js");
        return new GcsStore({ ...options, bucket });
      });
    case "az":
    case "azure":
      return locateBucket("azure", text, rest!, async (container) => {
        const { AzureStore } = await import("../azure/azure-store.js");
        return new AzureStore({ ...options, container });
      });
    default:
      return undefined;
  }
}

/** Whether `locateRemote` knows what to make of it. */
export function isRemote(text: string): boolean {
  return /^(https?|s3|gs|gcs|az|azure):\/\//i.test(text);
}

/** The same of a single file: its folder's store, and its name there. */
export function locateRemoteFile(text: string, options: StorageOptions = {}): StoreLocation | undefined {
  if (!/^https?:/i.test(text) || !URL.canParse(text)) return locateRemote(text, options);
  const folder = new URL(text);
  const slash = folder.pathname.lastIndexOf("/");
  const path = checkKey(decodePart(folder.pathname.slice(slash + 1), text), httpUri(text));
  folder.pathname = folder.pathname.slice(0, slash + 1);
  return { ...locateHttp(folder.href, options), path };
}

/** `text` without what says that it is a zip file, and the folder in it; undefined where nothing says so. */
export function zipPlace(text: string): { readonly file: string; readonly folder: string } | undefined {
  const [, file, folder] = /^(.+)#zip(?:\/(.*))?$/s.exec(text) ?? [];
  if (file === undefined || !(isRemote(file) || /\.zip$/i.test(file))) return undefined;
  return { file, folder: trimSlashes(folder ?? "") };
}

/** Whether `text` is the place of a zip file itself, by its name. */
export function isZipName(text: string): boolean {
  return /\.zip$/i.test(isRemote(text) ? text.replace(/\?.*$/s, "") : text);
}

/** The inside of the zip file at `file`, whose text was `text`. */
export function locateZip(text: string, file: StoreLocation, folder: string): StoreLocation {
  checkPrefix(folder, text);
  const uri = file.path === "" ? file.store.uri : `${file.store.uri}/${file.path}`;
  const { isRemote, coalesceGap } = file.store;
  const load = async () => {
    const { ZipStore } = await import("../zip/zip-store.js");
    return new ZipStore(file);
  };
  return {
    store: new LazyStore({ uri: `${uri}#zip`, load, isRemote: isRemote ?? false, coalesceGap }),
    path: folder,
  };
}

function locateHttp(text: string, options: StorageOptions): StoreLocation {
  const load = async () => {
    const { HttpStore } = await import("../http/http-store.js");
    return new HttpStore(text, options);
  };
  return { store: new LazyStore({ uri: httpUri(text), load }), path: "" };
}

/** @param scheme as `uri` has it */
function locateBucket(
  scheme: string,
  text: string,
  rest: string,
  load: (bucket: string) => Promise<WritableStore>,
): StoreLocation {
  const slash = rest.indexOf("/");
  const bucket = slash < 0 ? rest : rest.slice(0, slash);
  if (bucket === "") {
    throw new ArgumentError(`a bucket is missing, expected ${scheme}://bucket/folder`, { where: text });
  }
  // Of containers there are some with a "$" before their names.
  if (!/^\$?[A-Za-z0-9._-]+$/.test(bucket)) {
    // It may be a secret that was put there by mistake.
    throw new ArgumentError(`what follows ${scheme}:// up to the next slash is no name of a bucket`);
  }
  const path = checkPrefix(slash < 0 ? "" : trimSlashes(rest.slice(slash)), text);
  const store = new LazyWritableStore({ uri: `${scheme}://${bucket}`, load: () => load(bucket) });
  return { store, path };
}

function trimSlashes(path: string): string {
  return path.replace(/^\/+|\/+$/g, "");
}
