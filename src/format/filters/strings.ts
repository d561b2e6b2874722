/** Strings of a tile, between the modules that code them. */
export interface Strings {
  /** Cells + 1 offsets into the bytes, from 0. */
  readonly offsets: Uint32Array;
  readonly data: Uint8Array;
}

/** What a cell's offset would take in memory: the metadata count offsets in bytes. */
export const OFFSET_BYTES = 8;
