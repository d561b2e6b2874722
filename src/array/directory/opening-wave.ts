import { parseTimestampedName } from "../../format/timestamped-name.js";
import { LEGACY_SCHEMA_FILE } from "../../format/version.js";
import { lastPart } from "../../storage/key.js";
import type { Wanted } from "../../storage/listed/listed-view.js";
import type { StoreEntry } from "../../storage/types.js";
import { FRAGMENT_METADATA_FILE } from "./array-directory.js";
import { FOOTER_TAIL_BYTES } from "./metadata-file.js";
import type { TimeWindow } from "./visible-at.js";

/**
 * What opening an array will most likely read, told from its listing: to be asked for at once where a request takes
 * time. What is missing here is asked for when it is needed; what is too much costs a request.
 */

/** Of all fragments' metadata together. */
const METADATA_BYTES = 1024 * 1024;
/** Of one of them: in the time of a request of 30 ms, 375 KB come at 100 Mbit/s. */
const MOST_METADATA_BYTES = 256 * 1024;
/** Of old schemas, which fragments may have been written with. */
const SCHEMA_BYTES = 256 * 1024;
const MOST_SCHEMAS = 16;

interface Stamped {
  readonly key: string;
  readonly start: number;
  readonly end: number;
}

/** Files by their folder below the array. */
type Folders = ReadonlyMap<string, readonly StoreEntry[]>;

/** @param entries all files below `path` */
export function openingWave(entries: readonly StoreEntry[], path: string, window: TimeWindow): Wanted[] {
  const folders = byFolder(entries, path);
  const wanted = [...schemaFiles(folders)];
  const commits = [...files(folders, "__commits"), ...files(folders, "")];
  for (const { key } of commits) if (/\.(con|ign|vac|del|upd)$/.test(key)) wanted.push(key);
  for (const { key } of files(folders, "__meta")) if (key.endsWith(".vac")) wanted.push(key);
  const metadata = fragmentMetadata(folders, window);
  const consolidated = consolidatedFooters(folders);
  if (metadata.length > 1) for (const { key } of consolidated) wanted.push(key);
  const replaced = commits.filter(({ key }) => key.endsWith(".vac")).flatMap(({ key }) => stamped(key));
  const isSpared = (one: Stamped) =>
    replaced.some((vacuum) => isInside(one, vacuum) && nameOf(one.key) !== nameOf(vacuum.key)) ||
    (metadata.length > 1 && consolidated.some((file) => isInside(one, file)));
  const needed = metadata.filter((one) => !isSpared(one));
  return [...wanted.map((key) => ({ key })), ...tails(needed)];
}

function byFolder(entries: readonly StoreEntry[], path: string): Folders {
  const skip = path === "" ? 0 : path.length + 1;
  const folders = new Map<string, StoreEntry[]>();
  for (const entry of entries) {
    const slash = entry.key.lastIndexOf("/");
    const folder = slash < skip ? "" : entry.key.slice(skip, slash);
    const others = folders.get(folder);
    if (others === undefined) folders.set(folder, [entry]);
    else others.push(entry);
  }
  return folders;
}

function files(folders: Folders, folder: string): readonly StoreEntry[] {
  return folders.get(folder) ?? [];
}

function stamped(key: string): Stamped[] {
  const stamp = parseTimestampedName(key);
  return stamp === null ? [] : [{ key, start: stamp.start, end: stamp.end }];
}

/** The newest schema, and the older ones unless they are many or large. */
function schemaFiles(folders: Folders): string[] {
  const named = files(folders, "__schema").flatMap((entry) =>
    stamped(entry.key).map((one) => ({ ...one, size: entry.size ?? 0 })),
  );
  named.sort((a, b) => a.start - b.start || (a.key < b.key ? -1 : 1));
  const legacy = files(folders, "").filter(({ key }) => lastPart(key) === LEGACY_SCHEMA_FILE);
  const bytes = named.reduce((sum, { size }) => sum + size, 0);
  const all = named.length <= MOST_SCHEMAS && bytes <= SCHEMA_BYTES;
  return [...legacy, ...(all ? named : named.slice(-1))].map(({ key }) => key);
}

interface FragmentMetadata extends Stamped {
  readonly size: number;
}

/** Metadata files of fragments that were written in the window, as their folders' names say. */
function fragmentMetadata(folders: Folders, window: TimeWindow): FragmentMetadata[] {
  const found: FragmentMetadata[] = [];
  for (const [folder, entries] of folders) {
    const parts = folder.split("/");
    const name = parts.length === 2 && parts[0] === "__fragments" ? parts[1]! : folder;
    const stamp = name.includes("/") ? null : parseTimestampedName(name);
    const file = entries.find(({ key }) => lastPart(key) === FRAGMENT_METADATA_FILE);
    if (stamp === null || file === undefined) continue;
    if (stamp.start > window.end || stamp.end < window.start) continue;
    found.push({ key: file.key, start: stamp.start, end: stamp.end, size: file.size ?? 0 });
  }
  return found;
}

function consolidatedFooters(folders: Folders): Stamped[] {
  return [...files(folders, "__fragment_meta"), ...files(folders, "")]
    .filter(({ key }) => key.endsWith(".meta"))
    .flatMap(({ key }) => stamped(key));
}

function isInside(one: Stamped, other: Stamped): boolean {
  return other.start <= one.start && one.end <= other.end;
}

/** Of a fragment's metadata file its folder's name, of a vacuum file that of its fragment. */
function nameOf(key: string): string {
  const name = lastPart(key);
  if (name === FRAGMENT_METADATA_FILE) return lastPart(key.slice(0, -name.length - 1));
  return name.slice(0, name.indexOf("."));
}

/** Whole files as long as they are small together, otherwise their ends with the footers. */
function tails(fragments: readonly FragmentMetadata[]): Wanted[] {
  const share = Math.min(MOST_METADATA_BYTES, METADATA_BYTES / Math.max(1, fragments.length));
  const most = Math.max(FOOTER_TAIL_BYTES, share);
  return fragments.map(({ key, size }) => {
    const length = size <= most ? size : FOOTER_TAIL_BYTES;
    return { key, range: { start: Math.max(0, size - length), end: size } };
  });
}
