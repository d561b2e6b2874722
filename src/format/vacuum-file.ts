import { lastPathComponent, readLines, writeLines } from "./text-lines.js";

/**
 * Vacuum file (format_spec/vacuum_file.md): text, a line per item that a consolidation has made superfluous. In
 * `__commits` the items are fragments, in `__meta` metadata files. Since version 19 lines are `/__fragments/<name>` (with
 * the slash, which the specification does not show) and `/__meta/<name>`; before, absolute URIs, which are stale in an
 * array that was moved: only the last component is to be trusted.
 */
export interface VacuumFile {
  /** The lines as they stand. */
  readonly lines: readonly string[];
  /** Last path component of each: the name of the fragment or metadata file. */
  readonly names: readonly string[];
}

export function readVacuumFile(bytes: Uint8Array, where?: string): VacuumFile {
  const lines = readLines(bytes, "vacuum file", where);
  return { lines, names: lines.map(lastPathComponent) };
}

/** Names of fragments (`folder` "__fragments") or metadata files ("__meta"), as version 19 and later have them. */
export function writeVacuumFile(folder: "__fragments" | "__meta", names: Iterable<string>): Uint8Array {
  return writeLines(Array.from(names, (name) => `/${folder}/${name}`));
}
