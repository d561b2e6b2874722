import { UnsupportedError } from "../errors.js";
import { ByteReader } from "./byte-reader.js";
import { ByteWriter } from "./byte-writer.js";

/**
 * Group details (format_spec/group.md): the payload of the generic tile in `__group/<timestamped name>`.
 *
 * | Field | Type |
 * | :--- | :--- |
 * | Version | uint32, 1 or 2 |
 * | Number of members | uint64 (uint32 in the specification) |
 * | Members | see below |
 *
 * | Member field | Type |
 * | :--- | :--- |
 * | Version | uint32, 1 or 2 |
 * | Object type | uint8: 0 invalid, 1 group, 2 array |
 * | Relative | uint8 |
 * | URI | uint64 length, uint8[] |
 * | Name set | uint8 |
 * | Name, if set | uint64 length, uint8[] |
 * | Deleted | uint8, only of member version 2 |
 *
 * A file of version 1 lists all members. Files of version 2 add up, oldest first; each names all live members of its
 * time, and those that its writer removed as deleted.
 */
export interface GroupDetails {
  readonly version: 1 | 2;
  readonly members: readonly GroupMember[];
}

export interface GroupMember {
  /** Relative to the group if `relative`, else absolute. */
  readonly uri: string;
  readonly relative: boolean;
  readonly name: string | null;
  readonly type: ObjectType;
  readonly deleted: boolean;
}

export type ObjectType = "invalid" | "group" | "array";

const objectTypes: readonly ObjectType[] = ["invalid", "group", "array"];

/** Bytes of a member without URI and name. */
const MIN_MEMBER_BYTES = 15;

export function readGroupDetails(bytes: Uint8Array, where?: string): GroupDetails {
  const reader = new ByteReader(bytes, "group details", where);
  const version = readVersion(reader, "version");
  const count = reader.count("number of members", 8, MIN_MEMBER_BYTES);
  const members = Array.from({ length: count }, () => readMember(reader));
  reader.end();
  return { version, members };
}

/** A file of version 1 cannot hold deleted members: leave them out. */
export function writeGroupDetails({ version, members }: GroupDetails): Uint8Array {
  const writer = new ByteWriter();
  writer.u32(version);
  writer.u64n(members.length);
  for (const member of members) writeMember(writer, member, version);
  return writer.finish();
}

/** What a member is known by: its name, or the URI of one without. Names are unique in a group. */
function memberKey(member: GroupMember): string {
  return member.name ?? member.uri;
}

/** The members of a group from its files, oldest first, by key. */
export function mergeGroupDetails(files: Iterable<GroupDetails>): Map<string, GroupMember> {
  const members = new Map<string, GroupMember>();
  for (const file of files) {
    if (file.version === 1) members.clear();
    for (const member of file.members) {
      if (member.deleted) members.delete(memberKey(member));
      else members.set(memberKey(member), member);
    }
  }
  return members;
}

function readVersion(reader: ByteReader, field: string): 1 | 2 {
  const version = reader.u32(field);
  if (version === 1 || version === 2) return version;
  const details = reader.where === undefined ? {} : { where: reader.where };
  throw new UnsupportedError(`group details: ${field} is ${version}, expected 1 or 2`, details);
}

function readMember(reader: ByteReader): GroupMember {
  const version = readVersion(reader, "member version");
  const code = reader.u8("object type");
  const type = objectTypes[code];
  if (type === undefined) throw reader.error(`object type ${code}, expected 0 to ${objectTypes.length - 1}`);
  const relative = reader.flag("relative");
  const uri = reader.sizedText(8, "URI");
  const name = reader.flag("name set") ? reader.sizedText(8, "name") : null;
  const deleted = version === 2 && reader.flag("deleted");
  return { uri, relative, name, type, deleted };
}

/** Members have the version of their file, as the core writes them. */
function writeMember(writer: ByteWriter, member: GroupMember, version: 1 | 2): void {
  writer.u32(version);
  writer.u8(objectTypes.indexOf(member.type));
  writer.flag(member.relative);
  writer.sizedText(8, member.uri);
  writer.flag(member.name !== null);
  if (member.name !== null) writer.sizedText(8, member.name);
  if (version === 2) writer.flag(member.deleted);
}
