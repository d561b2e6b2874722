import { type Matches, MatchFinder, matchesOf } from "./find-matches.js";
import { writeLiterals } from "./literals.js";
import { FIRST_OFFSETS, writeMatches } from "./match-sequences.js";

/**
 * A Zstandard encoder for platforms that have none: about as small as the library's lowest levels, without WebAssembly,
 * without a choice of levels. Any decoder reads its frames, which are like those of encode-runs.ts.
 */

const BLOCK = 1 << 17;
const FRAME_HEADER = 9;

/** Memory of all calls, made at the first. */
interface Workspace {
  readonly finder: MatchFinder;
  readonly found: Matches;
  /** A block as it is written, of which it turns out later whether it is smaller than before. */
  readonly block: Uint8Array;
}

let workspace: Workspace | null = null;

/** A frame with all of `bytes`, in memory of its own. */
export function encodeMatches(bytes: Uint8Array): Uint8Array {
  workspace ??= {
    finder: new MatchFinder(),
    found: matchesOf(BLOCK),
    // Literals take 11 bits each at most, matches of four bytes and more 12 bytes.
    block: new Uint8Array(5 * BLOCK + 1024),
  };
  const { finder, found, block } = workspace;
  const blocks = Math.max(1, Math.ceil(bytes.length / BLOCK));
  const out = new Uint8Array(FRAME_HEADER + bytes.length + blocks * 3);
  const view = new DataView(out.buffer);
  view.setUint32(0, 0xfd2fb528, true);
  // One segment, whose size is in 4 bytes.
  out[4] = 0xa0;
  view.setUint32(5, bytes.length, true);
  finder.clear();
  let recent = [...FIRST_OFFSETS];
  let at = FRAME_HEADER;
  for (let index = 0; index < blocks; index++) {
    const start = index * BLOCK;
    const end = Math.min(bytes.length, start + BLOCK);
    finder.find(bytes, start, end, found);
    // What a block that is stored as it is would have changed, decoders do not see.
    const after = [...recent];
    const literals = found.rest.subarray(0, found.restBytes);
    const size = writeMatches(found, after, block, writeLiterals(literals, block, 0));
    const isSmaller = size < end - start;
    const stored = isSmaller ? block.subarray(0, size) : bytes.subarray(start, end);
    if (isSmaller) recent = after;
    const header = (index === blocks - 1 ? 1 : 0) | (isSmaller ? 4 : 0) | (stored.length << 3);
    out[at] = header;
    out[at + 1] = header >> 8;
    out[at + 2] = header >> 16;
    out.set(stored, at + 3);
    at += 3 + stored.length;
  }
  return out.slice(0, at);
}
