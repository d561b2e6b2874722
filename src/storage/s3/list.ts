import { StorageError } from "../../errors.js";
import { checkPrefix } from "../key.js";
import { readXml, type XmlElement, xmlText } from "../remote/xml.js";
import type { StoreEntry } from "../types.js";
import type { S3Client } from "./client.js";

/** Keys of a bucket: ListObjectsV2, page by page, with keys escaped since XML cannot hold all of them. */

/** Bytes of a page: 1000 keys of 1 KB each, every letter escaped, are less. */
const MAX_PAGE = 16 * 2 ** 20;

/** Entries below the folder `prefix`, in the server's order; `pageKeys` of a page, or as many as the server likes. */
export async function listObjects(
  client: S3Client,
  prefix: string,
  isRecursive: boolean,
  signal: AbortSignal | undefined,
  pageKeys?: number,
): Promise<StoreEntry[]> {
  const entries: StoreEntry[] = [];
  const query = {
    "list-type": "2",
    "encoding-type": "url",
    prefix: prefix === "" ? "" : `${prefix}/`,
    ...(isRecursive ? {} : { delimiter: "/" }),
    ...(pageKeys === undefined ? {} : { "max-keys": String(pageKeys) }),
  };
  let token: string | undefined;
  do {
    const page = { ...query, ...(token === undefined ? {} : { "continuation-token": token }) };
    const answer = await client.send({
      method: "GET",
      key: "",
      what: "list the bucket",
      query: page,
      signal,
      accept: [200],
      maxBytes: MAX_PAGE,
    });
    const where = client.where(prefix);
    const next = readPage(readXml(new TextDecoder().decode(answer.bytes), where), entries, where);
    if (next !== undefined && next === token) throw new StorageError("S3: listing does not go on", { where });
    token = next;
  } while (token !== undefined);
  return entries;
}

/** Adds a page's entries; returns what to ask the next one with. */
function readPage(page: XmlElement, entries: StoreEntry[], where: string): string | undefined {
  if (page.name !== "ListBucketResult") {
    throw new StorageError(`S3: expected ListBucketResult, got ${page.name}`, { where });
  }
  const decode = xmlText(page, "EncodingType") === "url" ? unescapeKey : (text: string) => text;
  for (const element of page.children) {
    if (element.name === "Contents") addObject(element, entries, decode, where);
    if (element.name === "CommonPrefixes") {
      const key = decode(required(element, "Prefix", where)).replace(/\/$/, "");
      if (isKey(key)) entries.push({ key, size: undefined });
    }
  }
  if (xmlText(page, "IsTruncated") !== "true") return undefined;
  return required(page, "NextContinuationToken", where);
}

function addObject(
  element: XmlElement,
  entries: StoreEntry[],
  decode: (text: string) => string,
  where: string,
): void {
  const key = decode(required(element, "Key", where));
  const text = required(element, "Size", where);
  const size = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(size)) {
    throw new StorageError(`S3: the size of '${key}' is '${text}'`, { where });
  }
  const etag = xmlText(element, "ETag");
  if (isKey(key)) entries.push({ key, size, ...(etag && { etag }) });
}

/** Other programs' markers of empty folders ("a/") and keys such as "a//b" are none of a store's. */
function isKey(key: string): boolean {
  try {
    return checkPrefix(key, "") !== "";
  } catch {
    return false;
  }
}

/** As forms are escaped: a space may be "+". */
function unescapeKey(text: string): string {
  return decodeURIComponent(text.replaceAll("+", " "));
}

function required(element: XmlElement, name: string, where: string): string {
  const text = xmlText(element, name);
  if (text === undefined) throw new StorageError(`S3: ${element.name} has no ${name}`, { where });
  return text;
}
