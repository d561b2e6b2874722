import type {
  ArrayDirectory,
  DeleteEntry,
  FragmentFiles,
  StampedEntry,
  VacuumEntry,
} from "./array-directory.js";

/**
 * What of an array counts when it is opened at a time, by the rules of the official library's reader.
 */

/** Milliseconds since 1970, both ends inclusive. */
export interface TimeWindow {
  readonly start: number;
  readonly end: number;
}

export const ALL_TIME: TimeWindow = { start: 0, end: Number.POSITIVE_INFINITY };

/** Since this version consolidated fragments of sparse arrays may hold the time of each cell. */
const CELL_TIMESTAMPS_VERSION = 15;

/**
 * The fragments seen, oldest first. A fragment counts if its whole time range is inside the window. Sparse fragments
 * whose cells have times of their own count as soon as their range touches it; the reader then filters cells. Fragments
 * that a consolidation replaced don't count where the consolidated fragment (its vacuum file) is seen.
 */
export function visibleFragments(
  directory: ArrayDirectory,
  window: TimeWindow,
  dense: boolean,
): FragmentFiles[] {
  const seen = (entry: StampedEntry) =>
    !dense && (entry.version ?? 0) >= CELL_TIMESTAMPS_VERSION
      ? touches(entry, window)
      : within(entry, window);
  const replaced = replacedNames(directory.vacuums.filter(seen));
  return directory.fragments.filter((fragment) => seen(fragment) && !replaced.has(fragment.name));
}

/** The array metadata files that count, oldest first: later entries replace earlier ones. */
export function visibleMetadata(directory: ArrayDirectory, window: TimeWindow): StampedEntry[] {
  const replaced = replacedNames(directory.metadataVacuums.filter((file) => within(file, window)));
  return directory.metadata.filter((file) => within(file, window) && !replaced.has(file.name));
}

/** Delete and update commits that apply. */
export function visibleDeletes(directory: ArrayDirectory, window: TimeWindow): DeleteEntry[] {
  return directory.deletes.filter((commit) => within(commit, window));
}

/** The newest schema at the window's end; the oldest of all if the window ends before it. */
export function schemaAt(directory: ArrayDirectory, window: TimeWindow): StampedEntry | undefined {
  return directory.schemas.findLast((schema) => schema.end <= window.end) ?? directory.schemas[0];
}

function replacedNames(vacuums: readonly VacuumEntry[]): Set<string> {
  return new Set(vacuums.flatMap((file) => file.replaced));
}

function within(entry: StampedEntry, window: TimeWindow): boolean {
  return entry.start >= window.start && entry.end <= window.end;
}

function touches(entry: StampedEntry, window: TimeWindow): boolean {
  return entry.start <= window.end && window.start <= entry.end;
}
