import { readGenericTile } from "./generic-tile.js";
import { lastPathComponent } from "./text-lines.js";
import { parseTimestampedName, type TimestampedName } from "./timestamped-name.js";

/**
 * Delete and update commits (format_spec/delete_commit_file.md, update_commit_file.md), since version 16: a generic tile
 * (the specification says tile) with a condition; cells written before the commit that do not meet it are deleted.
 *
 * The condition is kept as bytes, see delete-condition.ts.
 */
export interface DeleteCommit {
  /** Name of the file, as processed conditions of fragments list it. */
  readonly name: string;
  readonly time: TimestampedName;
  readonly kind: "delete" | "update";
  /** The serialized condition, unfiltered. */
  readonly condition: Uint8Array;
}

/** What a file of `__commits` is by its name; null if it is neither. */
export function deleteCommitKind(name: string): DeleteCommit["kind"] | null {
  if (parseTimestampedName(name) === null) return null;
  if (name.endsWith(".del")) return "delete";
  return name.endsWith(".upd") ? "update" : null;
}

/** Reads a commit file, or the content of one that stands in consolidated commits. */
export async function readDeleteCommit(
  bytes: Uint8Array,
  name: string,
  where?: string,
  encryptionKey?: Uint8Array,
): Promise<DeleteCommit | null> {
  const base = lastPathComponent(name);
  const kind = deleteCommitKind(base);
  const time = parseTimestampedName(base);
  if (kind === null || time === null) return null;
  const { data } = await readGenericTile(bytes, 0, `${kind} commit`, where ?? name, encryptionKey);
  return { name: base, time, kind, condition: data };
}
