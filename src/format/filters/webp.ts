import { FormatError, UnsupportedError } from "../../errors.js";
import { ByteReader } from "../byte-reader.js";
import type { WebpFormat } from "../filter-pipeline.js";
import { type Filter, type FilterStep, restOf } from "./filter.js";
import type { DecodePicture } from "./webp-decoder.js";
import { pictureSize } from "./webp-image.js";

/**
 * WebP filter (code 18, though the specification's page says 17; format_spec/filters/webp.md): the cells of a dense
 * tile of two dimensions as one picture, which has as many rows as the tile and 3 or 4 cells (uint8) to a pixel. A tile
 * is one chunk, whatever the chunk size. Reading only. Its metadata, which the page leaves out:
 *
 * | field | type |
 * |---|---|
 * | number of pictures, 1 | uint32 |
 * | bytes of each | uint32 |
 */
export function webpFilter(decode: DecodePicture): Filter {
  return {
    forward: () => {
      throw new UnsupportedError("webp filter: cells are read through it, not written");
    },
    reverse: (input, step, output) => {
      const picture = onlyPicture(input.metadata, input.data);
      const order = channelsOf(step);
      const size = pictureSize(picture);
      // Refuses another size than the tile's, before the decoder takes memory.
      const data = output.data(size.width * size.height * order.length);
      rearrange(decode(picture, size), data, order);
      return { metadata: restOf(input.metadata, 8), data };
    },
  };
}

/** The official library writes one; it would read each of several into the same place. */
function onlyPicture(metadata: Uint8Array, data: Uint8Array): Uint8Array {
  const reader = new ByteReader(metadata, "webp filter");
  const count = reader.u32("number of pictures");
  const bytes = reader.u32("bytes of the picture");
  if (count === 1 && bytes === data.byteLength) return data;
  throw reader.error(
    `expected one picture of ${data.byteLength} bytes, found ${count}, the first of ${bytes}`,
  );
}

/** Of each value of a pixel its place in red, green, blue, alpha. */
const CHANNELS: Readonly<Record<WebpFormat, readonly number[]>> = {
  none: [],
  rgb: [0, 1, 2],
  bgr: [2, 1, 0],
  rgba: [0, 1, 2, 3],
  bgra: [2, 1, 0, 3],
};

function channelsOf(step: FilterStep): readonly number[] {
  const format = step.spec.type === "webp" ? step.spec.format : "none";
  if (format !== "none") return CHANNELS[format];
  throw new FormatError("webp filter: the schema does not say the order of a pixel's colours");
}

function rearrange(pixels: Uint8Array, out: Uint8Array, order: readonly number[]): void {
  const depth = order.length;
  for (let channel = 0; channel < depth; channel++) {
    for (let from = order[channel]!, to = channel; to < out.length; from += 4, to += depth)
      out[to] = pixels[from]!;
  }
}
