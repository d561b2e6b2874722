/**
 * Repeats of four bytes and more in what was before, the nearest that a table of hashes remembers: quick rather than
 * thorough, as the library's lowest levels are.
 */

const MIN_MATCH = 4;
const HASH_BITS = 16;
/** Where nothing repeats, steps grow by one each time as many places were looked at. */
const PATIENCE = 6;

/** The sequences of a block. Of each: literals before it, bytes that it repeats, how far back they lie. */
export interface Matches {
  readonly literals: Uint32Array;
  readonly lengths: Uint32Array;
  readonly offsets: Uint32Array;
  count: number;
  /** The bytes that are in no match, and how many these are. */
  readonly rest: Uint8Array;
  restBytes: number;
}

/** Memory for blocks of up to `bytes` bytes. */
export function matchesOf(bytes: number): Matches {
  const most = Math.ceil(bytes / MIN_MATCH);
  return {
    literals: new Uint32Array(most),
    lengths: new Uint32Array(most),
    offsets: new Uint32Array(most),
    count: 0,
    rest: new Uint8Array(bytes),
    restBytes: 0,
  };
}

/** Remembers the places of one frame. */
export class MatchFinder {
  /** By hash, the last place of such bytes and 1; 0: none. */
  readonly #places = new Int32Array(1 << HASH_BITS);

  clear(): void {
    this.#places.fill(0);
  }

  /** Fills `found` with the matches of the bytes from `start` to `end`, in what lies before them in `bytes`. */
  find(bytes: Uint8Array, start: number, end: number, found: Matches): void {
    const places = this.#places;
    const last = end - MIN_MATCH;
    let taken = start;
    let offset = 0;
    found.count = found.restBytes = 0;
    for (let at = start; at <= last; ) {
      const word = wordAt(bytes, at);
      const slot = Math.imul(word, 0x9e3779b1) >>> (32 - HASH_BITS);
      // The distance of the match before comes again in tables of rows; it takes the fewest bits.
      const place = offset > 0 && wordAt(bytes, at - offset) === word ? at - offset : places[slot]! - 1;
      places[slot] = at + 1;
      if (place < 0 || wordAt(bytes, place) !== word) {
        at += 1 + ((at - taken) >> PATIENCE);
        continue;
      }
      offset = at - place;
      const from = startOf(bytes, at, offset, taken);
      const to = endOf(bytes, at + MIN_MATCH, offset, end);
      add(found, bytes, taken, from, to, offset);
      taken = at = to;
    }
    found.rest.set(bytes.subarray(taken, end), found.restBytes);
    found.restBytes += end - taken;
  }
}

function wordAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

/** Where bytes that are the same `offset` earlier begin. */
function startOf(bytes: Uint8Array, at: number, offset: number, least: number): number {
  let start = at;
  while (start > least && start - offset > 0 && bytes[start - 1] === bytes[start - 1 - offset]) start--;
  return start;
}

function endOf(bytes: Uint8Array, at: number, offset: number, end: number): number {
  let next = at;
  while (next < end && bytes[next] === bytes[next - offset]) next++;
  return next;
}

function add(
  found: Matches,
  bytes: Uint8Array,
  taken: number,
  from: number,
  to: number,
  offset: number,
): void {
  const k = found.count++;
  found.literals[k] = from - taken;
  found.lengths[k] = to - from;
  found.offsets[k] = offset;
  found.rest.set(bytes.subarray(taken, from), found.restBytes);
  found.restBytes += from - taken;
}
