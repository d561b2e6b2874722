import { loadArrayDirectory } from "../../array/directory/array-directory.js";
import type { FragmentReader } from "../../array/directory/fragment-reader.js";
import { readMetadataTail } from "../../array/directory/metadata-file.js";
import { type DirectoryState, openDirectory } from "../../array/directory/open-directory.js";
import { ALL_TIME } from "../../array/directory/visible-at.js";
import { isCellarrError } from "../../errors.js";
import { fieldFileName, TIMESTAMPS } from "../../format/fragment/fragment-fields.js";
import { joinKey, lastPart } from "../../storage/key.js";
import type { ByteRange, ReadableStore, StoreEntry } from "../../storage/types.js";
import { addedColumns } from "../layout.js";

/**
 * What of a store an index file should hold, most useful first:
 *
 * 0. files without which arrays do not open: schemas, commits that are not empty, metadata, consolidated footers
 * 1. fragments' footers; small metadata files whole
 * 2. of larger ones the R-tree and where tiles lie
 * 3. columns of frames, the genes' names first, and tiles' statistics, smaller ones before larger ones
 *
 * Tiles of matrices are not held: which ones are asked for depends on the query.
 */

export interface Piece {
  readonly key: string;
  readonly range: ByteRange;
}

/** Pieces that are of use together. */
export interface Candidate {
  readonly rank: number;
  readonly pieces: readonly Piece[];
  readonly bytes: number;
}

/** Metadata files up to this size are held whole. */
const WHOLE_BYTES = 4 * 1024;
const METADATA_FILE = "__fragment_metadata.tdb";

/** In the order in which they should be taken; some may be empty. `store` lists `entries`, which are all files below `root`. */
export async function candidatesOf(
  store: ReadableStore,
  root: string,
  entries: readonly StoreEntry[],
  signal: AbortSignal | undefined,
): Promise<Candidate[]> {
  const small = entries.filter(({ key, size = 0 }) => size > 0 && isOpening(key));
  const found = small.map(({ key, size }) => candidate(0, [{ key, range: { start: 0, end: size! } }]));
  for (const path of arrayPaths(entries, root)) {
    const state = await openPlainly(store, path, signal);
    for (const fragment of state?.fragments ?? []) {
      found.push(...(await metadataCandidates(fragment, signal)));
      if (isFrame(state!)) found.push(...columnCandidates(fragment));
    }
  }
  return found.sort((a, b) => a.rank - b.rank || a.bytes - b.bytes);
}

function candidate(rank: number, pieces: readonly Piece[]): Candidate {
  return { rank, pieces, bytes: pieces.reduce((sum, { range }) => sum + range.end - range.start, 0) };
}

/** Files that opening an array or a group reads whole. */
function isOpening(key: string): boolean {
  return /(^|\/)(__schema|__commits|__meta|__group|__fragment_meta|__enumerations)\/[^/]+$|(^|\/)__array_schema\.tdb$|\.(meta|vac)$/.test(
    key,
  );
}

function arrayPaths(entries: readonly StoreEntry[], root: string): Set<string> {
  const paths = new Set<string>();
  for (const { key } of entries) {
    const at = key.search(/(?<=^|\/)(__schema\/__\d|__array_schema\.tdb$)/);
    const path = at <= 0 ? "" : key.slice(0, at - 1);
    if (at >= 0 && (root === "" || path === root || path.startsWith(`${root}/`))) paths.add(path);
  }
  return paths;
}

/** Null of arrays that do not open, or not without a key: of these nothing more is held. */
async function openPlainly(
  store: ReadableStore,
  path: string,
  signal: AbortSignal | undefined,
): Promise<DirectoryState | null> {
  try {
    return await openDirectory(await loadArrayDirectory({ store, path }, { signal }), ALL_TIME, { signal });
  } catch (error) {
    if (isCellarrError(error, "ABORTED") || isCellarrError(error, "STORAGE") || !isCellarrError(error))
      throw error;
    return null;
  }
}

function isFrame({ schema }: DirectoryState): boolean {
  return schema.arrayType === "dense" && schema.dimensions.length === 1;
}

async function metadataCandidates(
  fragment: FragmentReader,
  signal: AbortSignal | undefined,
): Promise<Candidate[]> {
  const key = fragment.key(METADATA_FILE);
  const size = fragment.files.files.get(METADATA_FILE) ?? 0;
  if (size <= WHOLE_BYTES) return [candidate(1, [{ key, range: { start: 0, end: size } }])];
  const footer = await footerStart(fragment, key, size, signal);
  const sections = joined(fragment.sectionRanges(fieldsOf(fragment)));
  return [
    candidate(1, [{ key, range: { start: footer, end: size } }]),
    candidate(
      2,
      sections.map((range) => ({ key, range })),
    ),
    candidate(3, [{ key, range: { start: sections.at(-1)?.end ?? footer, end: footer } }]),
  ];
}

/** Fields of which tiles are read. */
function fieldsOf({ schema, footer }: FragmentReader): string[] {
  const fields = footer.dense ? schema.attributes : [...schema.dimensions, ...schema.attributes];
  const names = fields.map(({ name }) => name);
  return footer.hasTimestamps ? [...names, TIMESTAMPS] : names;
}

async function footerStart(
  { store, footer }: FragmentReader,
  key: string,
  size: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  const tail = await readMetadataTail(store, key, size, null, { signal });
  // Before, the file does not always say how long it is.
  if (footer.version < 10) return tail.start;
  const view = new DataView(tail.bytes.buffer, tail.bytes.byteOffset, tail.bytes.byteLength);
  return size - 8 - Number(view.getBigUint64(tail.bytes.byteLength - 8, true));
}

/** Ranges that follow one another as one. */
function joined(ranges: readonly ByteRange[]): ByteRange[] {
  const sorted = [...ranges].sort((a, b) => a.start - b.start);
  const result: ByteRange[] = [];
  for (const { start, end } of sorted) {
    const last = result.at(-1);
    if (last === undefined || start > last.end) result.push({ start, end });
    else result[result.length - 1] = { start: last.start, end: Math.max(last.end, end) };
  }
  return result;
}

/** Each column with its offsets and validity. */
function columnCandidates(fragment: FragmentReader): Candidate[] {
  return fragment.schema.attributes.map(({ name }) => {
    const file = fieldFileName(fragment.schema, name, fragment.footer.version);
    const pieces = ["", "_var", "_validity"].flatMap((part): Piece[] => {
      const own = `${file}${part}.tdb`;
      const size = fragment.files.files.get(own) ?? 0;
      return size === 0
        ? []
        : [{ key: joinKey(fragment.files.key, lastPart(own)), range: { start: 0, end: size } }];
    });
    return candidate(name === addedColumns.geneIndex ? 2.5 : 3, pieces);
  });
}
