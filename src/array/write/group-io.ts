import { ArgumentError, ExistsError, FormatError, NotFoundError } from "../../errors.js";
import { type EncryptionKey, encryptionKeyBytes } from "../../format/encryption.js";
import { readGenericTile, writeGenericTile } from "../../format/generic-tile.js";
import {
  type GroupMember,
  mergeGroupDetails,
  readGroupDetails,
  writeGroupDetails,
} from "../../format/group.js";
import {
  decodeMetadataValue,
  type MetadataValue,
  mergeMetadata,
  readMetadata,
} from "../../format/metadata.js";
import { compareTimestampedNames, parseTimestampedName } from "../../format/timestamped-name.js";
import { readVacuumFile } from "../../format/vacuum-file.js";
import { joinKey, lastPart } from "../../storage/key.js";
import { dropIndex } from "../../storage/listed/drop-index.js";
import type { StorageOptions } from "../../storage/remote/settings.js";
import { childLocation, locationUri, resolveLocation, resolveReadable } from "../../storage/resolve.js";
import type { StoreLocation, StoreOptions, WritableStore } from "../../storage/types.js";
import { type CreateOptions, clearPlace, existingType } from "./create.js";
import { newName, writeTime } from "./new-name.js";
import type { WriteOptions } from "./write-types.js";

/** Groups (format_spec/group_file_hierarchy.md): a folder that names arrays and groups as its members. */

export interface GroupMemberInfo {
  /** As it stands in the group: below the group if `relative`, else a path or URI of its own. */
  readonly uri: string;
  readonly relative: boolean;
  readonly name: string | null;
  readonly type: "array" | "group";
}

export interface GroupInfo {
  readonly uri: string;
  /** In the order of their names (or URIs). */
  readonly members: readonly GroupMemberInfo[];
  readonly metadata: ReadonlyMap<string, MetadataValue>;
}

export interface AddMemberInput {
  /** Below the group, such as "counts"; or a path or URI of its own. */
  readonly uri: string;
  readonly name?: string | undefined;
  /** By default what is neither a URI nor starts with "/" is relative to the group. */
  readonly relative?: boolean | undefined;
}

export interface ReadGroupOptions {
  /** Milliseconds since 1970: what was written later is not seen. */
  readonly timestamp?: number | undefined;
  /** Of a group whose own files are encrypted: 32 bytes, or a text whose UTF-8 form has that many. */
  readonly encryptionKey?: EncryptionKey | undefined;
  /** Settings of places that are given as URIs. */
  readonly storage?: StorageOptions | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Creates an empty group. Throws ExistsError if an array or group is there, unless `overwrite` is given. */
export async function createGroup(
  location: string | StoreLocation,
  options: CreateOptions = {},
): Promise<void> {
  const place = resolveLocation(location, options.storage);
  const { store, path } = place;
  const storeOptions: StoreOptions = { signal: options.signal };
  await clearPlace(place, options);
  for (const folder of ["__group", "__meta"]) await store.makeFolder(joinKey(path, folder), storeOptions);
  // An empty file that marks the group.
  await store.put(joinKey(path, "__tiledb_group.tdb"), new Uint8Array(0), storeOptions);
}

/**
 * Adds a member, which must exist. Throws NotFoundError if it does not or if there is no group, ExistsError if the
 * group has a member of that name (or of that URI, without a name).
 */
export async function addGroupMember(
  location: string | StoreLocation,
  member: AddMemberInput,
  options: WriteOptions = {},
): Promise<void> {
  const place = await groupPlace(location, options);
  const { uri, name = null } = member;
  if (uri === "" || name === "")
    throw new ArgumentError("group: a member needs a URI, and a name must not be empty");
  const relative = member.relative ?? !isAbsolute(uri);
  const memberPlace = relative ? childLocation(place, uri) : resolveReadable(uri, options.storage);
  const type = await existingType(memberPlace, options);
  if (type === null) {
    throw new NotFoundError(`group: no array or group to add as member '${name ?? uri}'`, {
      where: locationUri(memberPlace),
    });
  }
  const members = await loadMembers(place, undefined, options);
  const key = name ?? uri;
  if (members.has(key)) {
    throw new ExistsError(`group: it has a member '${key}'`, { where: locationUri(place) });
  }
  const added: GroupMember = { uri, relative, name, type, deleted: false };
  await putMembers(place, [...members.values(), added], options);
}

/** Removes a member by its name (or URI, without a name); the array or group itself stays. */
export async function removeGroupMember(
  location: string | StoreLocation,
  name: string,
  options: WriteOptions = {},
): Promise<void> {
  const place = await groupPlace(location, options);
  const members = await loadMembers(place, undefined, options);
  const member = members.get(name);
  if (member === undefined) {
    const known = [...members.keys()].map((key) => `'${key}'`).join(", ") || "none";
    throw new NotFoundError(`group: no member '${name}', there are ${known}`, { where: locationUri(place) });
  }
  const left = [...members.values()].filter((other) => other !== member);
  await putMembers(place, [...left, { ...member, deleted: true }], options);
}

/**
 * Members and metadata of a group. Throws NotFoundError if there is none, EncryptionError where an encrypted group's key is
 * missing or wrong, or a key is given for another one.
 */
export async function readGroup(
  location: string | StoreLocation,
  options: ReadGroupOptions = {},
): Promise<GroupInfo> {
  const place = resolveReadable(location, options.storage);
  await checkGroup(place, options);
  const members = await loadMembers(place, options.timestamp, options);
  const keys = [...members.keys()].sort();
  return {
    uri: locationUri(place),
    members: keys.map((key) => memberInfo(members.get(key)!, place)),
    metadata: await loadMetadata(place, options),
  };
}

function memberInfo({ uri, relative, name, type }: GroupMember, place: StoreLocation): GroupMemberInfo {
  if (type !== "invalid") return { uri, relative, name, type };
  throw new FormatError(`group: member '${name ?? uri}' is neither array nor group`, {
    where: locationUri(place),
  });
}

function isAbsolute(uri: string): boolean {
  return uri.startsWith("/") || /^[A-Za-z][A-Za-z0-9+.-]*:/.test(uri);
}

async function groupPlace(
  location: string | StoreLocation,
  options: WriteOptions,
): Promise<StoreLocation<WritableStore>> {
  const place = resolveLocation(location, options.storage);
  await checkGroup(place, options);
  return place;
}

async function checkGroup(place: StoreLocation, options: StoreOptions): Promise<void> {
  const found = await existingType(place, options);
  if (found === "group") return;
  const instead = found === null ? "" : `, there is an ${found}`;
  throw new NotFoundError(`no group${instead}`, { where: locationUri(place) });
}

async function putMembers(
  place: StoreLocation<WritableStore>,
  members: readonly GroupMember[],
  options: WriteOptions,
): Promise<void> {
  await dropIndex(place, { signal: options.signal });
  const bytes = await writeGenericTile(writeGroupDetails({ version: 2, members }));
  await place.store.put(
    joinKey(place.path, "__group", newName(writeTime(options.timestamp))),
    bytes,
    options,
  );
}

async function loadMembers(
  place: StoreLocation,
  until: number | undefined,
  options: Omit<ReadGroupOptions, "timestamp">,
): Promise<Map<string, GroupMember>> {
  const files = await readStamped(place, "__group", "group details", until, options);
  return mergeGroupDetails(files.map(({ bytes, where }) => readGroupDetails(bytes, where)));
}

async function loadMetadata(
  place: StoreLocation,
  options: ReadGroupOptions,
): Promise<Map<string, MetadataValue>> {
  const files = await readStamped(place, "__meta", "metadata", options.timestamp, options);
  const merged = mergeMetadata(files.map(({ bytes, where }) => readMetadata(bytes, where)));
  return new Map([...merged].map(([key, entry]) => [key, decodeMetadataValue(entry)]));
}

/** Payloads of the generic tiles in a folder that count at a time, oldest first. */
async function readStamped(
  place: StoreLocation,
  folder: string,
  structure: string,
  until = Number.POSITIVE_INFINITY,
  options: Omit<ReadGroupOptions, "timestamp">,
): Promise<{ bytes: Uint8Array; where: string }[]> {
  const { store, path } = place;
  const encryptionKey =
    options.encryptionKey === undefined ? undefined : encryptionKeyBytes(options.encryptionKey);
  const entries = await store.list(joinKey(path, folder), { signal: options.signal, recursive: false });
  const named = entries.flatMap(({ key, size }) => {
    const stamp = size === undefined ? null : parseTimestampedName(key);
    return stamp === null || stamp.end > until ? [] : [{ ...stamp, key, name: lastPart(key) }];
  });
  const read = async (key: string) => {
    const bytes = await store.get(key, { signal: options.signal });
    if (bytes !== undefined) return bytes;
    throw new FormatError(`${structure}: file was listed but is gone`, { where: `${store.uri}/${key}` });
  };
  // Files that a consolidation replaced count no more.
  const replaced = new Set<string>();
  for (const { key } of named.filter(({ name }) => name.endsWith(".vac"))) {
    for (const name of readVacuumFile(await read(key)).names) replaced.add(name);
  }
  const live = named.filter(({ name }) => !name.includes(".") && !replaced.has(name));
  const files: { bytes: Uint8Array; where: string }[] = [];
  for (const { key } of live.sort(compareTimestampedNames)) {
    const where = `${store.uri}/${key}`;
    const tile = await readGenericTile(await read(key), 0, structure, where, encryptionKey);
    files.push({ bytes: tile.data, where });
  }
  return files;
}
