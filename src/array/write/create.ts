import { ArgumentError, ExistsError, throwIfAborted } from "../../errors.js";
import { type ArraySchema, writeArraySchema } from "../../format/array-schema.js";
import { writeGenericTile } from "../../format/generic-tile.js";
import { joinKey, lastPart } from "../../storage/key.js";
import { dropIndex } from "../../storage/listed/drop-index.js";
import type { StorageOptions } from "../../storage/remote/settings.js";
import { locationUri, resolveLocation } from "../../storage/resolve.js";
import type { StoreLocation, StoreOptions, WritableStore } from "../../storage/types.js";
import { defineEnumerations } from "./enumeration-input.js";
import { newName, writeTime } from "./new-name.js";
import { defineSchema } from "./schema-input.js";
import type { SchemaInput } from "./write-types.js";

export interface CreateOptions {
  /** Removes an array or group that is already there, just before creating. Default false. */
  readonly overwrite?: boolean | undefined;
  /** Time of the schema in milliseconds since 1970; default now. */
  readonly timestamp?: number | undefined;
  /** Settings of places that are given as URIs. */
  readonly storage?: StorageOptions | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Folders that the official library makes in a new array. */
const ARRAY_FOLDERS = [
  "__schema/__enumerations",
  "__commits",
  "__fragment_meta",
  "__fragments",
  "__labels",
  "__meta",
];

/**
 * Creates an empty array. Throws ExistsError if an array or group is already there, unless `overwrite` is given;
 * ArgumentError if the schema is wrong in itself. The schema's file is written last: before that there is no array.
 */
export async function createArray(
  location: string | StoreLocation,
  schema: SchemaInput | ArraySchema,
  options: CreateOptions = {},
): Promise<void> {
  const time = writeTime(options.timestamp);
  const place = resolveLocation(location, options.storage);
  const { store, path } = place;
  if (isSchema(schema) && schema.enumerations.length > 0) {
    throw new ArgumentError("array schema: enumerations need their values; pass them in a SchemaInput");
  }
  const enumerations = defineEnumerations(isSchema(schema) ? [] : (schema.enumerations ?? []));
  const whole = isSchema(schema) ? schema : { ...defineSchema(schema), enumerations: enumerations.named };
  const bytes = await writeGenericTile(writeArraySchema(whole));
  await clearPlace(place, options);
  await dropIndex(place, { signal: options.signal });
  const storeOptions: StoreOptions = { signal: options.signal };
  for (const folder of ARRAY_FOLDERS) await store.makeFolder(joinKey(path, folder), storeOptions);
  for (const { file, data } of enumerations.files) {
    const key = joinKey(path, "__schema/__enumerations", file);
    await store.put(key, await writeGenericTile(data), storeOptions);
  }
  await store.put(joinKey(path, "__schema", newName(time)), bytes, storeOptions);
}

function isSchema(schema: SchemaInput | ArraySchema): schema is ArraySchema {
  return "version" in schema && "labels" in schema;
}

/** Makes sure that no array or group is at `place`: throws ExistsError, or removes it if `overwrite` is given. */
export async function clearPlace(place: StoreLocation<WritableStore>, options: CreateOptions): Promise<void> {
  const { store, path } = place;
  throwIfAborted(options.signal);
  const there = await existingType(place, { signal: options.signal });
  if (there === null) return;
  if (!options.overwrite) {
    const what = there === "array" ? "an array" : "a group";
    throw new ExistsError(`${what} is already there; pass overwrite to replace it`, {
      where: locationUri(place),
    });
  }
  await store.deletePrefix(path, { signal: options.signal });
}

/** What is at a place, by the folders that arrays and groups have. */
export async function existingType(
  { store, path }: StoreLocation,
  options: StoreOptions,
): Promise<"array" | "group" | null> {
  const names = (await store.list(path, { ...options, recursive: false })).map(({ key }) => lastPart(key));
  if (names.includes("__tiledb_group.tdb") || names.includes("__group")) return "group";
  // An array of before format 10 has its schema in a file.
  return names.includes("__schema") || names.includes("__array_schema.tdb") ? "array" : null;
}
