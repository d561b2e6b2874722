import { StorageError } from "../../errors.js";
import { mapBounded } from "../../util/concurrency.js";
import { escapeXml, readXml, xmlText } from "../remote/xml.js";
import type { S3Client } from "./client.js";

/** Deleting many keys: DeleteObjects, 1000 a request. */

const BATCH = 1000;
const PARALLEL = 4;

/** Control characters, which XML 1.0 has no way to write: such keys are deleted one by one. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are meant
const NOT_XML = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/;

/** Deletes all of `keys`. Throws StorageError for the first that stays, once all others have been tried. */
export async function deleteKeys(
  client: S3Client,
  keys: readonly string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const plain = keys.filter((key) => !NOT_XML.test(key));
  const batches = Array.from({ length: Math.ceil(plain.length / BATCH) }, (_, at) =>
    plain.slice(at * BATCH, (at + 1) * BATCH),
  );
  const left = await mapBounded(batches, PARALLEL, (batch) => deleteBatch(client, batch, signal), signal);
  const others = [...keys.filter((key) => NOT_XML.test(key)), ...left.flat()];
  await mapBounded(others, PARALLEL, (key) => deleteKey(client, key, signal), signal);
}

export async function deleteKey(
  client: S3Client,
  key: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  await client.send({ method: "DELETE", key, what: "delete", signal, accept: [200, 204, 404] });
}

/** Returns the keys that are to be deleted one by one: the server could not then, or says why not when asked so. */
async function deleteBatch(
  client: S3Client,
  keys: readonly string[],
  signal: AbortSignal | undefined,
): Promise<string[]> {
  if (keys.length === 1) return [...keys];
  const objects = keys.map((key) => `<Object><Key>${escapeXml(key)}</Key></Object>`).join("");
  const body = new TextEncoder().encode(
    `<?xml version="1.0" encoding="UTF-8"?><Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Quiet>true</Quiet>${objects}</Delete>`,
  );
  const answer = await client.send({
    method: "POST",
    key: "",
    what: "delete several keys",
    query: { delete: "" },
    // Amazon wants a checksum of this request; MD5 is the one that all servers know.
    headers: { "content-md5": await md5Base64(body), "content-type": "application/xml" },
    body,
    signal,
    accept: [200, 501],
  });
  // Not every server has it.
  if (answer.status === 501) return [...keys];
  const where = client.where("");
  const result = readXml(new TextDecoder().decode(answer.bytes), where);
  if (result.name !== "DeleteResult") {
    throw new StorageError(`S3: expected DeleteResult, got ${result.name}`, { where });
  }
  return result.children
    .filter(({ name }) => name === "Error")
    .map((error) => xmlText(error, "Key") ?? "")
    .filter((key) => keys.includes(key));
}

async function md5Base64(bytes: Uint8Array): Promise<string> {
  const { md5 } = await import("@noble/hashes/legacy.js");
  return btoa(String.fromCharCode(...md5(bytes)));
}
