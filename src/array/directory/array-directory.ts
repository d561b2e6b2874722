import { FormatError, UnsupportedError } from "../../errors.js";
import { readConsolidatedCommits } from "../../format/consolidated-commits.js";
import { readIgnoreFile } from "../../format/ignore-file.js";
import { compareTimestampedNames, parseTimestampedName } from "../../format/timestamped-name.js";
import { readVacuumFile } from "../../format/vacuum-file.js";
import { joinKey, lastPart } from "../../storage/key.js";
import { locationUri } from "../../storage/resolve.js";
import type { ReadableStore, StoreEntry, StoreLocation, StoreOptions } from "../../storage/types.js";
import { mapBounded } from "../../util/concurrency.js";

/**
 * What lies in an array's folder (format_spec/array_file_hierarchy.md) as a plain value, from one listing and the few
 * small files that say which fragments count. Which of it is seen at a time is for visible-at.ts.
 */

/** A file or folder with a timestamped name. */
export interface StampedEntry {
  /** Last part of the key. */
  readonly name: string;
  readonly key: string;
  /** Milliseconds since 1970, inclusive. */
  readonly start: number;
  readonly end: number;
  /** Format version in the name, null where it has none. */
  readonly version: number | null;
  /** Bytes; of a fragment, of all its files. */
  readonly size: number;
}

export interface FragmentFiles extends StampedEntry {
  /** Bytes by file name. Empty if the fragment was committed but its folder is gone. */
  readonly files: ReadonlyMap<string, number>;
}

/** A `.vac` file: names of what a consolidation replaced. */
export interface VacuumEntry extends StampedEntry {
  readonly replaced: readonly string[];
}

export interface ArrayDirectory {
  readonly location: StoreLocation;
  readonly uri: string;
  /** Oldest first, as all lists here. */
  readonly schemas: readonly StampedEntry[];
  /** Fragments that were committed, visible or not. */
  readonly fragments: readonly FragmentFiles[];
  readonly vacuums: readonly VacuumEntry[];
  /** Delete and update commits, from files of their own and from consolidated commits. */
  readonly deletes: readonly StampedEntry[];
  /** Consolidated fragment metadata. */
  readonly fragmentMetadata: readonly StampedEntry[];
  readonly metadata: readonly StampedEntry[];
  readonly metadataVacuums: readonly VacuumEntry[];
  /** Single `.wrt` files, consolidated `.con` files and `.ign` files, for those who consolidate or vacuum them. */
  readonly commits: {
    readonly writes: readonly StampedEntry[];
    readonly consolidated: readonly StampedEntry[];
    readonly ignores: readonly StampedEntry[];
    /** Names of commit files in consolidated commits that no `.ign` file takes back, such as `__1_1_ab_22.wrt`. */
    readonly consolidatedNames: ReadonlySet<string>;
  };
}

const PARALLEL_READS = 8;

/** Lists an array's folder. It need not be an array: then `schemas` is empty. */
export async function loadArrayDirectory(
  location: StoreLocation,
  options: StoreOptions = {},
): Promise<ArrayDirectory> {
  const { store, path } = location;
  const listing = new Listing(await store.list(path, { ...options, recursive: true }), path);
  refuseOldLayout(listing, locationUri(location));
  const commitFiles = listing.stamped("__commits");
  const withSuffix = (suffix: string) => commitFiles.filter((file) => file.name.endsWith(suffix));
  const consolidated = withSuffix(".con");
  const ignores = withSuffix(".ign");
  const commits = await readConsolidated(store, consolidated, ignores, options);
  const writes = withSuffix(".wrt");
  const metadata = listing.stamped("__meta");
  return {
    location,
    uri: locationUri(location),
    schemas: listing.stamped("__schema"),
    fragments: committedFragments(listing, path, writes, commits.names),
    vacuums: await readVacuums(store, withSuffix(".vac"), options),
    deletes: [...withSuffix(".del"), ...withSuffix(".upd"), ...commits.deletes].sort(compareTimestampedNames),
    fragmentMetadata: listing.stamped("__fragment_meta").filter((file) => file.name.endsWith(".meta")),
    metadata: metadata.filter((file) => !file.name.includes(".")),
    metadataVacuums: await readVacuums(
      store,
      metadata.filter((file) => file.name.endsWith(".vac")),
      options,
    ),
    commits: { writes, consolidated, ignores, consolidatedNames: commits.names },
  };
}

/** Keys of the listing by their folder below the array. */
class Listing {
  readonly #folders = new Map<string, StoreEntry[]>();

  constructor(entries: readonly StoreEntry[], path: string) {
    const skip = path === "" ? 0 : path.length + 1;
    for (const entry of entries) {
      const slash = entry.key.lastIndexOf("/");
      const folder = slash < skip ? "" : entry.key.slice(skip, slash);
      const files = this.#folders.get(folder);
      if (files === undefined) this.#folders.set(folder, [entry]);
      else files.push(entry);
    }
  }

  files(folder: string): readonly StoreEntry[] {
    return this.#folders.get(folder) ?? [];
  }

  /** Files of a folder that have timestamped names, oldest first; others are not the format's business. */
  stamped(folder: string): StampedEntry[] {
    const found: StampedEntry[] = [];
    for (const { key, size } of this.files(folder)) {
      const entry = stampedEntry(key, size ?? 0);
      if (entry !== null) found.push(entry);
    }
    return found.sort(compareTimestampedNames);
  }
}

function stampedEntry(key: string, size: number): StampedEntry | null {
  const stamp = parseTimestampedName(key);
  if (stamp === null) return null;
  return { name: lastPart(key), key, start: stamp.start, end: stamp.end, version: stamp.version, size };
}

/** Before version 12 fragments lay in the array's folder itself, before 10 there was one schema file. */
function refuseOldLayout(listing: Listing, uri: string): void {
  for (const { key } of listing.files("")) {
    if (!key.endsWith(".ok") && lastPart(key) !== "__array_schema.tdb") continue;
    throw new UnsupportedError(`array of a format version before 12: ${lastPart(key)} in its folder`, {
      where: uri,
    });
  }
}

function committedFragments(
  listing: Listing,
  path: string,
  writes: readonly StampedEntry[],
  consolidatedNames: ReadonlySet<string>,
): FragmentFiles[] {
  const names = new Set(writes.map((file) => file.name.slice(0, -".wrt".length)));
  for (const name of consolidatedNames) {
    if (name.endsWith(".wrt")) names.add(name.slice(0, -".wrt".length));
  }
  const fragments: FragmentFiles[] = [];
  for (const name of names) {
    const files = new Map<string, number>();
    let size = 0;
    for (const file of listing.files(joinKey("__fragments", name))) {
      files.set(lastPart(file.key), file.size ?? 0);
      size += file.size ?? 0;
    }
    const entry = stampedEntry(joinKey(path, "__fragments", name), size);
    if (entry === null) throw new FormatError(`commit of '${name}', which is no timestamped name`);
    fragments.push({ ...entry, files });
  }
  return fragments.sort(compareTimestampedNames);
}

async function readConsolidated(
  store: ReadableStore,
  consolidated: readonly StampedEntry[],
  ignores: readonly StampedEntry[],
  options: StoreOptions,
): Promise<{ names: Set<string>; deletes: StampedEntry[] }> {
  const ignored = new Set<string>();
  for (const bytes of await readAll(store, ignores, options)) {
    for (const name of readIgnoreFile(bytes)) ignored.add(name);
  }
  const names = new Set<string>();
  const deletes: StampedEntry[] = [];
  const contents = await readAll(store, consolidated, options);
  for (const [i, bytes] of contents.entries()) {
    const { key } = consolidated[i]!;
    for (const { name, kind } of readConsolidatedCommits(bytes, `${store.uri}/${key}`)) {
      if (!ignored.has(name)) names.add(name);
      if (kind === "write") continue;
      const stamped = stampedEntry(name, 0);
      if (stamped !== null) deletes.push({ ...stamped, key });
    }
  }
  return { names, deletes };
}

/** What is replaced is told by name alone: older `.vac` files hold absolute URIs of before the array was moved. */
async function readVacuums(
  store: ReadableStore,
  files: readonly StampedEntry[],
  options: StoreOptions,
): Promise<VacuumEntry[]> {
  const contents = await readAll(store, files, options);
  return files.map((file, i) => ({
    ...file,
    replaced: readVacuumFile(contents[i]!, `${store.uri}/${file.key}`).names,
  }));
}

async function readAll(
  store: ReadableStore,
  files: readonly StampedEntry[],
  options: StoreOptions,
): Promise<Uint8Array[]> {
  return mapBounded(
    files,
    PARALLEL_READS,
    async ({ key }) => {
      const bytes = await store.get(key, options);
      if (bytes !== undefined) return bytes;
      throw new FormatError("file was listed but is gone; is a vacuum under way?", {
        where: `${store.uri}/${key}`,
      });
    },
    options.signal,
  );
}
