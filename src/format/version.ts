import { UnsupportedError } from "../errors.js";

/** The format version that this package writes: what core 2.30 writes and every core since 2.19 reads. */
export const WRITE_VERSION = 22;

/** The newest version that the specification describes; no released library writes it yet. */
export const NEWEST_VERSION = 23;

/** The oldest version that this package reads. */
export const OLDEST_VERSION = 1;

/** The oldest version of a schema to whose array this package adds fragments, which are of `WRITE_VERSION`. */
export const OLDEST_TARGET_VERSION = 18;

/** The schema's file, in the array's folder, before version 10; the name by which fragments of then refer to it. */
export const LEGACY_SCHEMA_FILE = "__array_schema.tdb";

/** Throws UnsupportedError with both numbers if `version` cannot be read. */
export function checkVersion(version: number, structure: string, where?: string): void {
  if (version >= OLDEST_VERSION && version <= NEWEST_VERSION) return;
  const problem = version > NEWEST_VERSION ? "is newer than" : "is older than";
  throw new UnsupportedError(
    `${structure}: format version ${version} ${problem} what this package reads, ${OLDEST_VERSION} to ${NEWEST_VERSION}`,
    where === undefined ? {} : { where },
  );
}
