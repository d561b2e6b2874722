import type { FilterPipeline, FilterType } from "../filter-pipeline.js";

/**
 * Coordinates before version 5 (format_spec/fragment.md, Legacy coordinates file): those of all dimensions, which are
 * of one type, in the tiles of `__coords.tdb`. "Since version 2, coordinates are always stored unzipped": all of the
 * first dimension, then all of the next. "In version 1, coordinates are stored unzipped if a compression filter exists
 * in the filter list. Otherwise, they are stored zipped": cell after cell.
 */
export interface CoordinatesLayout {
  readonly zipped: boolean;
  readonly dimensions: number;
  /** Bytes of one coordinate. */
  readonly width: number;
}

const compressors: ReadonlySet<FilterType> = new Set(["gzip", "zstd", "lz4", "rle", "bzip2", "double_delta"]);

/** Whether a fragment of that version (before 5) has zipped coordinates. */
export function areZipped(version: number, coordsFilters: FilterPipeline): boolean {
  return version < 2 && !coordsFilters.filters.some(({ type }) => compressors.has(type));
}

/** The coordinates of dimension `d` of a decoded tile, in `into` where given, else a view of it or a copy. */
export function coordinatesOf(
  tile: Uint8Array,
  { zipped, dimensions, width }: CoordinatesLayout,
  d: number,
  into?: Uint8Array,
): Uint8Array {
  const size = tile.byteLength / dimensions;
  if (!zipped) {
    const part = tile.subarray(d * size, (d + 1) * size);
    into?.set(part);
    return into ?? part;
  }
  const values = into ?? new Uint8Array(size);
  const stride = dimensions * width;
  for (let from = d * width, to = 0; to < size; from += stride, to += width) {
    for (let b = 0; b < width; b++) values[to + b] = tile[from + b]!;
  }
  return values;
}
