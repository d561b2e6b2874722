import { ArgumentError } from "../../errors.js";
import { badPart } from "./compression.js";
import type { Compress, Decompress } from "./filter.js";

/**
 * RLE filter (code 4) on cells of fixed size: runs of a cell and its count, a big-endian uint16. (Variable-length
 * strings: string-decode.ts.)
 */

const MAX_RUN = 65535;

export const compressRle: Compress = (part, step) => {
  const cell = step.cellBytes;
  const cells = part.byteLength / cell;
  if (!Number.isInteger(cells)) {
    throw new ArgumentError(
      `rle filter: ${part.byteLength} bytes are not cells of ${cell}; put it first in the pipeline`,
    );
  }
  const out = new Uint8Array(cells * (cell + 2));
  let to = 0;
  let run = 0;
  for (let at = 0; at < part.byteLength; at += cell) {
    run++;
    if (run < MAX_RUN && at + cell < part.byteLength && sameCell(part, at, cell)) continue;
    for (let i = 0; i < cell; i++) out[to++] = part[at + i]!;
    out[to++] = run >> 8;
    out[to++] = run & 255;
    run = 0;
  }
  return out.subarray(0, to);
};

/** Whether the cell at `at` equals the one after it. */
function sameCell(part: Uint8Array, at: number, cell: number): boolean {
  for (let i = at; i < at + cell; i++) if (part[i] !== part[i + cell]) return false;
  return true;
}

export const decompressRle: Decompress = (part, out, step) => {
  const cell = step.cellBytes;
  const width = cell + 2;
  if (part.byteLength % width !== 0) throw badPart("rle", part, out, `no runs of ${width} bytes`);
  let to = 0;
  for (let at = 0; at < part.byteLength; at += width) {
    const bytes = ((part[at + cell]! << 8) | part[at + cell + 1]!) * cell;
    if (bytes > out.byteLength - to) throw badPart("rle", part, out, "runs are too long");
    fillRun(out, to, to + bytes, part, at, cell);
    to += bytes;
  }
  if (to !== out.byteLength) throw badPart("rle", part, out, `it gives ${to}`);
};

function fillRun(
  out: Uint8Array,
  start: number,
  end: number,
  part: Uint8Array,
  at: number,
  cell: number,
): void {
  if (start === end) return;
  if (cell === 1) {
    out.fill(part[at]!, start, end);
    return;
  }
  for (let i = 0; i < cell; i++) out[start + i] = part[at + i]!;
  if (end - start <= 64) {
    for (let i = start + cell; i < end; i++) out[i] = out[i - cell]!;
    return;
  }
  // Doubles what is there, so that a long run takes few copies.
  for (let done = cell; done < end - start; ) {
    const more = Math.min(done, end - start - done);
    out.copyWithin(start + done, start, start + more);
    done += more;
  }
}
