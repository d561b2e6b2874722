import type { TileRequest } from "./tile-fetch.js";

/** Decodes the tiles from position `from` to `to`, exclusive. `files`: stored bytes of each tile, by file. */
export function decodeHere(
  request: TileRequest,
  tiles: readonly number[],
  files: readonly (readonly Uint8Array[])[],
  from = 0,
  to = tiles.length,
): void {
  for (let i = from; i < to; i++) {
    request.decode(
      tiles[i]!,
      files.map((stored) => stored[i]!),
    );
  }
}
