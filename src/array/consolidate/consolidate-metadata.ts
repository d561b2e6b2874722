import { FormatError } from "../../errors.js";
import { readGenericTile, writeGenericTile } from "../../format/generic-tile.js";
import { mergeMetadata, readMetadata, writeMetadata } from "../../format/metadata.js";
import { compareText } from "../../format/text-bytes.js";
import { writeVacuumFile } from "../../format/vacuum-file.js";
import { joinKey } from "../../storage/key.js";
import type { StoreOptions } from "../../storage/types.js";
import type { ArrayDirectory } from "../directory/array-directory.js";
import { ALL_TIME, visibleMetadata } from "../directory/visible-at.js";
import { newRangeName } from "../write/new-name.js";
import type { WriteTarget } from "../write/write-target.js";

/** Writes what all metadata files of an array come to as one; null where there is at most one. */
export async function consolidateMetadata(
  { place, uri }: WriteTarget,
  directory: ArrayDirectory,
  options: StoreOptions,
): Promise<string | null> {
  const files = visibleMetadata(directory, ALL_TIME);
  if (files.length <= 1) return null;
  const { store, path } = place;
  const contents = [];
  for (const { key } of files) {
    const where = `${store.uri}/${key}`;
    const bytes = await store.get(key, options);
    if (bytes === undefined) throw new FormatError("metadata: file was listed but is gone", { where });
    contents.push(readMetadata((await readGenericTile(bytes, 0, "metadata", where)).data, where));
  }
  const merged = mergeMetadata(contents);
  const keys = [...merged.keys()].sort(compareText);
  const payload = writeMetadata(keys.map((key) => merged.get(key)!));
  const name = newRangeName(
    Math.min(...files.map((file) => file.start)),
    Math.max(...files.map((file) => file.end)),
  );
  await store.put(joinKey(path, "__meta", name), await writeGenericTile(payload), options);
  const replaced = writeVacuumFile(
    "__meta",
    files.map((file) => file.name),
  );
  await store.put(joinKey(path, "__meta", `${name}.vac`), replaced, options);
  return `${uri}/__meta/${name}`;
}
