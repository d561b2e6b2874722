import { badPart } from "../../filters/compression.js";
import type { Decompress } from "../../filters/filter.js";
import { zstdFrames } from "../zstd-frames.js";
import { CorruptFrame, PADDING } from "./backward-bits.js";
import { checksum } from "./checksum.js";
import { BLOCK_BYTES, LiteralsDecoder } from "./literals-decoder.js";
import { SequencesDecoder } from "./sequences-decoder.js";

/**
 * A Zstandard decoder without WebAssembly, for platforms that do not let modules be compiled (workers of Cloudflare,
 * pages whose policy forbids it). It takes and refuses what wasm/zstd.ts does, and is slower.
 */

/** The copy of a part that took more than this is given up after it. */
const KEPT_BYTES = 1 << 24;

export function startPlainDecoder(): Decompress {
  const decoder = new PlainDecoder();
  return (part, out) => {
    zstdFrames(part, out);
    try {
      if (decoder.decode(part, out) === out.byteLength) return;
    } catch (error) {
      if (!(error instanceof CorruptFrame)) throw error;
    }
    throw badPart("zstd", part, out, "corrupt frame");
  };
}

class PlainDecoder {
  readonly #literals = new LiteralsDecoder();
  readonly #sequences = new SequencesDecoder();
  #copy = new Uint8Array(0);

  /** Fills `out`; the bytes that the part gave. */
  decode(part: Uint8Array, out: Uint8Array): number {
    const bytes = this.#padded(part);
    let to = 0;
    for (let at = 0; at < part.byteLength; ) {
      const frame = frameHeader(bytes, at, part.byteLength);
      const start = to;
      const blocks = this.#decodeBlocks(bytes, frame.blocks, part.byteLength, out, to);
      to = blocks.to;
      at = blocks.at;
      if (frame.size !== null && frame.size !== to - start) throw new CorruptFrame();
      if (!frame.checked) continue;
      if (part.byteLength - at < 4) throw new CorruptFrame();
      const view = new DataView(bytes.buffer, at, 4);
      if (checksum(out.subarray(start, to)) !== view.getUint32(0, true)) throw new CorruptFrame();
      at += 4;
    }
    if (this.#copy.byteLength > KEPT_BYTES) this.#copy = new Uint8Array(0);
    return to;
  }

  /** The part with bytes behind it that may be read. */
  #padded(part: Uint8Array): Uint8Array {
    const size = part.byteLength + PADDING;
    if (this.#copy.byteLength < size) this.#copy = new Uint8Array(Math.max(size, 1 << 16));
    this.#copy.set(part);
    return this.#copy;
  }

  #decodeBlocks(
    bytes: Uint8Array,
    at: number,
    end: number,
    out: Uint8Array,
    to: number,
  ): { at: number; to: number } {
    const frameStart = to;
    this.#literals.clear();
    this.#sequences.clear();
    for (let last = 0; last === 0; ) {
      if (end - at < 3) throw new CorruptFrame();
      const header = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);
      at += 3;
      last = header & 1;
      const type = (header >> 1) & 3;
      const size = header >> 3;
      const stored = type === 1 ? 1 : size;
      if (type === 3 || stored > end - at) throw new CorruptFrame();
      if (type === 2) to = this.#decodeBlock(bytes, at, at + size, out, frameStart, to);
      else {
        if (size > out.byteLength - to) throw new CorruptFrame();
        if (type === 0) out.set(bytes.subarray(at, at + size), to);
        else out.fill(bytes[at]!, to, to + size);
        to += size;
      }
      at += stored;
    }
    return { at, to };
  }

  #decodeBlock(
    bytes: Uint8Array,
    at: number,
    end: number,
    out: Uint8Array,
    frameStart: number,
    to: number,
  ): number {
    if (end - at > BLOCK_BYTES || end - at < 2) throw new CorruptFrame();
    const sequences = this.#literals.read(bytes, at, end);
    return this.#sequences.run(bytes, sequences, end, this.#literals, out, frameStart, to);
  }
}

interface FrameHeader {
  /** Where the blocks begin. */
  readonly blocks: number;
  /** Null where the frame does not say. */
  readonly size: number | null;
  readonly checked: boolean;
}

/** What follows the magic number, which `zstdFrames` has compared. */
function frameHeader(bytes: Uint8Array, at: number, end: number): FrameHeader {
  const descriptor = bytes[at + 4]!;
  // Bit 3 is reserved; dictionaries are not known here.
  if ((descriptor & 8) !== 0 || (descriptor & 3) !== 0) throw new CorruptFrame();
  const single = (descriptor >> 5) & 1;
  const width = [single, 2, 4, 8][descriptor >> 6]!;
  const sizeAt = at + 6 - single;
  if (sizeAt + width >= end) throw new CorruptFrame();
  let size = width === 2 ? 256 : 0;
  for (let k = 0; k < width; k++) size += bytes[sizeAt + k]! * 2 ** (8 * k);
  return { blocks: sizeAt + width, size: width === 0 ? null : size, checked: (descriptor & 4) !== 0 };
}
