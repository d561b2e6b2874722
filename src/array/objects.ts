import { FormatError } from "../errors.js";
import type { EncryptionKey } from "../format/encryption.js";
import { joinKey, lastPart } from "../storage/key.js";
import type { StorageOptions } from "../storage/remote/settings.js";
import { childLocation, locationUri, resolveReadable } from "../storage/resolve.js";
import type { StoreLocation, StoreOptions } from "../storage/types.js";
import { mapBounded } from "../util/concurrency.js";
import { objectType } from "./directory/object-type.js";
import { type GroupMemberInfo, readGroup } from "./write/group-io.js";

/**
 * What lies where: arrays and groups in folders, and in groups as they say themselves. TileDB's `ls` and `walk` go by
 * folders; its groups may also name what lies elsewhere, and leave out what lies in them.
 */

export interface ObjectInfo {
  readonly uri: string;
  readonly type: "array" | "group";
  /** Last part of the folder's path; of a group's member the name that the group gives it, if it does. */
  readonly name: string;
  /** For `openArray`, `readGroup` and so on: within the same store where it lies there. */
  readonly location: StoreLocation;
}

export interface ListOptions extends StoreOptions {
  /**
   * "folders" (the default, as TileDB's ls and walk): what lies directly below. "members": what a group names, wherever
   * it lies; the folders below where it names nothing, as groups of before format 12, and of what is no group.
   */
  readonly by?: "folders" | "members" | undefined;
  /** Of encrypted groups, whose members are asked for; arrays are told without opening them. */
  readonly encryptionKey?: EncryptionKey | undefined;
  /** Settings of places that are given as URIs. */
  readonly storage?: StorageOptions | undefined;
}

export interface WalkOptions extends ListOptions {
  /** "pre" (the default): a group before what it holds; "post": after it. */
  readonly order?: "pre" | "post" | undefined;
}

export interface WalkedObject extends ObjectInfo {
  /** Steps below the location: 1 for what lies directly there. */
  readonly depth: number;
}

/** How many folders are looked into at a time. */
const PARALLEL = 8;

/** Arrays and groups at one place, in the order of their names; none where nothing is. */
export async function listObjects(
  location: string | StoreLocation,
  options: ListOptions = {},
): Promise<ObjectInfo[]> {
  const place = resolveReadable(location, options.storage);
  if (options.by === "members" && (await objectType(place, options)) === "group") {
    const { members } = await readGroup(place, options);
    if (members.length > 0) return members.map((member) => memberObject(member, place, options.storage));
  }
  return folderObjects(place, options);
}

/**
 * All objects below a location, the location itself not included. By members, a group that holds itself is given but
 * not entered again, and neither is one that is gone.
 */
export async function* walkObjects(
  location: string | StoreLocation,
  options: WalkOptions = {},
): AsyncGenerator<WalkedObject, void, undefined> {
  const place = resolveReadable(location, options.storage);
  yield* walk(place, options, [locationUri(place)]);
}

async function* walk(
  place: StoreLocation,
  options: WalkOptions,
  above: readonly string[],
): AsyncGenerator<WalkedObject, void, undefined> {
  for (const found of await listObjects(place, options)) {
    const walked = { ...found, depth: above.length };
    if (options.order !== "post") yield walked;
    if (!above.includes(found.uri)) yield* walk(found.location, options, [...above, found.uri]);
    if (options.order === "post") yield walked;
  }
}

async function folderObjects(place: StoreLocation, options: StoreOptions): Promise<ObjectInfo[]> {
  const { signal } = options;
  const entries = await place.store.list(place.path, { signal, recursive: false });
  const folders = entries.filter(({ key, size }) => size === undefined && !isInternal(lastPart(key)));
  const objects = await mapBounded(
    folders,
    PARALLEL,
    async ({ key }) => {
      const location = { store: place.store, path: key };
      const type = await objectType(location, { signal });
      return type === null ? [] : [{ uri: locationUri(location), type, name: lastPart(key), location }];
    },
    signal,
  );
  return objects.flat();
}

/** Folders of arrays and groups themselves hold no objects, and may hold very many entries. */
const INTERNAL = new Set(["__schema", "__fragments", "__commits", "__fragment_meta", "__meta", "__group"]);
const isInternal = (name: string) => INTERNAL.has(name);

function memberObject(
  member: GroupMemberInfo,
  group: StoreLocation,
  storage: StorageOptions | undefined,
): ObjectInfo {
  const location = memberLocation(member, group, storage);
  return {
    uri: locationUri(location),
    type: member.type,
    name: member.name ?? lastPart(member.uri),
    location,
  };
}

function memberLocation(
  { uri, relative }: GroupMemberInfo,
  group: StoreLocation,
  storage: StorageOptions | undefined,
): StoreLocation {
  const path = uri.replace(/\/+$/, "");
  if (relative) return childLocation(group, checkParts(path, group));
  const { store } = group;
  // A store that has no resolver, such as one in memory, names its own objects so.
  if (path === store.uri) return { store, path: "" };
  if (path.startsWith(`${store.uri}/`)) {
    return { store, path: joinKey(checkParts(path.slice(store.uri.length + 1), group)) };
  }
  return resolveReadable(path, storage);
}

function checkParts(path: string, group: StoreLocation): string {
  const isInside = path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
  if (isInside && !path.includes("\\") && !path.includes("\0")) return path;
  throw new FormatError(`group: member '${path}' is no path below it`, { where: locationUri(group) });
}
