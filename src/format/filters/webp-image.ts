import { FormatError } from "../../errors.js";

/**
 * The outside of a WebP picture (RIFF container): chunks of a name, a length (uint32) and bytes, padded to an even
 * length. The pixels are in one of
 *
 * | chunk | size of the picture |
 * |---|---|
 * | "VP8 " lossy | after a tag of 3 bytes and 9d 01 2a: width, height (uint16, the lower 14 bits) |
 * | "VP8L" lossless | after 2f: width - 1, height - 1 (14 bits each) |
 *
 * A lossy picture with transparency has a chunk "VP8X" before, and one "ALPH" without a size of its own.
 */

/** In pixels. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

const RIFF_HEADER = 12;
const CHUNK_HEADER = 8;

/** The size of a picture, from its first chunk of pixels; FormatError where there is none. */
export function pictureSize(picture: Uint8Array): PictureSize {
  if (nameAt(picture, 0) !== "RIFF" || nameAt(picture, 8) !== "WEBP") throw broken("no picture of that kind");
  const view = new DataView(picture.buffer, picture.byteOffset, picture.byteLength);
  for (let at = RIFF_HEADER; at + CHUNK_HEADER <= picture.byteLength; ) {
    const name = nameAt(picture, at);
    const length = view.getUint32(at + 4, true);
    const start = at + CHUNK_HEADER;
    if (length > picture.byteLength - start) throw broken("a chunk is cut");
    if (name === "VP8 " && length >= 10) return lossySize(view, start);
    if (name === "VP8L" && length >= 5) return losslessSize(view, start);
    at = start + length + (length % 2);
  }
  throw broken("no pixels");
}

function lossySize(view: DataView, start: number): PictureSize {
  const width = view.getUint16(start + 6, true) & 0x3fff;
  return { width, height: view.getUint16(start + 8, true) & 0x3fff };
}

function losslessSize(view: DataView, start: number): PictureSize {
  const bits = view.getUint32(start + 1, true);
  return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
}

function nameAt(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}

function broken(problem: string): FormatError {
  return new FormatError(`webp filter: ${problem}`);
}
