/**
 * Timestamped name (format_spec/timestamped_name.md).
 *
 * | Format version | Form |
 * | :--- | :--- |
 * | 1, 2 | `__uuid_t1[_t2]` |
 * | 3, 4 | `__t1_t2_uuid` |
 * | from 5 | `__t1_t2_uuid[_v]` |
 *
 * Fragments, their commit files, vacuum files, consolidated commits and fragment metadata carry the version; schemas,
 * array metadata and group details do not. The forms of 1 and 2 are read too: a uuid is told from a timestamp by its
 * 32 hexadecimal digits (some early writers put fewer).
 */
export interface TimestampedName {
  /** Milliseconds since 1970-01-01 UTC, both inclusive. */
  readonly start: number;
  readonly end: number;
  /** 32 hexadecimal digits. */
  readonly uuid: string;
  /** Format version at the end of the name, null where it has none. */
  readonly version: number | null;
}

const modern = /^__(\d{1,20})_(\d{1,20})_([0-9a-fA-F]{32})(?:_(\d{1,10}))?$/;
const legacy = /^__([0-9a-fA-F]{32})_(\d{1,20})(?:_(\d{1,20}))?$/;

/**
 * The parts of the last component of `name`, which may be a path or URI and may end in `/` or in an extension such as
 * `.wrt`; null if it is no timestamped name. Listings skip files for which this is null, as the specification asks.
 */
export function parseTimestampedName(name: string): TimestampedName | null {
  const base = lastComponent(name);
  const match = modern.exec(base);
  if (match !== null) {
    return checked(match[1]!, match[2]!, match[3]!, match[4] === undefined ? null : Number(match[4]));
  }
  const old = legacy.exec(base);
  return old === null ? null : checked(old[2]!, old[3] ?? old[2]!, old[1]!, null);
}

/**
 * The newest format version that writes names of that form: what stands in the name, 4 or 2 where nothing does. Null if
 * it is no timestamped name.
 */
export function newestVersionOf(name: string): number | null {
  const base = lastComponent(name);
  const match = modern.exec(base);
  if (match !== null) return match[4] === undefined ? 4 : Number(match[4]);
  return legacy.test(base) ? 2 : null;
}

/** `__start_end_uuid`, with `_version` where one is given. Times in milliseconds; the uuid is 32 hexadecimal digits. */
export function makeTimestampedName(
  start: number,
  end: number,
  version?: number,
  uuid = randomUuid(),
): string {
  const name = `__${start}_${end}_${uuid}`;
  return version === undefined ? name : `${name}_${version}`;
}

/** 32 hexadecimal digits from the platform's secure generator. */
export function randomUuid(): string {
  let text = "";
  for (const byte of crypto.getRandomValues(new Uint8Array(16))) text += byte.toString(16).padStart(2, "0");
  return text;
}

/** The core's order of fragments and metadata files, oldest first: by start, and by name where that is the same. */
export function compareTimestampedNames(
  a: { readonly start: number; readonly name: string },
  b: { readonly start: number; readonly name: string },
): number {
  return a.start - b.start || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
}

/** The part after the last slash, without a trailing slash and without an extension. */
function lastComponent(name: string): string {
  const path = name.endsWith("/") ? name.slice(0, -1) : name;
  const base = path.slice(path.lastIndexOf("/") + 1);
  const dot = base.indexOf(".");
  return dot < 0 ? base : base.slice(0, dot);
}

function checked(start: string, end: string, uuid: string, version: number | null): TimestampedName | null {
  const from = Number(start);
  const to = Number(end);
  if (!(from <= to)) return null;
  return { start: from, end: to, uuid, version };
}
