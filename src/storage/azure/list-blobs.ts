import { StorageError } from "../../errors.js";
import { readXml, type XmlElement, xmlChild, xmlText } from "../remote/xml.js";
import type { StoreEntry } from "../types.js";

/** A page of List Blobs: `EnumerationResults` with `Blobs` of `Blob` and `BlobPrefix`, and `NextMarker`. */

export interface BlobPage {
  readonly entries: readonly StoreEntry[];
  /** "" on the last page. */
  readonly nextMarker: string;
}

export function readBlobPage(bytes: Uint8Array, where: string): BlobPage {
  const root = readXml(new TextDecoder().decode(bytes), where);
  const blobs = xmlChild(root, "Blobs");
  if (root.name !== "EnumerationResults" || blobs === undefined) {
    throw new StorageError(`expected a listing of blobs, got <${root.name}>`, { where });
  }
  const entries: StoreEntry[] = [];
  for (const element of blobs.children) {
    const entry = entryOf(element, where);
    if (entry !== undefined) entries.push(entry);
  }
  return { entries, nextMarker: xmlText(root, "NextMarker") ?? "" };
}

/** Undefined for what is no key: folders of accounts with a hierarchical namespace are listed as blobs. */
function entryOf(element: XmlElement, where: string): StoreEntry | undefined {
  const name = xmlText(element, "Name");
  if (name === undefined) throw new StorageError("a listed blob has no name", { where });
  if (element.name === "BlobPrefix") return { key: name.replace(/\/$/, ""), size: undefined };
  const properties = xmlChild(element, "Properties");
  if (properties === undefined) throw new StorageError(`listed blob '${name}' has no properties`, { where });
  if (name.endsWith("/") || xmlText(properties, "ResourceType") === "directory") return undefined;
  const size = Number(xmlText(properties, "Content-Length") || Number.NaN);
  const etag = xmlText(properties, "Etag");
  if (Number.isSafeInteger(size) && size >= 0) return { key: name, size, ...(etag && { etag }) };
  throw new StorageError(`the listing does not say how large '${name}' is`, { where });
}
