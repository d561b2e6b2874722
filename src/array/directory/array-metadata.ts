import { FormatError } from "../../errors.js";
import { readGenericTile } from "../../format/generic-tile.js";
import {
  decodeMetadataValue,
  type MetadataEntry,
  type MetadataValue,
  mergeMetadata,
  readMetadata,
} from "../../format/metadata.js";
import type { ReadableStore } from "../../storage/types.js";
import { mapBounded } from "../../util/concurrency.js";
import type { ArrayReadOptions, StampedEntry } from "./array-directory.js";

const PARALLEL_READS = 16;

/** A live entry: bytes with their datatype. */
export type StoredMetadata = Extract<MetadataEntry, { deleted: false }>;

/** Entries of metadata files, oldest first, merged: later ones replace or delete earlier ones. */
export async function readMetadataFiles(
  store: ReadableStore,
  files: readonly StampedEntry[],
  options: ArrayReadOptions = {},
): Promise<ReadonlyMap<string, StoredMetadata>> {
  const contents = await mapBounded(
    files,
    PARALLEL_READS,
    async ({ key }) => {
      const where = `${store.uri}/${key}`;
      const bytes = await store.get(key, options);
      if (bytes === undefined) throw new FormatError("metadata file was listed but is gone", { where });
      return readMetadata(
        (await readGenericTile(bytes, 0, "metadata", where, options.encryptionKey)).data,
        where,
      );
    },
    options.signal,
  );
  return mergeMetadata(contents);
}

/** The same as values by key, sorted by key. */
export async function readMetadataValues(
  store: ReadableStore,
  files: readonly StampedEntry[],
  options: ArrayReadOptions = {},
): Promise<ReadonlyMap<string, MetadataValue>> {
  const entries = [...(await readMetadataFiles(store, files, options))];
  entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return new Map(entries.map(([key, entry]) => [key, decodeMetadataValue(entry)]));
}
