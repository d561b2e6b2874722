import { FormatError, NotFoundError, UnsupportedError } from "../../errors.js";
import { type ArraySchema, readArraySchema } from "../../format/array-schema.js";
import { readGenericTile } from "../../format/generic-tile.js";
import { compareTimestampedNames, parseTimestampedName } from "../../format/timestamped-name.js";
import { LEGACY_SCHEMA_FILE, OLDEST_TARGET_VERSION } from "../../format/version.js";
import { joinKey, lastPart } from "../../storage/key.js";
import { dropIndex } from "../../storage/listed/drop-index.js";
import type { StorageOptions } from "../../storage/remote/settings.js";
import { locationUri, resolveLocation } from "../../storage/resolve.js";
import type { StoreLocation, WritableStore } from "../../storage/types.js";

/** An existing array that cells are to be written to, with its newest schema. */
export interface WriteTarget {
  readonly place: StoreLocation<WritableStore>;
  readonly uri: string;
  readonly schema: ArraySchema;
  /** Name of the schema's file in `__schema`. */
  readonly schemaName: string;
}

interface TargetOptions {
  readonly signal?: AbortSignal | undefined;
  readonly storage?: StorageOptions | undefined;
}

/**
 * Removes index files that tell of it, since it is about to change. Throws NotFoundError if there is no array,
 * UnsupportedError if it is of a format that is only read.
 */
export async function openTarget(
  location: string | StoreLocation,
  { signal, storage }: TargetOptions = {},
): Promise<WriteTarget> {
  const place = resolveLocation(location, storage);
  const uri = locationUri(place);
  const schemaName = (await schemaNames(place, signal)).at(-1);
  if (schemaName === undefined) {
    const legacy = await place.store.get(joinKey(place.path, LEGACY_SCHEMA_FILE), { signal });
    if (legacy !== undefined) throw tooOld("before 10", uri);
    throw new NotFoundError("no array to write to", { where: uri });
  }
  const key = joinKey(place.path, "__schema", schemaName);
  const bytes = await place.store.get(key, { signal });
  const where = `${uri}/__schema/${schemaName}`;
  if (bytes === undefined) throw new FormatError("the schema was listed but is gone", { where });
  const { data } = await readGenericTile(bytes, 0, "array schema", where);
  const schema = readArraySchema(data, where);
  if (schema.version < OLDEST_TARGET_VERSION) throw tooOld(`${schema.version}`, uri);
  await dropIndex(place, { signal });
  return { place, uri, schema, schemaName };
}

function tooOld(version: string, where: string): UnsupportedError {
  return new UnsupportedError(
    `array of format version ${version}: written to are arrays of ${OLDEST_TARGET_VERSION} and later`,
    { where },
  );
}

/** Names of the array's schemas, oldest first; none where there is no array. */
async function schemaNames(place: StoreLocation, signal?: AbortSignal | undefined): Promise<string[]> {
  const entries = await place.store.list(joinKey(place.path, "__schema"), { recursive: false, signal });
  const named = [];
  for (const { key, size } of entries) {
    const stamp = size === undefined ? null : parseTimestampedName(key);
    if (stamp !== null) named.push({ ...stamp, name: lastPart(key) });
  }
  return named.sort(compareTimestampedNames).map(({ name }) => name);
}
