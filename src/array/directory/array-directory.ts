import { FormatError } from "../../errors.js";
import { readConsolidatedCommits } from "../../format/consolidated-commits.js";
import { readIgnoreFile } from "../../format/ignore-file.js";
import { compareTimestampedNames, parseTimestampedName } from "../../format/timestamped-name.js";
import { readVacuumFile } from "../../format/vacuum-file.js";
import { LEGACY_SCHEMA_FILE } from "../../format/version.js";
import { joinKey, lastPart } from "../../storage/key.js";
import { locationUri } from "../../storage/resolve.js";
import type { ReadableStore, StoreEntry, StoreLocation, StoreOptions } from "../../storage/types.js";
import { mapBounded } from "../../util/concurrency.js";

/**
 * What lies in an array's folder (format_spec/array_file_hierarchy.md) as a plain value, from one listing and the few
 * small files that say which fragments count. Which of it is seen at a time is for visible-at.ts.
 *
 * Before version 12 fragments, their commits (`.ok`, before 5 none), vacuum files and consolidated fragment metadata
 * lay in the array's folder itself, before 10 the one schema too. An array that was written to by several libraries
 * has both layouts; all of it counts.
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

/** How an array's files are read. */
export interface ArrayReadOptions extends StoreOptions {
  /** Of an encrypted array, 32 bytes. */
  readonly encryptionKey?: Uint8Array | undefined;
}

/** A delete or update commit. */
export interface DeleteEntry extends StampedEntry {
  /** What the commit file holds, where it stands in a consolidated commits file (`key` is then that file's). */
  readonly content: Uint8Array | null;
}

export interface ArrayDirectory {
  readonly location: StoreLocation;
  readonly uri: string;
  /** Of an encrypted array, 32 bytes. */
  readonly encryptionKey?: Uint8Array | undefined;
  /** Oldest first, as all lists here. */
  readonly schemas: readonly StampedEntry[];
  /** Fragments that were committed, visible or not. */
  readonly fragments: readonly FragmentFiles[];
  readonly vacuums: readonly VacuumEntry[];
  /** Delete and update commits, from files of their own and from consolidated commits. */
  readonly deletes: readonly DeleteEntry[];
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

/** The file with which a fragment's writer ended, before commits had files of their own. */
export const FRAGMENT_METADATA_FILE = "__fragment_metadata.tdb";

const PARALLEL_READS = 8;

/** Lists an array's folder. It need not be an array: then `schemas` is empty. */
export async function loadArrayDirectory(
  location: StoreLocation,
  options: ArrayReadOptions = {},
): Promise<ArrayDirectory> {
  const { store, path } = location;
  const listing = new Listing(await store.list(path, { ...options, recursive: true }), path);
  const commitFiles = listing.stamped("__commits");
  const rootFiles = listing.stamped("");
  const withSuffix = (suffix: string) => commitFiles.filter((file) => file.name.endsWith(suffix));
  const inRoot = (suffix: string) => rootFiles.filter((file) => file.name.endsWith(suffix));
  const consolidated = withSuffix(".con");
  const ignores = withSuffix(".ign");
  const commits = await readConsolidated(store, consolidated, ignores, options);
  const writes = withSuffix(".wrt");
  const metadata = listing.stamped("__meta");
  return {
    location,
    uri: locationUri(location),
    encryptionKey: options.encryptionKey,
    schemas: [...legacySchema(listing), ...listing.stamped("__schema")],
    fragments: [
      ...committedFragments(listing, path, writes, commits.names),
      ...rootFragments(listing, path, inRoot(".ok"), commits.names),
    ].sort(compareTimestampedNames),
    vacuums: await readVacuums(store, [...inRoot(".vac"), ...withSuffix(".vac")], options),
    deletes: distinctDeletes([...withSuffix(".del"), ...withSuffix(".upd")], commits.deletes),
    fragmentMetadata: [
      ...inRoot(".meta"),
      ...listing.stamped("__fragment_meta").filter((file) => file.name.endsWith(".meta")),
    ].sort(compareTimestampedNames),
    metadata: metadata.filter((file) => !file.name.includes(".")),
    metadataVacuums: await readVacuums(
      store,
      metadata.filter((file) => file.name.endsWith(".vac")),
      options,
    ),
    commits: { writes, consolidated, ignores, consolidatedNames: commits.names },
  };
}

/** A commit that was consolidated but not yet vacuumed is there twice. */
function distinctDeletes(
  files: readonly StampedEntry[],
  consolidated: readonly DeleteEntry[],
): DeleteEntry[] {
  const byName = new Map(files.map((file): [string, DeleteEntry] => [file.name, { ...file, content: null }]));
  for (const entry of consolidated) byName.set(entry.name, entry);
  return [...byName.values()].sort(compareTimestampedNames);
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

  /** Paths below the array of all folders that hold files. */
  get folders(): Iterable<string> {
    return this.#folders.keys();
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

/** The schema of arrays of before version 10; it was there before any in `__schema`, and has no time of its own. */
function legacySchema(listing: Listing): StampedEntry[] {
  const file = listing.files("").find(({ key }) => lastPart(key) === LEGACY_SCHEMA_FILE);
  if (file === undefined) return [];
  return [{ name: LEGACY_SCHEMA_FILE, key: file.key, start: 0, end: 0, version: null, size: file.size ?? 0 }];
}

/**
 * Fragments of before version 12, in the array's folder itself. Since version 5 an `.ok` file beside it (or its name in
 * consolidated commits) says that a fragment is whole; before, its metadata file does, which was written last.
 */
function rootFragments(
  listing: Listing,
  path: string,
  okFiles: readonly StampedEntry[],
  consolidatedNames: ReadonlySet<string>,
): FragmentFiles[] {
  const committed = new Set(okFiles.map((file) => file.name));
  const fragments: FragmentFiles[] = [];
  for (const folder of listing.folders) {
    if (folder === "" || folder.includes("/")) continue;
    const fragment = fragmentFiles(listing, path, folder);
    if (fragment === null) continue;
    const ok = `${folder}.ok`;
    const isWhole = fragment.version === null && fragment.files.has(FRAGMENT_METADATA_FILE);
    if (isWhole || committed.has(ok) || consolidatedNames.has(ok)) fragments.push(fragment);
  }
  return fragments;
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
    const fragment = fragmentFiles(listing, path, joinKey("__fragments", name));
    if (fragment === null) throw new FormatError(`commit of '${name}', which is no timestamped name`);
    fragments.push(fragment);
  }
  return fragments;
}

/** What a fragment's folder holds; null if the folder has no timestamped name. */
function fragmentFiles(listing: Listing, path: string, folder: string): FragmentFiles | null {
  const files = new Map<string, number>();
  let size = 0;
  for (const file of listing.files(folder)) {
    files.set(lastPart(file.key), file.size ?? 0);
    size += file.size ?? 0;
  }
  const entry = stampedEntry(joinKey(path, folder), size);
  return entry === null ? null : { ...entry, files };
}

async function readConsolidated(
  store: ReadableStore,
  consolidated: readonly StampedEntry[],
  ignores: readonly StampedEntry[],
  options: StoreOptions,
): Promise<{ names: Set<string>; deletes: DeleteEntry[] }> {
  const ignored = new Set<string>();
  for (const bytes of await readAll(store, ignores, options)) {
    for (const name of readIgnoreFile(bytes)) ignored.add(name);
  }
  const names = new Set<string>();
  const deletes: DeleteEntry[] = [];
  const contents = await readAll(store, consolidated, options);
  for (const [i, bytes] of contents.entries()) {
    const { key } = consolidated[i]!;
    for (const { name, kind, content } of readConsolidatedCommits(bytes, `${store.uri}/${key}`)) {
      if (!ignored.has(name)) names.add(name);
      if (kind === "write") continue;
      const stamped = stampedEntry(name, 0);
      if (stamped !== null) deletes.push({ ...stamped, key, content });
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
