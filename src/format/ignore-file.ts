import { lastPathComponent, readLines, writeLines } from "./text-lines.js";

/**
 * Ignore file (format_spec/ignore_file.md): text, a line per commit file that consolidated commits still name though
 * its fragment is gone. Lines are `__commits/<name>.wrt`, relative to the array, without a slash in front.
 */
export function readIgnoreFile(bytes: Uint8Array, where?: string): string[] {
  return readLines(bytes, "ignore file", where).map(lastPathComponent);
}

/** `names` are those of commit files: `__1_1_<uuid>_22.wrt`. */
export function writeIgnoreFile(names: Iterable<string>): Uint8Array {
  return writeLines(Array.from(names, (name) => `__commits/${name}`));
}
