import { viewAs } from "../../util/typed-arrays.js";
import { writeLiterals } from "./literals.js";
import { type Runs, writeSequences } from "./sequences.js";

/**
 * A Zstandard encoder that knows runs of one byte and the frequencies of the others, but looks for no other repeats.
 * Counts, and gaps of ascending indices, have none once their bytes are shuffled: on such data its frames are smaller than
 * those of the library's lower levels, which code what matches by chance; they take a fraction of the time, and need no
 * WebAssembly. Any decoder reads them. For text, and for whatever does repeat, it is the wrong encoder.
 *
 * Frame (RFC 8878, section 3.1.1): magic number (4 bytes), descriptor (1), size (4), then blocks of up to 128 KB:
 * last (1 bit), type (2 bits: 0 raw, 1 one repeated byte, 2 compressed), size (21 bits), bytes.
 */

const BLOCK = 1 << 17;
/** Shorter runs are hardly longer as literals than as a sequence. */
const MIN_RUN = 32;
const FRAME_HEADER = 9;

/** Memory for the blocks of one frame, used again for the next. */
interface Workspace {
  /** Literals of a block that has runs. */
  readonly literals: Uint8Array;
  readonly before: Uint32Array;
  readonly lengths: Uint32Array;
  out: Uint8Array;
  view: DataView;
}

let workspace: Workspace | null = null;

/** A frame with all of `bytes`, in memory of its own. */
export function encodeRuns(bytes: Uint8Array): Uint8Array {
  workspace ??= {
    literals: new Uint8Array(BLOCK),
    before: new Uint32Array(BLOCK / MIN_RUN + 1),
    lengths: new Uint32Array(BLOCK / MIN_RUN + 1),
    out: new Uint8Array(0),
    view: new DataView(new ArrayBuffer(0)),
  };
  const blocks = Math.max(1, Math.ceil(bytes.length / BLOCK));
  // A block's literals may take 11 bits each before it shows that they are better raw.
  const room = FRAME_HEADER + bytes.length + blocks * 3 + BLOCK + 1024;
  if (workspace.out.length < room) {
    workspace.out = new Uint8Array(room);
    workspace.view = new DataView(workspace.out.buffer);
  }
  const { out, view } = workspace;
  view.setUint32(0, 0xfd2fb528, true);
  // One segment, whose size is in 4 bytes.
  out[4] = 0xa0;
  view.setUint32(5, bytes.length, true);
  let at = FRAME_HEADER;
  for (let block = 0; block < blocks; block++) {
    const part = bytes.subarray(block * BLOCK, (block + 1) * BLOCK);
    at = writeBlock(part, block === blocks - 1, workspace, at);
  }
  return out.slice(0, at);
}

function writeBlock(part: Uint8Array, last: boolean, memory: Workspace, at: number): number {
  const { out } = memory;
  const runs = findRuns(part, memory);
  const { length } = part;
  const whole = runs.count === 1 && runs.lengths[0] === length - 1;
  if (whole) {
    writeHeader(out, at, last, 1, length);
    out[at + 3] = part[0]!;
    return at + 4;
  }
  const end = writeSequences(runs, out, writeLiterals(runs.rest, out, at + 3));
  const size = end - at - 3;
  if (size < length) {
    writeHeader(out, at, last, 2, size);
    return end;
  }
  writeHeader(out, at, last, 0, length);
  out.set(part, at + 3);
  return at + 3 + length;
}

function writeHeader(out: Uint8Array, at: number, last: boolean, type: number, size: number): void {
  const header = (last ? 1 : 0) | (type << 1) | (size << 3);
  out[at] = header;
  out[at + 1] = header >> 8;
  out[at + 2] = header >> 16;
}

/** Runs, and the bytes that are in none but the first of each. */
interface FoundRuns extends Runs {
  readonly rest: Uint8Array;
}

/**
 * Finds runs of MIN_RUN bytes and more by looking at words: of so many equal bytes at least four aligned words are equal.
 * Where there is no run, the rest is `part` itself.
 */
function findRuns(part: Uint8Array, memory: Workspace): FoundRuns {
  const { literals, before, lengths } = memory;
  const words = viewAs(part.subarray(0, part.length & ~3), Int32Array);
  let count = 0;
  let taken = 0;
  let kept = 0;
  for (let k = 0; k + 3 < words.length; ) {
    const word = words[k]!;
    if (word !== words[k + 1] || word !== words[k + 2] || word !== words[k + 3] || !isUniform(word)) {
      k += 4;
      continue;
    }
    const start = startOfRun(part, k * 4, taken);
    const end = endOfRun(part, words, k + 4);
    k = (end >> 4) * 4;
    if (end - start < MIN_RUN) continue;
    // The first byte of a run is a literal, which the match repeats.
    literals.set(part.subarray(taken, start + 1), kept);
    kept += start + 1 - taken;
    before[count] = start + 1 - taken;
    lengths[count++] = end - start - 1;
    taken = end;
  }
  if (count === 0) return { rest: part, count, literals: before, lengths };
  literals.set(part.subarray(taken), kept);
  return { rest: literals.subarray(0, kept + part.length - taken), count, literals: before, lengths };
}

/** All four bytes the same. */
function isUniform(word: number): boolean {
  return word === ((word << 8) | (word >>> 24));
}

function startOfRun(part: Uint8Array, within: number, least: number): number {
  const byte = part[within];
  let start = within;
  while (start > least && part[start - 1] === byte) start--;
  return start;
}

/** @param next the first word that is not known to be in the run */
function endOfRun(part: Uint8Array, words: Int32Array, next: number): number {
  const word = words[next - 1];
  let k = next;
  while (k < words.length && words[k] === word) k++;
  let end = k * 4;
  while (end < part.length && part[end] === (word! & 0xff)) end++;
  return end;
}
