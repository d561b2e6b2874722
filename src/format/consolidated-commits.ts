import { FormatError } from "../errors.js";
import { ByteReader } from "./byte-reader.js";
import { ByteWriter } from "./byte-writer.js";
import { lastPathComponent } from "./text-lines.js";

/**
 * Consolidated commits (format_spec/consolidated_commits_file.md): commit files put together.
 *
 * | Entry | Fields |
 * | :--- | :--- |
 * | `.wrt`, `.ok` | URI and a newline |
 * | `.del`, `.upd` | URI and a newline, uint64 size, that many bytes: the commit file's content |
 *
 * URIs are relative to the array, `__commits/<name>.wrt`.
 */
export interface ConsolidatedCommit {
  /** Name of the commit file, the last component of the URI. */
  readonly name: string;
  readonly kind: "write" | "delete" | "update";
  /** Content of a delete or update commit: a generic tile. Empty of writes. */
  readonly content: Uint8Array;
}

const NEWLINE = 10;

/** No URI is longer; what has no newline within these bytes is something else. */
const MAX_URI_BYTES = 65536;

export function readConsolidatedCommits(bytes: Uint8Array, where?: string): ConsolidatedCommit[] {
  const reader = new ByteReader(bytes, "consolidated commits", where);
  const commits: ConsolidatedCommit[] = [];
  while (reader.remaining > 0) {
    const name = lastPathComponent(readLine(reader));
    const kind = kindOf(name);
    if (kind === null)
      throw reader.error(`${JSON.stringify(name)} before offset ${reader.offset} is no commit file`);
    const size = kind === "write" ? 0 : reader.u64n(`size of ${name}`);
    commits.push({ name, kind, content: reader.take(size, name) });
  }
  return commits;
}

export function writeConsolidatedCommits(commits: Iterable<ConsolidatedCommit>): Uint8Array {
  const writer = new ByteWriter();
  for (const { name, kind, content } of commits) {
    if (kindOf(name) !== kind) throw new FormatError(`consolidated commits: ${name} is no ${kind} commit`);
    writer.text(`__commits/${name}\n`);
    if (kind === "write") continue;
    writer.u64n(content.byteLength);
    writer.raw(content);
  }
  return writer.finish();
}

function readLine(reader: ByteReader): string {
  const window = reader.bytes.subarray(reader.offset, reader.offset + MAX_URI_BYTES);
  const length = window.indexOf(NEWLINE);
  if (length < 0) throw reader.error(`no newline after offset ${reader.offset}`);
  const line = reader.text(length, "URI");
  reader.skip(1, "newline");
  return line;
}

function kindOf(name: string): ConsolidatedCommit["kind"] | null {
  if (name.endsWith(".wrt") || name.endsWith(".ok")) return "write";
  if (name.endsWith(".del")) return "delete";
  return name.endsWith(".upd") ? "update" : null;
}
