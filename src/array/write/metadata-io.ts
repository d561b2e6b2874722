import { ArgumentError, NotFoundError } from "../../errors.js";
import { writeGenericTile } from "../../format/generic-tile.js";
import { encodeMetadataValue, type MetadataEntry, writeMetadata } from "../../format/metadata.js";
import { compareText } from "../../format/text-bytes.js";
import { joinKey } from "../../storage/key.js";
import { dropIndex } from "../../storage/listed/drop-index.js";
import { locationUri, resolveLocation } from "../../storage/resolve.js";
import type { StoreLocation } from "../../storage/types.js";
import { existingType } from "./create.js";
import { newName, writeTime } from "./new-name.js";
import type { MetadataInput, WriteOptions } from "./write-types.js";

/**
 * Puts metadata of an array or group: other keys stay as they are, null removes a key. All entries become visible
 * together. Throws NotFoundError if there is no array or group, ValueError where a value does not fit its datatype.
 */
export async function putMetadata(
  location: string | StoreLocation,
  entries: Readonly<Record<string, MetadataInput | null>>,
  options: WriteOptions = {},
): Promise<void> {
  const time = writeTime(options.timestamp);
  const place = resolveLocation(location, options.storage);
  const keys = Object.keys(entries).sort(compareText);
  const encoded = keys.map((key) => encodeEntry(key, entries[key] ?? null));
  if ((await existingType(place, options)) === null) {
    throw new NotFoundError("no array or group to put metadata to", { where: locationUri(place) });
  }
  if (encoded.length === 0) return;
  await dropIndex(place, { signal: options.signal });
  const bytes = await writeGenericTile(writeMetadata(encoded));
  await place.store.put(joinKey(place.path, "__meta", newName(time)), bytes, options);
}

function encodeEntry(key: string, value: MetadataInput | null): MetadataEntry {
  if (key === "") throw new ArgumentError("metadata: an empty key");
  if (value === null) return { key, deleted: true };
  if (typeof value !== "object" || ArrayBuffer.isView(value)) return encodeMetadataValue(key, value);
  return encodeMetadataValue(key, value.value, value.datatype);
}
